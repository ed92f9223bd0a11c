#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Descriptors of the three streams that every process begins with.
package enum StandardStream {
    package static let input: Int32 = STDIN_FILENO
    package static let output: Int32 = STDOUT_FILENO
    package static let error: Int32 = STDERR_FILENO

    /// Makes the three streams safe to use, before anything else is opened.
    ///
    /// A reader that is gone is an error of a write and does not end the process. A stream that was closed by whoever
    /// started the program is held by a descriptor that refuses to be used: otherwise the next file that is opened would
    /// get its number, and what is printed would go into that file.
    package static func prepare() {
        ignoreBrokenPipes()
        for descriptor in input...error where fcntl(descriptor, F_GETFD) < 0 {
            _ = unsafe open("/dev/null", descriptor == input ? O_WRONLY : O_RDONLY)
        }
    }
}

/// Makes a reader that is gone an error of a write, which otherwise ends the process.
package func ignoreBrokenPipes() { signal(SIGPIPE, SIG_IGN) }

/// What a descriptor can be ready for.
package enum Readiness: Sendable {
    case reading
    case writing

    fileprivate var event: Int16 { Int16(truncatingIfNeeded: self == .reading ? POLLIN : POLLOUT) }
}

/// Waits until a descriptor can be read or written, or has something to say about why not; false if the time is over.
///
/// - Parameter milliseconds: the longest wait; negative for none.
package func waitUntilReady(_ descriptor: Int32, for readiness: Readiness, milliseconds: Int32) -> Bool {
    var entry = pollfd(fd: descriptor, events: readiness.event, revents: 0)
    return unsafe poll(&entry, 1, milliseconds) != 0
}

/// Waits until one of some descriptors is ready, and says which are.
///
/// - Parameter milliseconds: the longest wait; negative for none.
package func waitUntilOneIsReady(_ descriptors: [(Int32, Readiness)], milliseconds: Int32 = -1) -> [Bool] {
    var entries = descriptors.map { pollfd(fd: $0.0, events: $0.1.event, revents: 0) }
    while unsafe poll(&entries, nfds_t(entries.count), milliseconds) < 0, errno == EINTR, milliseconds < 0 {}
    return entries.map { $0.revents != 0 }
}

/// Makes reads and writes of a descriptor answer `wouldBlock` where they would wait.
package func setNonblocking(_ descriptor: Int32) { _ = fcntl(descriptor, F_SETFL, O_NONBLOCK) }

/// Writes some bytes and says how many the system took; none if it would have waited or a signal came.
package func writeSome(_ bytes: ArraySlice<UInt8>, to descriptor: Int32) throws(ErrorNumber) -> Int {
    let count = unsafe bytes.withUnsafeBytes { unsafe write(descriptor, $0.baseAddress, $0.count) }
    if count >= 0 { return count }
    guard errno == EINTR || ErrorNumber.last.meansTryAgain else { throw .last }
    return 0
}

/// Writes all bytes, in as many calls as it takes, and waits for a slow reader.
///
/// - Parameter isPatient: asked again each second in which the reader took nothing; false ends the waiting with `timedOut`.
package func writeAll(
    _ bytes: [UInt8], to descriptor: Int32, isPatient: () -> Bool = { true }
) throws(ErrorNumber) {
    var written = 0
    while written < bytes.count {
        guard waitUntilReady(descriptor, for: .writing, milliseconds: 1_000) else {
            guard isPatient() else { throw .timedOut }
            continue
        }
        // A pipe that is ready takes so many at least, whether or not its writes may block.
        written += try writeSome(bytes[written..<min(bytes.count, written + 4_096)], to: descriptor)
    }
}

/// Reads what is there, at most a number of bytes, and waits if nothing is; empty at the end of the input.
package func readSome(_ descriptor: Int32, limit: Int) throws(ErrorNumber) -> [UInt8] {
    while true {
        if let bytes = try readIfReady(descriptor, limit: limit) { return bytes }
        _ = waitUntilReady(descriptor, for: .reading, milliseconds: -1)
    }
}

/// Reads what is there, at most a number of bytes; empty at the end of the input, nil where a read would have waited.
package func readIfReady(_ descriptor: Int32, limit: Int) throws(ErrorNumber) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: limit)
    while true {
        let count = unsafe read(descriptor, &bytes, limit)
        if count >= 0 { return Array(bytes.prefix(count)) }
        if ErrorNumber.last.meansTryAgain { return nil }
        guard errno == EINTR else { throw .last }
    }
}
