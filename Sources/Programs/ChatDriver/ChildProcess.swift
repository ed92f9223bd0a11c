import ChatModel
import ChatPlatform
import ChatTool

/// Another program, started and talked to in lines: for demonstrations and for tests of whole programs.
///
/// It ends with this object at the latest.
package final class ChildProcess: Sendable {
    /// The process's number.
    package let id: Int32
    /// Lines of its standard output without their ends; ends when the program does.
    package let lines: AsyncStream<String>
    private let input: Lock<Int32?>
    private let ending: ProcessEnd
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
        let program: StartedProgram
        do throws(ProcessFailure) {
            program = try StartedProgram([path] + arguments, environment: environment, joinsErrors: joinsErrors)
        } catch { throw DriverError(error.description) }
        id = program.id
        input = Lock(program.input)
        let ending = ProcessEnd(id)
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
        ending.kill()
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
            if let input = $0 { FileCalls.close(input) }
            $0 = nil
        }
    }

    /// Sends it a signal, if it has not ended.
    package func send(signal number: Int32) { ending.send(signal: number) }

    /// Waits for its end: its exit code, or 128 and the signal that ended it.
    package func wait() async -> Int32 { await exit.value }

    private static func readLines(_ descriptor: Int32, into continuation: AsyncStream<String>.Continuation) {
        var waiting: [UInt8] = []
        while let block = try? readSome(descriptor, limit: 65_536), !block.isEmpty {
            waiting += block
            var start = waiting.startIndex
            while let end = waiting[start...].firstIndex(of: 10) {
                continuation.yield(String(decoding: waiting[start..<end], as: UTF8.self))
                start = end + 1
            }
            waiting.removeSubrange(..<start)
        }
        if !waiting.isEmpty { continuation.yield(String(decoding: waiting, as: UTF8.self)) }
        continuation.finish()
        FileCalls.close(descriptor)
    }
}
