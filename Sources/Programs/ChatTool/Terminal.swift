#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// How a program ends.
public enum ExitCode: Int32, Sendable {
    /// It did what it was asked to do.
    case success = 0
    /// It failed while running.
    case failure = 1
    /// It was called wrongly.
    case usage = 2
    /// What it has stored cannot be opened or read.
    case storage = 3
    /// It does not do what it was asked to do, which is no failure.
    case unsupported = 127

    /// Ends the process.
    public func exit() -> Never {
        endProcess(rawValue)
    }
}

/// Lines for whoever started the program; written at once, so that scripts can wait for them.
public enum Terminal {
    /// Writes a line to standard output.
    public static func print(_ line: String) {
        write(line, to: STDOUT_FILENO)
    }

    /// Writes a line to standard error.
    public static func complain(_ line: String) {
        write(line, to: STDERR_FILENO)
    }

    private static func write(_ line: String, to descriptor: Int32) {
        writeAll(Array("\(line)\n".utf8), to: descriptor)
    }
}

/// Writes all bytes, in as many calls as it takes; what a closed reader does not take is dropped.
package func writeAll(_ bytes: [UInt8], to descriptor: Int32) {
    var written = 0
    while written < bytes.count {
        let count = unsafe bytes.withUnsafeBytes { buffer in
            unsafe systemWrite(descriptor, buffer.baseAddress?.advanced(by: written), bytes.count - written)
        }
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { return }
        written += count
    }
}

private func endProcess(_ code: Int32) -> Never {
    exit(code)
}

private func systemWrite(_ descriptor: Int32, _ start: UnsafeRawPointer?, _ count: Int) -> Int {
    unsafe write(descriptor, start, count)
}
