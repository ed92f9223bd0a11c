import ChatDriver

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A program that was started with its standard input and output in our hands.
///
/// Ends with this object: a child that does not end by itself is killed.
@safe final class ChildProcess {
    private let identifier: pid_t
    private let input: Int32
    private let output: Int32
    private var received: [UInt8] = []
    private var isEnded = false

    /// The longest line that is read; content of 1 MiB in hex and an envelope around it fit easily.
    static let maximumLine = 64 << 20

    enum Failure: Error, CustomStringConvertible {
        case start(String)
        case silent(Duration)
        case ended
        case tooLong

        var description: String {
            switch self {
            case .start(let reason): reason
            case .silent(let time): "no answer within \(time)"
            case .ended: "it ended instead of answering"
            case .tooLong: "a line of more than \(ChildProcess.maximumLine) bytes"
            }
        }
    }

    /// Starts a command, which is looked up in the search path.
    init(_ command: [String]) throws(Failure) {
        let program: StartedProgram
        do throws(DriverError) { program = try StartedProgram(command) } catch { throw .start(error.description) }
        (identifier, input, output) = (program.id, program.input, program.output)
        _ = fcntl(input, F_SETFL, O_NONBLOCK)
        _ = fcntl(output, F_SETFL, O_NONBLOCK)
    }

    deinit { end() }

    /// Kills the child and waits for its end.
    func end() {
        guard !isEnded else { return }
        isEnded = true
        close(input)
        close(output)
        kill(identifier, SIGKILL)
        var status: Int32 = 0
        unsafe waitpid(identifier, &status, 0)
    }

    /// Sends a line and reads one, within a time.
    func exchange(_ line: String, within time: Duration) throws(Failure) -> [UInt8] {
        let end = ContinuousClock.now + time
        var unsent = Array("\(line)\n".utf8)[...]
        // Each byte is looked at once, however many come without an end of line.
        var searched = 0
        while true {
            if let newline = received[searched...].firstIndex(of: 10) {
                defer { received.removeSubrange(...newline) }
                return Array(received[..<newline])
            }
            searched = received.count
            try wait(forRoom: !unsent.isEmpty, until: end, time)
            if !unsent.isEmpty { unsent = unsent.dropFirst(try write(unsent)) }
            try readSome()
        }
    }

    private func wait(forRoom: Bool, until end: ContinuousClock.Instant, _ time: Duration) throws(Failure) {
        let left = max(0, (end - ContinuousClock.now) / .milliseconds(1))
        guard left > 0 else { throw .silent(time) }
        var descriptors = [pollfd(fd: output, events: Int16(POLLIN), revents: 0)]
        if forRoom { descriptors.append(pollfd(fd: input, events: Int16(POLLOUT), revents: 0)) }
        _ = unsafe poll(&descriptors, nfds_t(descriptors.count), Int32(min(left, 60_000)) + 1)
    }

    private func write(_ bytes: ArraySlice<UInt8>) throws(Failure) -> Int {
        let count = unsafe bytes.withUnsafeBytes { buffer in unsafe systemWrite(input, buffer.baseAddress, buffer.count)
        }
        if count >= 0 { return count }
        guard errno == EAGAIN || errno == EINTR else { throw .ended }
        return 0
    }

    private func readSome() throws(Failure) {
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        let count = unsafe chunk.withUnsafeMutableBytes { unsafe systemRead(output, $0.baseAddress, $0.count) }
        if count > 0 { received += chunk[..<count] }
        guard received.count <= Self.maximumLine else { throw .tooLong }
        if count == 0 { throw .ended }
        if count < 0, errno != EAGAIN, errno != EINTR { throw .ended }
    }
}

private func systemWrite(_ descriptor: Int32, _ start: UnsafeRawPointer?, _ count: Int) -> Int {
    unsafe write(descriptor, start, count)
}

private func systemRead(_ descriptor: Int32, _ start: UnsafeMutableRawPointer?, _ count: Int) -> Int {
    unsafe read(descriptor, start, count)
}
