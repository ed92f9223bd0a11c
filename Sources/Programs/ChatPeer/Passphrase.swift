import ChatClient
import ChatModel
import ChatStorage

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Where the passphrase of a data directory comes from when no file is named.
enum Passphrase {
    /// From `CHAT_PASSPHRASE`, or from whoever sits at the terminal.
    static func key(for directory: String) throws(StorageError) -> StorageKey {
        if let value = unsafe getenv("CHAT_PASSPHRASE") {
            return try .passphrase(unsafe String(cString: value))
        }
        guard StandardInput.isTerminal else {
            throw .badKey(
                "\(directory) needs a passphrase: set CHAT_PASSPHRASE, or give --passphrase-file or --key-file")
        }
        return try .passphrase(try ask("passphrase for \(directory): "))
    }

    /// Asks at the terminal, which does not show what is typed.
    private static func ask(_ question: String) throws(StorageError) -> Secret {
        var shown = termios()
        guard unsafe tcgetattr(STDIN_FILENO, &shown) == 0 else {
            throw .system("tcgetattr", path: "terminal", errno: errno)
        }
        var hidden = shown
        hidden.c_lflag &= ~tcflag_t(ECHO)
        guard unsafe tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden) == 0 else {
            throw .system("tcsetattr", path: "terminal", errno: errno)
        }
        defer {
            unsafe tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown)
            write("\n")
        }
        write(question)
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
