import Synchronization

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// A file that what passes is written to as it passes; what cannot be written is told once, and nothing waits for it.
public final class CaptureOutput: Sendable {
    private let file: Int32
    private let path: String
    private let hasFailed = Mutex(false)

    /// Makes a file that others cannot read, or opens a pipe whose reader waits; an old file is emptied.
    ///
    /// - Parameters:
    ///   - path: the file.
    ///   - beginning: the first bytes.
    public init(_ path: String, beginning: [UInt8]) throws(InputFailure) {
        file = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        self.path = path
        guard file >= 0 else { throw InputFailure("cannot write \(path): \(StreamError(number: errno))") }
        append(beginning)
    }

    deinit { close(file) }

    /// Writes bytes.
    public func append(_ bytes: [UInt8]) {
        hasFailed.withLock { hasFailed in
            guard !hasFailed else { return }
            do throws(StreamError) { try writeAll(bytes, to: file, isPatient: { false }) } catch {
                hasFailed = true
                Terminal.complain("\(path): \(error); the capture ends here")
            }
        }
    }

    /// Microseconds since 1970.
    public static var now: UInt64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return UInt64(max(0, time.tv_sec)) * 1_000_000 + UInt64(max(0, time.tv_nsec)) / 1_000
    }
}
