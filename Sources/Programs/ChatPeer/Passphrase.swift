import ChatClient
import ChatModel
import ChatPlatform
import ChatStorage
import ChatTool

/// A signal that came while something was asked for.
struct Interrupted: Error {}

/// Where the passphrase of a data directory comes from when no file is named.
enum Passphrase {
    /// How often a new passphrase is asked for that was typed differently the second time.
    private static let maximumTries = 3

    /// From `CHAT_PASSPHRASE`, or from whoever sits at the terminal: once for a directory that is there, twice for a new
    /// one, where a slip of the finger would lock its owner out. Throws `Interrupted` if a signal comes meanwhile.
    static func key(for directory: String, until signals: Signals) throws -> StorageKey {
        if let value = ThisProcess.environment("CHAT_PASSPHRASE") { return try .passphrase(value) }
        guard StandardInput.isTerminal else {
            throw StorageError.badKey(
                "\(directory) needs a passphrase: set CHAT_PASSPHRASE, or give --passphrase-file or --key-file")
        }
        guard !FileCalls.may(.existing, at: directory + "/journal") else {
            return try .passphrase(try ask("passphrase for \(directory): ", until: signals))
        }
        for _ in 0..<maximumTries {
            let first = try ask("new passphrase for \(directory): ", until: signals)
            let key = try StorageKey.passphrase(first)
            if try ask("the same again: ", until: signals) == first { return key }
            write("they differ\n")
        }
        throw StorageError.badKey("no passphrase was typed the same twice; nothing was made")
    }

    /// Asks at the terminal, which does not show what is typed.
    private static func ask(_ question: String, until signals: Signals) throws -> Secret {
        do {
            return try TerminalMode.hidingInput {
                defer { write("\n") }
                write(question)
                guard signals.waitForInput(StandardStream.input) == nil else { throw Interrupted() }
                return readSecretLine()
            }
        } catch let number as ErrorNumber {
            throw StorageError.system("tcsetattr", path: "terminal", errno: number.rawValue)
        }
    }

    private static func write(_ text: String) {
        try? writeAll(Array(text.utf8), to: StandardStream.error)
    }

    /// Reads a line a byte at a time, so that nothing behind it is taken, and wipes it.
    private static func readSecretLine() -> Secret {
        var bytes = [UInt8](repeating: 0, count: 1_025)
        defer {
            var span = bytes.mutableSpan
            wipe(&span)
        }
        var count = 0
        while count < bytes.count, let byte = TerminalMode.readByte(StandardStream.input), byte != 10 {
            bytes[count] = byte
            count += 1
        }
        return Secret(copying: bytes.span.extracting(0..<count))
    }
}
