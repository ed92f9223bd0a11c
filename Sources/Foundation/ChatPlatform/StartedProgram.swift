import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A program that has just been started, with its standard input and output in our hands.
package struct StartedProgram: Sendable {
    /// The process's number.
    package let id: Int32
    /// Where its standard input is written.
    package let input: Int32
    /// Where its standard output is read.
    package let output: Int32

    /// Starts a command, which is looked up in the search path.
    ///
    /// - Parameter isNonblocking: whether its standard input and output answer `EAGAIN` instead of waiting, as pipes
    ///   that come from an event loop do.
    package init(
        _ command: [String], environment: [String] = currentEnvironment(), joinsErrors: Bool = false,
        isNonblocking: Bool = false
    ) throws(ProcessFailure) {
        // A child that has ended is noticed by its output's end and not by a signal to us.
        ignoreBrokenPipes()
        let program = try Self.starting.withLock { _ throws(ProcessFailure) in
            try Self.start(command, environment, joinsErrors: joinsErrors, isNonblocking: isNonblocking)
        }
        (id, input, output) = program
    }

    /// Held while a program starts: another one started meanwhile would keep the ends of this one's pipes open.
    private static let starting = Mutex(())

    private static func start(
        _ command: [String], _ environment: [String], joinsErrors: Bool, isNonblocking: Bool
    ) throws(ProcessFailure) -> (id: Int32, input: Int32, output: Int32) {
        let toChild = try Self.pipeEnds()
        let fromChild: (reading: Int32, writing: Int32)
        do throws(ProcessFailure) { fromChild = try Self.pipeEnds() } catch {
            for end in [toChild.reading, toChild.writing] { close(end) }
            throw error
        }
        defer { for end in [toChild.reading, fromChild.writing] { close(end) } }
        if isNonblocking { for end in [toChild.reading, fromChild.writing] { setNonblocking(end) } }
        var redirections = [(toChild.reading, STDIN_FILENO), (fromChild.writing, STDOUT_FILENO)]
        if joinsErrors { redirections.append((fromChild.writing, STDERR_FILENO)) }
        do throws(ProcessFailure) {
            return (try Self.spawn(command, environment, redirections), toChild.writing, fromChild.reading)
        } catch {
            for end in [toChild.writing, fromChild.reading] { close(end) }
            throw error
        }
    }

    private static func pipeEnds() throws(ProcessFailure) -> (reading: Int32, writing: Int32) {
        var ends: [Int32] = [-1, -1]
        guard unsafe pipe(&ends) == 0 else { throw ProcessFailure("no pipe left; close some files") }
        // No other child may keep an end open.
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (ends[0], ends[1])
    }

    private static func spawn(
        _ command: [String], _ environment: [String], _ redirections: [(Int32, Int32)]
    ) throws(ProcessFailure) -> Int32 {
        #if canImport(Darwin)
            var actions: posix_spawn_file_actions_t?
            var attributes: posix_spawnattr_t?
        #else
            var actions = unsafe posix_spawn_file_actions_t()
            var attributes = posix_spawnattr_t()
        #endif
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        for (from, to) in redirections { unsafe posix_spawn_file_actions_adddup2(&actions, from, to) }
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        // A child would inherit that this thread hears no signals, and that nobody here hears SIGPIPE.
        var (none, pipe) = (sigset_t(), sigset_t())
        unsafe sigemptyset(&none)
        unsafe sigemptyset(&pipe)
        unsafe sigaddset(&pipe, SIGPIPE)
        unsafe posix_spawnattr_setsigmask(&attributes, &none)
        unsafe posix_spawnattr_setsigdefault(&attributes, &pipe)
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        var argv = unsafe command.map { unsafe strdup($0) } + [nil]
        var envp = unsafe environment.map { unsafe strdup($0) } + [nil]
        defer { unsafe (argv + envp).forEach { unsafe free($0) } }
        guard let file = unsafe argv[0] else { throw ProcessFailure("an empty command cannot be started") }
        var id: pid_t = 0
        let result = unsafe posix_spawnp(&id, file, &actions, &attributes, &argv, &envp)
        guard result == 0 else {
            throw ProcessFailure("cannot start \(command[0]): \(unsafe String(cString: strerror(result)))")
        }
        return id
    }
}

/// Why a program could not be started.
package struct ProcessFailure: Error, CustomStringConvertible {
    /// One line for people.
    package let description: String

    init(_ description: String) { self.description = description }
}

/// The end of a process that this one started, which is noticed before its number is free for another one.
package final class ProcessEnd: Sendable {
    private let id: Int32
    private let hasEnded = Mutex(false)

    /// Of the process of that number.
    package init(_ id: Int32) { self.id = id }

    /// Sends it a signal by its number, if it has not ended.
    package func send(signal number: Int32) {
        hasEnded.withLock { if !$0 { systemKill(id, number) } }
    }

    /// Ends it at once, if it has not ended.
    package func kill() { send(signal: SIGKILL) }

    /// Blocks this thread until it has ended: its exit code, or 128 and the signal that ended it. To be called once.
    package func wait() -> Int32 {
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

// The name of the method hides this.
private func systemKill(_ id: Int32, _ number: Int32) { kill(id, number) }
