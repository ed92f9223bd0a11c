import ChatClient
import ChatModel
import ChatStorage
import ChatTool

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// A signal that came while something was asked for.
struct Interrupted: Error {}

/// Where the passphrase of a data directory comes from when no file is named.
enum Passphrase {
    /// How often a new passphrase is asked for that was typed differently the second time.
    private static let maximumTries = 3

    /// From `CHAT_PASSPHRASE`, or from whoever sits at the terminal: once for a directory that is there, twice for a new
    /// one, where a slip of the finger would lock its owner out. Throws `Interrupted` if a signal comes meanwhile.
    static func key(for directory: String, until signals: Signals) throws -> StorageKey {
        if let value = unsafe getenv("CHAT_PASSPHRASE") {
            return try .passphrase(unsafe String(cString: value))
        }
        guard StandardInput.isTerminal else {
            throw StorageError.badKey(
                "\(directory) needs a passphrase: set CHAT_PASSPHRASE, or give --passphrase-file or --key-file")
        }
        guard unsafe access(directory + "/journal", F_OK) != 0 else {
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
        var shown = termios()
        guard unsafe tcgetattr(STDIN_FILENO, &shown) == 0 else {
            throw StorageError.system("tcgetattr", path: "terminal", errno: errno)
        }
        var hidden = shown
        hidden.c_lflag &= ~tcflag_t(ECHO)
        guard unsafe tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden) == 0 else {
            throw StorageError.system("tcsetattr", path: "terminal", errno: errno)
        }
        defer {
            unsafe tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown)
            write("\n")
        }
        write(question)
        guard signals.waitForInput(STDIN_FILENO) == nil else { throw Interrupted() }
        return readSecretLine()
    }

    private static func write(_ text: String) {
        var text = text
        text.withUTF8 { buffer in _ = unsafe systemWrite(STDERR_FILENO, buffer.baseAddress, buffer.count) }
    }

    /// Reads a line a byte at a time, so that nothing behind it is taken, and wipes it.
    private static func readSecretLine() -> Secret {
        var bytes = [UInt8](repeating: 0, count: 1_025)
        defer {
            var span = bytes.mutableSpan
            wipe(&span)
        }
        var count = 0
        var byte: UInt8 = 0
        while count < bytes.count, unsafe systemRead(STDIN_FILENO, &byte, 1) == 1, byte != 10 {
            bytes[count] = byte
            count += 1
        }
        return Secret(copying: bytes.span.extracting(0..<count))
    }
}

private func systemWrite(_ descriptor: Int32, _ start: UnsafeRawPointer?, _ count: Int) -> Int {
    unsafe write(descriptor, start, count)
}

private func systemRead(_ descriptor: Int32, _ start: UnsafeMutablePointer<UInt8>, _ count: Int) -> Int {
    unsafe read(descriptor, start, count)
}
