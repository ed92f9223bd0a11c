import Foundation

/// A command of the shell that is run for one content.
enum Command {
    /// What a command may write.
    static let maximumOutput = 64 << 20

    /// How it failed.
    struct Failure: Error, CustomStringConvertible {
        let exitCode: Int32?
        let description: String
    }

    /// A command that does not read its input must not end the step.
    private static let ignoresBrokenPipes: Void = { _ = signal(SIGPIPE, SIG_IGN) }()

    /// Its output; the command has a time limit, after which it is killed.
    static func run(_ line: String, input: [UInt8], limit: Duration) async throws -> [UInt8] {
        _ = ignoresBrokenPipes
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", line]
        let (into, outOf) = (Pipe(), Pipe())
        process.standardInput = into
        process.standardOutput = outOf
        let start = ContinuousClock.now
        try process.run()
        let killer = Task {
            try await Task.sleep(for: limit)
            end(process)
        }
        defer { killer.cancel() }
        let (writing, reading) = (into.fileHandleForWriting, outOf.fileHandleForReading)
        // Both block, each on a thread of its own.
        _ = Thread.detached {
            try? writing.write(contentsOf: Data(input)); try? writing.close()
        }
        let output = await withTaskCancellationHandler {
            await Thread.value { () -> Data in
                var data = Data()
                while let more = try? reading.read(upToCount: 1 << 20), !more.isEmpty, data.count <= maximumOutput {
                    data += more
                }
                try? reading.close()
                process.waitUntilExit()
                return data
            }
        } onCancel: {
            end(process)
        }
        try Task.checkCancellation()
        guard process.terminationReason == .exit else {
            let isLate = ContinuousClock.now - start >= limit
            let why = isLate ? "ran longer than \(limit)" : "was ended by signal \(process.terminationStatus)"
            throw Failure(exitCode: nil, description: "the command \(why)")
        }
        guard process.terminationStatus == 0 else {
            let status = process.terminationStatus
            throw Failure(exitCode: status, description: "the command ended with \(status)")
        }
        guard output.count <= maximumOutput else {
            throw Failure(exitCode: nil, description: "the command wrote more than \(maximumOutput) bytes")
        }
        return Array(output)
    }

    /// Kills a command with what it started, which holds its output open.
    private static func end(_ process: Process) {
        if kill(-process.processIdentifier, SIGKILL) != 0 { kill(process.processIdentifier, SIGKILL) }
    }
}

extension Thread {
    /// Runs something that blocks.
    fileprivate static func detached(_ body: @escaping @Sendable () -> Void) -> Thread {
        let thread = Thread(block: body)
        thread.start()
        return thread
    }

    /// What something that blocks gives.
    fileprivate static func value<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
        await withCheckedContinuation { continuation in _ = detached { continuation.resume(returning: body()) } }
    }
}
