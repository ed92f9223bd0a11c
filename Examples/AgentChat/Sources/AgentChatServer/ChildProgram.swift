import ChatCodec
import ChatModel
import Dispatch
import Foundation

/// A program that runs, its lines, and its end.
final class ChildProgram: Sendable {
    /// How many lines are read ahead; a program that writes more waits.
    private static let ahead = 64
    /// A program that has closed its input must not end the service.
    private static let ignoresBrokenPipes: Void = { _ = signal(SIGPIPE, SIG_IGN) }()

    /// Its lines.
    let lines: AsyncStream<[UInt8]>
    private let process: Process
    private let input: FileHandle
    /// Made with 0 and raised: one that ends below the number it was made with ends the process.
    private let room = DispatchSemaphore(value: 0)
    private let isOver = Lock(false)
    /// A program that does not read blocks this queue alone.
    private let writing = DispatchQueue(label: "agent-chat.program")

    init(_ command: [String]) throws {
        _ = Self.ignoresBrokenPipes
        for _ in 0..<Self.ahead { room.signal() }
        let (process, input, output) = (Process(), Pipe(), Pipe())
        process.executableURL = URL(filePath: command[0])
        process.arguments = Array(command.dropFirst())
        (process.standardInput, process.standardOutput) = (input, output)
        do { try process.run() } catch {
            throw AgentFailure("the program does not start: \(error.localizedDescription)")
        }
        (self.process, self.input) = (process, input.fileHandleForWriting)
        let (lines, feed) = AsyncStream<[UInt8]>.makeStream()
        self.lines = lines
        let reading = output.fileHandleForReading
        Thread.detachNewThread { [self] in
            read(reading, into: feed)
            feed.finish()
        }
    }

    /// A line was obeyed.
    func took() { room.signal() }

    private func read(_ file: FileHandle, into feed: AsyncStream<[UInt8]>.Continuation) {
        var line: [UInt8] = []
        while true {
            let data = file.availableData
            guard !data.isEmpty else { break }
            for byte in data {
                guard byte == 0x0a else {
                    line.append(byte)
                    continue
                }
                guard waitForRoom() else { return }
                feed.yield(line)
                line = []
            }
            guard line.count <= CommandAgent.maximumLine else { break }
        }
        if !line.isEmpty { feed.yield(line) }
    }

    private func waitForRoom() -> Bool {
        while room.wait(timeout: .now() + 1) == .timedOut { if isOver.withLock({ $0 }) { return false } }
        return true
    }

    /// Writes a line, as soon as the program reads.
    func write(_ json: JSON) {
        let (input, line) = (input, Data((json.description + "\n").utf8))
        writing.async { try? input.write(contentsOf: line) }
    }

    /// Waits for the end, which a program need not come to soon after it closed its output.
    func status() async throws -> Int {
        while process.isRunning { try await Task.sleep(for: .milliseconds(5)) }
        return Int(process.terminationStatus)
    }

    /// Asks the program to end, and ends it a little later.
    func end() {
        isOver.withLock { $0 = true }
        let (process, input) = (process, input)
        writing.async { try? input.close() }
        guard process.isRunning else { return }
        process.terminate()
        Task {
            try? await Task.sleep(for: .seconds(2))
            if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        }
    }
}
