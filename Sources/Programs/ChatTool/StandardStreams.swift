import Synchronization

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Why a stream cannot be read or written.
public struct StreamError: Error, Equatable, CustomStringConvertible {
    /// The number that the system gave.
    public let number: Int32

    /// The number in words.
    public var description: String { unsafe String(cString: strerror(number)) }
}

/// Standard input, output and error of this process.
enum StandardStreams {
    /// Held while a line is written, so that lines do not mix.
    static let output = Mutex<Void>(())
    /// Whether a reader that takes nothing for a second is taken for gone.
    static let isHurried = Atomic(false)

    /// Makes the three streams safe to use, before anything else is opened.
    ///
    /// A reader that is gone is an error of a write and does not end the process. A stream that was closed by whoever
    /// started the program is held by a descriptor that refuses to be used: otherwise the next file that is opened would
    /// get its number, and what is printed would go into that file.
    static func prepare() {
        signal(SIGPIPE, SIG_IGN)
        for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) < 0 {
            _ = unsafe open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY)
        }
    }
}

/// Writes all bytes, in as many calls as it takes, and waits for a slow reader.
///
/// - Parameter isPatient: asked again each second in which the reader took nothing; false ends the waiting with `ETIMEDOUT`.
package func writeAll(
    _ bytes: [UInt8], to descriptor: Int32, isPatient: () -> Bool = { true }
) throws(StreamError) {
    var written = 0
    while written < bytes.count {
        guard waitUntilReady(descriptor, for: POLLOUT, milliseconds: 1_000) else {
            guard isPatient() else { throw StreamError(number: ETIMEDOUT) }
            continue
        }
        // A pipe that is ready takes so many at least, whether or not its writes may block.
        let part = min(bytes.count - written, 4_096)
        let count = unsafe bytes.withUnsafeBytes { buffer in
            unsafe systemWrite(descriptor, buffer.baseAddress?.advanced(by: written), part)
        }
        if count < 0, [EINTR, EAGAIN, EWOULDBLOCK].contains(errno) { continue }
        guard count >= 0 else { throw StreamError(number: errno) }
        written += count
    }
}

/// Reads what is there, at most a number of bytes, and waits if nothing is; empty at the end of the input.
package func readSome(_ descriptor: Int32, limit: Int) throws(StreamError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: limit)
    while true {
        let count = unsafe systemRead(descriptor, &bytes, limit)
        if count >= 0 { return Array(bytes.prefix(count)) }
        if [EAGAIN, EWOULDBLOCK].contains(errno) {
            _ = waitUntilReady(descriptor, for: POLLIN, milliseconds: -1)
        } else if errno != EINTR {
            throw StreamError(number: errno)
        }
    }
}

/// Waits until a descriptor can be read or written, or has something to say about why not; false if the time is over.
package func waitUntilReady(_ descriptor: Int32, for event: some BinaryInteger, milliseconds: Int32) -> Bool {
    var entry = pollfd(fd: descriptor, events: Int16(truncatingIfNeeded: event), revents: 0)
    return unsafe poll(&entry, 1, milliseconds) != 0
}

private func systemWrite(_ descriptor: Int32, _ start: UnsafeRawPointer?, _ count: Int) -> Int {
    unsafe write(descriptor, start, count)
}

private func systemRead(_ descriptor: Int32, _ start: UnsafeMutablePointer<UInt8>, _ count: Int) -> Int {
    unsafe read(descriptor, start, count)
}
