import ArgumentParser
import ChatEngineServer

/// Talks to an engine in the terminal.
struct Talk: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Talk to an engine: lines are said, commands begin with a slash.", discussion: TalkCommands.help)

    @Argument(help: "The engine, for example http://127.0.0.1:8080/api/v1.")
    var url: String
    @Option(help: "A bearer token, as `chat-engine token` prints it.")
    var token: String
    @Option(help: "The session type; the first one unless given.")
    var type: String?
    @Option(help: "A session to go on with.")
    var session: String?

    func run() async throws {
        do {
            var talk = try await TalkCommands(url: url, token: token, type: type, session: session)
            do {
                while let line = readLine() {
                    guard try await talk.obey(line) else { break }
                }
            } catch {
                try await talk.end()
                throw error
            }
            try await talk.end()
        } catch let error as StartError { throw fail(error) }
    }
}
