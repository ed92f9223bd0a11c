import AgentChat
import AgentChatTalk
import ArgumentParser
import Foundation

/// Talks to an agent in a terminal.
struct Talk: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Talk to an agent in a terminal.",
        discussion: """
            A line is a message; while the agent answers, it is put into the answer. y approves, n and a reason refuses, \
            a number chooses an option. /stop stops the answer, /quit ends.
            """)

    @Argument(help: "The page's address, perhaps with #chat=ID; without it a chat is made.") var url: String
    @Option(help: "A file whose first line is the token.") var tokenFile: String?

    func run() async throws {
        let talker: Talker
        do {
            let token = try tokenFile.map {
                try String(contentsOfFile: $0, encoding: .utf8).split(separator: "\n").first.map(String.init) ?? ""
            }
            guard let service = ServiceAddress(url, token: token) else {
                throw ValidationError("\(url) is no http://HOST:PORT/")
            }
            talker = try await Talker.enter(service) { FileHandle.standardOutput.write(Data($0.utf8)) }
        } catch {
            FileHandle.standardError.write(Data("agent-chat: \(error)\n".utf8))
            throw ExitCode(2)
        }
        for await line in lines() { guard await talker.take(line) else { break } }
        await talker.close()
    }

    /// Lines of standard input; reading blocks a thread of its own.
    private func lines() -> AsyncStream<String> {
        let (stream, feed) = AsyncStream<String>.makeStream()
        Thread.detachNewThread {
            while let line = readLine() { feed.yield(line) }
            feed.finish()
        }
        return stream
    }
}
