import Synchronization

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
    /// Writes a line to standard output; where that cannot be done, the process ends with 1.
    ///
    /// A reader that is gone hears no complaint, as in `program | head`.
    public static func print(_ line: String) {
        do throws(StreamError) { try write(line) } catch {
            if error.number != EPIPE { complain("standard output: \(error)") }
            ExitCode.failure.exit()
        }
    }

    /// Writes a line to standard output, or throws why it is not there, or not whole.
    ///
    /// It waits for a slow reader. Lines written at the same time do not mix.
    public static func write(_ line: String) throws(StreamError) {
        let bytes = Array("\(line)\n".utf8)
        try StandardStreams.output.withLock { _ throws(StreamError) in
            try writeAll(bytes, to: STDOUT_FILENO, isPatient: { !StandardStreams.isHurried.load(ordering: .relaxed) })
        }
    }

    /// From now on a reader of standard output that takes nothing for a second is taken for gone.
    public static func stopWaitingForReader() { StandardStreams.isHurried.store(true, ordering: .relaxed) }

    /// Writes a line to standard error; one that cannot be written is dropped, for there is nobody left to tell.
    public static func complain(_ line: String) {
        try? writeAll(Array("\(line)\n".utf8), to: STDERR_FILENO)
    }
}

private func endProcess(_ code: Int32) -> Never {
    exit(code)
}
