import ChatDriver
import ChatTool

/// `chat-demo`: two peers exchange a real text over a relay, and one of them is killed in the middle.
@main
enum Main {
    private static let text = Option(
        "text", "FILE", default: "Examples/the-walrus-and-the-carpenter.txt", "the text; every line is a content")
    private static let suite = Option<String?>("suite", "NAME", "the five choices (default those of chat-peer)")
    private static let conversation = Option<String?>(
        "conversation", "NAME", "the conversation type alone, for example private-v1-compact")
    private static let quiet = Option<Bool>("quiet", "print no transcript")
    private static let files = Option<Bool>("files", "instead of a text, each sends a file, through losses")
    private static let size = Option<Int>(
        "size", "BYTES", default: 5 << 20, in: 0...255 * 102_400, "the size of each file, with --files")
    private static let loss = Option<Int>(
        "loss", "PERCENT", default: 30, in: 0...90, "payloads that are lost on purpose, with --files")
    private static let seed = Option<Int>("seed", "N", default: 1, in: 0 ... .max, "which losses")
    private static let whole = Option<Bool>("no-kill", "with --files, nobody is killed")
    private static let command = Command(
        "chat-demo", summary: "Two peers exchange every line of a text over a relay; one is killed in the middle.",
        options: [text, suite, conversation, quiet, files, size, loss, seed, whole],
        notes: """
            Starts chat-relay and chat-peer, which must stand beside this program, on this machine alone.
            Exit: 0 nothing is missing and everything is in its place, 1 otherwise, 2 wrong usage.
            """)

    /// The options of chat-peer that choose a composition.
    private static func choices(_ options: Options) -> [String] {
        (options[suite].map { ["--suite", $0] } ?? []) + (options[conversation].map { ["--conversation", $0] } ?? [])
    }

    static func main() async {
        let options = command.parseOrExit()
        do {
            let isComplete = options[files] ? try await exchangeFiles(options) : try await exchangeText(options)
            (isComplete ? ExitCode.success : .failure).exit()
        } catch {
            Terminal.complain("chat-demo: \(error)")
            ExitCode.failure.exit()
        }
    }

    private static func exchangeText(_ options: Options) async throws(DriverError) -> Bool {
        let demo = try Demo(text: options[text], choices: choices(options))
        let result = try await demo.run()
        if !options[quiet] { Terminal.print(result.transcript + "\n") }
        Terminal.print(result.summary)
        return result.isComplete
    }

    private static func exchangeFiles(_ options: Options) async throws(DriverError) -> Bool {
        let result = try await FileDemo.run(
            bytes: options[size], loss: options[loss], seed: options[seed], isKilled: !options[whole],
            choices: choices(options))
        Terminal.print(result.summary)
        return result.isComplete
    }
}
