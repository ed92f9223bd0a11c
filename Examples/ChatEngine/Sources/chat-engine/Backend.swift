import ArgumentParser
import ChatEngineServer

/// Runs a backend to try an engine with.
struct Backend: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Run a backend to try an engine with.")

    @Option(help: "TCP port; 0 takes a free one.")
    var port: UInt16
    @Option(help: "How it answers: echo repeats, markov rambles, slow takes its time, failing breaks off.")
    var style = "echo"

    func validate() throws {
        guard BackendStyle(rawValue: style) != nil else {
            let styles = BackendStyle.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("--style \(style): none of \(styles)")
        }
    }

    func run() async throws {
        do throws(StartError) {
            let backend = DemoBackend(BackendStyle(rawValue: style) ?? .echo)
            try await backend.run(port: Int(port), stopsOnSignals: true) { say("listening on \($0)") }
        } catch { throw fail(error) }
    }
}
