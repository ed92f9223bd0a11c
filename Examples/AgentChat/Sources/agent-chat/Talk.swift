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
            a number chooses an option. /stop stops the answer, /quit ends. At a terminal one key is enough for an answer: \
            y, n, or r for a refusal with a reason; the number of an option.
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
        let isDone = await talk(to: talker)
        await talker.close()
        if !isDone { throw ExitCode(1) }
    }

    /// Until the last line; false where lines of a pipe did not come to their answers.
    private func talk(to talker: Talker) async -> Bool {
        guard Terminal.isThere, let terminal = Terminal() else { return await read(to: talker) }
        await type(at: terminal, to: talker)
        Terminal.restore()
        return true
    }

    /// A person at a terminal: one key answers what waits for an answer.
    private func type(at terminal: Terminal, to talker: Talker) async {
        var editor = LineEditor()
        for await byte in terminal.bytes() {
            switch editor.take(byte) {
            case .nothing: break
            case .erased(let columns): show(String(repeating: "\u{8} \u{8}", count: columns))
            case .end: return
            case .line(let line):
                show("\n")
                guard await talker.take(line) else { return }
            case .typed(let character):
                let answer = editor.line == String(character) ? await talker.answer(of: character) : nil
                switch answer {
                case nil: show(String(character))
                case .whole(let line)?:
                    editor.clear()
                    show("\(character)\n")
                    guard await talker.take(line) else { return }
                case .start(let line)?:
                    editor.clear(to: line)
                    show(line)
                }
            }
        }
    }

    /// Lines of a pipe or a file: each waits until the answer to the one before it is there, and so does the end.
    private func read(to talker: Talker) async -> Bool {
        for await line in lines() {
            if line != "/stop" { _ = await talker.settle() }
            guard await talker.take(line) else { break }
        }
        return await talker.settle()
    }

    private func show(_ text: String) { FileHandle.standardOutput.write(Data(text.utf8)) }

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
