#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What a terminal shows.
package enum TerminalMode {
    /// Whether a descriptor leads to a terminal.
    package static func isTerminal(_ descriptor: Int32) -> Bool { isatty(descriptor) == 1 }

    /// Runs a closure while the terminal of standard input does not show what is typed; throws before that where it
    /// cannot be hidden.
    package static func hidingInput<R>(_ body: () throws -> R) throws -> R {
        var shown = termios()
        guard unsafe tcgetattr(STDIN_FILENO, &shown) == 0 else { throw ErrorNumber.last }
        var hidden = shown
        hidden.c_lflag &= ~tcflag_t(ECHO)
        guard unsafe tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden) == 0 else { throw ErrorNumber.last }
        defer { unsafe tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown) }
        return try body()
    }

    /// Reads one byte of a descriptor; nil at the end of the input, or where it cannot be read.
    package static func readByte(_ descriptor: Int32) -> UInt8? {
        var byte: UInt8 = 0
        return unsafe read(descriptor, &byte, 1) == 1 ? byte : nil
    }
}
