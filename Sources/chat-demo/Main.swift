import ChatDriver
import ChatTool

/// `chat-demo`: two peers exchange a real text over a relay, and one of them is killed in the middle.
@main
enum Main {
    private static let text = Option(
        "text", "FILE", default: "Examples/the-walrus-and-the-carpenter.txt", "the text; every line is a content")
    private static let suite = Option<String?>("suite", "NAME", "the five choices (default those of chat-peer)")
    private static let quiet = Option<Bool>("quiet", "print no transcript")
    private static let command = Command(
        "chat-demo", summary: "Two peers exchange every line of a text over a relay; one is killed in the middle.",
        options: [text, suite, quiet],
        notes: """
            Starts chat-relay and chat-peer, which must stand beside this program, on this machine alone.
            Exit: 0 nothing is missing and everything is in its place, 1 otherwise, 2 wrong usage.
            """)

    static func main() async {
        let options = command.parseOrExit()
        do {
            let demo = try Demo(text: options[text], suite: options[suite])
            let result = try await demo.run()
            if !options[quiet] { Terminal.print(result.transcript + "\n") }
            Terminal.print(result.summary)
            (result.isComplete ? ExitCode.success : .failure).exit()
        } catch {
            Terminal.complain("chat-demo: \(error)")
            ExitCode.failure.exit()
        }
    }
}
