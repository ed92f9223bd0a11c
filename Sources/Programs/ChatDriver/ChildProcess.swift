import ChatModel
import ChatPlatform
import ChatTool

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Another program, started and talked to in lines: for demonstrations and for tests of whole programs.
///
/// It ends with this object at the latest.
package final class ChildProcess: Sendable {
    /// The process's number.
    package let id: Int32
    /// Lines of its standard output without their ends; ends when the program does.
    package let lines: AsyncStream<String>
    private let input: Lock<Int32?>
    private let ending: Ending
    private let exit: Task<Int32, Never>

    /// Starts a program.
    ///
    /// - Parameters:
    ///   - path: the program's file, or a name that is looked up in the search path.
    ///   - environment: `NAME=value`, instead of this process's own.
    ///   - joinsErrors: whether what it complains of comes with its output, instead of on our standard error.
    package init(
        _ path: String, _ arguments: [String], environment: [String] = currentEnvironment(), joinsErrors: Bool = false
    ) throws(DriverError) {
        let program = try StartedProgram([path] + arguments, environment: environment, joinsErrors: joinsErrors)
        id = program.id
        input = Lock(program.input)
        let ending = Ending(id)
        self.ending = ending
        let (lines, continuation) = AsyncStream.makeStream(of: String.self)
        self.lines = lines
        startThread { Self.readLines(program.output, into: continuation) }
        exit = Task.detached {
            await withCheckedContinuation { continuation in
                startThread { continuation.resume(returning: ending.wait()) }
            }
        }
    }

    /// A child that nobody holds any more is killed.
    deinit {
        closeInput()
        ending.send(signal: SIGKILL)
    }

    /// Writes a line to its standard input; waits while it does not read.
    package func write(_ line: String) async {
        await withCheckedContinuation { continuation in
            startThread { [self] in
                // A child that has ended is noticed by its output.
                input.withLock { if let input = $0 { try? writeAll(Array("\(line)\n".utf8), to: input) } }
                continuation.resume()
            }
        }
    }

    /// Ends its standard input.
    package func closeInput() {
        input.withLock {
            if let input = $0 { close(input) }
            $0 = nil
        }
    }

    /// Sends it a signal, if it has not ended.
    package func send(signal number: Int32) { ending.send(signal: number) }

    /// Waits for its end: its exit code, or 128 and the signal that ended it.
    package func wait() async -> Int32 { await exit.value }

    private static func readLines(_ descriptor: Int32, into continuation: AsyncStream<String>.Continuation) {
        var waiting: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = unsafe read(descriptor, &block, block.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            waiting += block[..<count]
            var start = waiting.startIndex
            while let end = waiting[start...].firstIndex(of: 10) {
                continuation.yield(String(decoding: waiting[start..<end], as: UTF8.self))
                start = end + 1
            }
            waiting.removeSubrange(..<start)
        }
        if !waiting.isEmpty { continuation.yield(String(decoding: waiting, as: UTF8.self)) }
        continuation.finish()
        close(descriptor)
    }
}

/// The end of a process, which is noticed before its number is free for another one.
private final class Ending: Sendable {
    private let id: Int32
    private let hasEnded = Lock(false)

    init(_ id: Int32) { self.id = id }

    func send(signal number: Int32) {
        hasEnded.withLock { if !$0 { kill(id, number) } }
    }

    func wait() -> Int32 {
        var information = unsafe siginfo_t()
        while unsafe waitid(P_PID, id_t(id), &information, WEXITED | WNOWAIT) < 0, errno == EINTR {}
        return hasEnded.withLock { hasEnded in
            hasEnded = true
            var status: Int32 = 0
            while unsafe waitpid(id, &status, 0) < 0, errno == EINTR {}
            let signal = status & 0x7F
            return signal == 0 ? status >> 8 & 0xFF : 128 + signal
        }
    }
}
