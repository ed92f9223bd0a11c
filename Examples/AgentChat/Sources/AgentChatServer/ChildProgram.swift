import ChatCodec
import ChatModel
import Dispatch
import Foundation

/// A program that runs, its lines, and its end.
///
/// It leads a process group of its own, so that what it starts ends with it, and begins with the signal mask and the
/// handlers that a program of a shell has.
final class ChildProgram: Sendable {
    /// How many lines are read ahead; a program that writes more waits.
    private static let ahead = 64
    /// How long the group has between SIGTERM and SIGKILL.
    private static let grace = Duration.seconds(2)
    /// A program that has closed its input must not end the service.
    private static let ignoresBrokenPipes: Void = { _ = signal(SIGPIPE, SIG_IGN) }()

    private static let starting = Lock(())

    private struct State {
        /// What `waitpid` said of the leader.
        var status: Int32?
        var ending: Task<Void, Never>?
    }

    /// Its lines.
    let lines: AsyncStream<[UInt8]>
    /// The leader, and its group.
    private let group: pid_t
    private let input: FileHandle
    /// Made with 0 and raised: one that ends below the number it was made with ends the process.
    private let room = DispatchSemaphore(value: 0)
    private let state = Lock(State())
    /// A program that does not read blocks this queue alone.
    private let writing = DispatchQueue(label: "agent-chat.program")

    init(_ command: [String]) throws {
        _ = Self.ignoresBrokenPipes
        for _ in 0..<Self.ahead { room.signal() }
        // One at a time: a program must not get the pipes of another, whose end would then never be seen.
        let (input, output, group) = try Self.starting.withLock { _ in
            let (input, output) = (Pipe(), Pipe())
            for file in [input.fileHandleForWriting, output.fileHandleForReading] {
                _ = fcntl(file.fileDescriptor, F_SETFD, FD_CLOEXEC)
            }
            let group = try Self.spawn(
                command, input: input.fileHandleForReading.fileDescriptor,
                output: output.fileHandleForWriting.fileDescriptor)
            return (input, output, group)
        }
        self.group = group
        // The ends of the program are the program's alone.
        try? input.fileHandleForReading.close()
        try? output.fileHandleForWriting.close()
        self.input = input.fileHandleForWriting
        let (lines, feed) = AsyncStream<[UInt8]>.makeStream()
        self.lines = lines
        let reading = output.fileHandleForReading
        Thread.detachNewThread { [self] in
            read(reading, into: feed)
            feed.finish()
        }
        Thread.detachNewThread { [self] in
            var status: Int32 = 0
            while unsafe waitpid(group, &status, 0) < 0, errno == EINTR {}
            let ended = status
            state.withLock { $0.status = ended }
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
        while room.wait(timeout: .now() + 1) == .timedOut { if state.withLock({ $0.ending != nil }) { return false } }
        return true
    }

    /// Writes a line, as soon as the program reads.
    func write(_ json: JSON) {
        let (input, line) = (input, Data((json.description + "\n").utf8))
        writing.async { try? input.write(contentsOf: line) }
    }

    /// Waits for the end, which a program need not come to soon after it closed its output; nil if all went well, else
    /// how it ended.
    func failure() async throws -> String? {
        while true {
            if let status = state.withLock({ $0.status }) {
                let signal = status & 0x7f
                guard signal == 0 else { return "the program was ended by signal \(signal)" }
                let code = (status >> 8) & 0xff
                return code == 0 ? nil : "the program ended with status \(code)"
            }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    /// Asks the program and all that it started to end, and ends what is left a little later.
    @discardableResult func end() -> Task<Void, Never> {
        state.withLock { state in
            if let ending = state.ending { return ending }
            let (input, group) = (input, group)
            writing.async { try? input.close() }
            kill(-group, SIGTERM)
            let task = Task {
                let deadline = ContinuousClock.now + Self.grace
                // As long as one of the group is there, its number belongs to nobody else.
                while self.isAlive {
                    if ContinuousClock.now >= deadline {
                        kill(-group, SIGKILL)
                        return
                    }
                    try? await Task.sleep(for: .milliseconds(20))
                }
            }
            state.ending = task
            return task
        }
    }

    private var isAlive: Bool { kill(-group, 0) == 0 || errno == EPERM }
}

// The start.
extension ChildProgram {
    private static func spawn(_ command: [String], input: Int32, output: Int32) throws -> pid_t {
        #if canImport(Darwin)
            var actions: posix_spawn_file_actions_t?
            var attributes: posix_spawnattr_t?
            var flags = POSIX_SPAWN_CLOEXEC_DEFAULT
        #else
            var actions = unsafe posix_spawn_file_actions_t()
            var attributes = posix_spawnattr_t()
            var flags: Int32 = 0
        #endif
        unsafe posix_spawn_file_actions_init(&actions)
        unsafe posix_spawnattr_init(&attributes)
        defer {
            unsafe posix_spawn_file_actions_destroy(&actions)
            unsafe posix_spawnattr_destroy(&attributes)
        }
        unsafe posix_spawn_file_actions_adddup2(&actions, input, 0)
        unsafe posix_spawn_file_actions_adddup2(&actions, output, 1)
        #if canImport(Darwin)
            unsafe posix_spawn_file_actions_addinherit_np(&actions, 2)
        #endif
        var (mask, standard) = (sigset_t(), sigset_t())
        unsafe sigemptyset(&mask)
        unsafe sigemptyset(&standard)
        for number in [SIGTERM, SIGINT, SIGPIPE, SIGHUP, SIGQUIT] { unsafe sigaddset(&standard, number) }
        unsafe posix_spawnattr_setsigmask(&attributes, &mask)
        unsafe posix_spawnattr_setsigdefault(&attributes, &standard)
        unsafe posix_spawnattr_setpgroup(&attributes, 0)
        flags |= Int32(POSIX_SPAWN_SETPGROUP) | Int32(POSIX_SPAWN_SETSIGMASK) | Int32(POSIX_SPAWN_SETSIGDEF)
        unsafe posix_spawnattr_setflags(&attributes, Int16(flags))
        var arguments = unsafe command.map { unsafe strdup($0) } + [nil]
        defer { unsafe arguments.forEach { unsafe free($0) } }
        var process: pid_t = 0
        let error = unsafe posix_spawn(&process, command[0], &actions, &attributes, &arguments, environ)
        guard error == 0 else {
            throw AgentFailure("the program does not start: \(unsafe String(cString: strerror(error)))")
        }
        return process
    }
}
