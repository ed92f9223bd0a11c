import AgentChatServer
import ArgumentParser
import Dispatch
import Foundation

/// Serves chats with an agent.
struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Serve chats with an agent, and a page for them.",
        discussion: "Prints the page's address on standard output, and a log of JSON lines on standard error.")

    @Option(help: "The port; 0 takes one that is free.") var port = 8_080
    @Option(help: "The address to listen on; another than the loopback needs a token.") var host = "127.0.0.1"
    @Option(help: "Where chats are kept; without it they last as long as the service.") var data: String?
    @Option(help: "A file whose first line is the token that clients have to bring.") var tokenFile: String?
    @Option(help: "Who answers: echo, script:FILE, or command:LINE.") var agent = "echo"
    @Option(help: "The name of the account.") var name = "saro"

    func run() async throws {
        let server: Server
        do {
            let gate = Gate(token: try tokenFile.map(Choice.token))
            FileLimit.raise(for: Limits(), log: .standardError)
            let house = try House(try Choice.agent(agent), storage: try Choice.storage(data), log: .standardError)
            server = try await Server.bind(house, host: host, port: port, gate: gate, name: name)
        } catch {
            FileHandle.standardError.write(Data("agent-chat: \(error)\n".utf8))
            throw ExitCode(2)
        }
        let host = host.contains(":") ? "[\(host)]" : host
        FileHandle.standardOutput.write(Data("http://\(host):\(server.port)/\n".utf8))
        let ends = stopSignals()
        let stopping = Task {
            for await _ in ends { return await server.stop() }
        }
        try await server.run()
        await stopping.value
    }

    /// SIGTERM and SIGINT, the first of which ends the service cleanly.
    private func stopSignals() -> AsyncStream<Void> {
        let (stream, feed) = AsyncStream<Void>.makeStream()
        for number in [SIGTERM, SIGINT] {
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                feed.yield()
                source.cancel()
            }
            source.resume()
        }
        return stream
    }
}
