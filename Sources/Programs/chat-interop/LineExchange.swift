import ChatPlatform

/// A program that was started with its standard input and output in our hands.
///
/// Ends with this object: a child that does not end by itself is killed.
final class LineExchange {
    private let process: ProcessEnd
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
            case .tooLong: "a line of more than \(LineExchange.maximumLine) bytes"
            }
        }
    }

    /// Starts a command, which is looked up in the search path.
    init(_ command: [String]) throws(Failure) {
        let program: StartedProgram
        do throws(ProcessFailure) { program = try StartedProgram(command) } catch { throw .start(error.description) }
        (process, input, output) = (ProcessEnd(program.id), program.input, program.output)
        setNonblocking(input)
        setNonblocking(output)
    }

    deinit { end() }

    /// Kills the child and waits for its end.
    func end() {
        guard !isEnded else { return }
        isEnded = true
        FileCalls.close(input)
        FileCalls.close(output)
        process.kill()
        _ = process.wait()
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
            do throws(ErrorNumber) {
                if !unsent.isEmpty { unsent = unsent.dropFirst(try writeSome(unsent, to: input)) }
                guard let bytes = try readIfReady(output, limit: 1 << 16) else { continue }
                guard !bytes.isEmpty else { throw .brokenPipe }
                received += bytes
            } catch { throw .ended }
            guard received.count <= Self.maximumLine else { throw .tooLong }
        }
    }

    private func wait(forRoom: Bool, until end: ContinuousClock.Instant, _ time: Duration) throws(Failure) {
        let left = max(0, (end - ContinuousClock.now) / .milliseconds(1))
        guard left > 0 else { throw .silent(time) }
        var descriptors: [(Int32, Readiness)] = [(output, .reading)]
        if forRoom { descriptors.append((input, .writing)) }
        _ = waitUntilOneIsReady(descriptors, milliseconds: Int32(min(left, 60_000)) + 1)
    }
}
