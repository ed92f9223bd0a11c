import ArgumentParser
import ChatEngineServer
import Foundation

/// The program: an engine, its tokens, a backend to try it with, and a client in the terminal.
@main
struct ChatEngineCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chat-engine", abstract: "A Chat Engine: sessions, trees of messages, streaming answers.",
        version: "1.0.0", subcommands: [Serve.self, Token.self, Backend.self, Talk.self])
}

/// Ends the program as `sysexits.h` says, with one line on standard error.
func fail(_ error: StartError) -> ExitCode {
    FileHandle.standardError.write(Data("chat-engine: \(error)\n".utf8))
    return ExitCode(error.code.rawValue)
}

/// Writes a line to standard output, at once.
func say(_ line: String) {
    FileHandle.standardOutput.write(Data((line + "\n").utf8))
}
