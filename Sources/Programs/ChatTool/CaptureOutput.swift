import ChatPlatform
import Synchronization

/// A file that what passes is written to as it passes; what cannot be written is told once, and nothing waits for it.
public final class CaptureOutput: Sendable {
    private let file: Int32
    private let path: String
    private let hasFailed = Mutex(false)

    /// Makes a file that others cannot read, or opens a pipe; an old file is emptied.
    ///
    /// - Parameters:
    ///   - path: the file.
    ///   - beginning: the first bytes.
    public init(_ path: String, beginning: [UInt8]) throws(InputFailure) {
        do { file = try FileCalls.open(path, .emptied, followsLinks: true) } catch {
            throw InputFailure("cannot write \(path): \(error)")
        }
        self.path = path
        append(beginning)
    }

    deinit { FileCalls.close(file) }

    /// Writes bytes.
    public func append(_ bytes: [UInt8]) {
        hasFailed.withLock { hasFailed in
            guard !hasFailed else { return }
            do throws(ErrorNumber) { try writeAll(bytes, to: file, isPatient: { false }) } catch {
                hasFailed = true
                Terminal.complain("\(path): \(error); the capture ends here")
            }
        }
    }

    /// Microseconds since 1970.
    public static var now: UInt64 { SystemClock.microseconds }
}
