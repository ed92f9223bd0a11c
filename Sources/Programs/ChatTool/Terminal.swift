package import ChatPlatform
import Synchronization

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
        ThisProcess.end(rawValue)
    }
}

/// Lines for whoever started the program; written at once, so that scripts can wait for them.
public enum Terminal {
    /// Writes a line to standard output; where that cannot be done, the process ends with 1.
    ///
    /// A reader that is gone hears no complaint, as in `program | head`.
    public static func print(_ line: String) {
        do throws(ErrorNumber) { try write(line) } catch {
            if error != .brokenPipe { complain("standard output: \(error)") }
            ExitCode.failure.exit()
        }
    }

    /// Writes a line to standard output, or throws why it is not there, or not whole.
    ///
    /// It waits for a slow reader. Lines written at the same time do not mix.
    package static func write(_ line: String) throws(ErrorNumber) {
        let bytes = Array("\(line)\n".utf8)
        try StandardOutput.turn.withLock { _ throws(ErrorNumber) in
            try writeAll(
                bytes, to: StandardStream.output, isPatient: { !StandardOutput.isHurried.load(ordering: .relaxed) })
        }
    }

    /// From now on a reader of standard output that takes nothing for a second is taken for gone.
    public static func stopWaitingForReader() { StandardOutput.isHurried.store(true, ordering: .relaxed) }

    /// Writes a line to standard error; one that cannot be written is dropped, for there is nobody left to tell.
    public static func complain(_ line: String) {
        try? writeAll(Array("\(line)\n".utf8), to: StandardStream.error)
    }
}

/// Standard output of this process.
private enum StandardOutput {
    /// Held while a line is written, so that lines do not mix.
    static let turn = Mutex<Void>(())
    /// Whether a reader that takes nothing for a second is taken for gone.
    static let isHurried = Atomic(false)
}
