import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Signals that a program wants to hear instead of being ended by them.
///
/// A handler may do next to nothing, so ours writes the number into a pipe and a thread that waits
/// reads it there. Watch before other threads start; a second call replaces nothing and adds signals.
package struct Signals: Sendable {
    /// A signal.
    package enum Signal: UInt8, Sendable, CaseIterable {
        /// Control-C.
        case interrupt
        /// A polite request to end.
        case terminate
        /// What the program says it means: statistics.
        case user1

        fileprivate var number: Int32 {
            switch self {
            case .interrupt: SIGINT
            case .terminate: SIGTERM
            case .user1: SIGUSR1
            }
        }
    }

    private let reading: Int32

    /// Begins to watch; nil if the system has no pipe left.
    package init?(_ signals: [Signal]) {
        var ends: [Int32] = [-1, -1]
        guard unsafe pipe(&ends) == 0 else { return nil }
        reading = ends[0]
        writingEnd.store(ends[1], ordering: .sequentiallyConsistent)
        // A parent may have blocked them, and a child inherits that.
        var watched = sigset_t()
        unsafe sigemptyset(&watched)
        for one in signals {
            signal(one.number, handle)
            unsafe sigaddset(&watched, one.number)
        }
        unsafe pthread_sigmask(SIG_UNBLOCK, &watched, nil)
    }

    /// Blocks this thread until a signal comes: for a program's main thread.
    package func wait() -> Signal {
        while true {
            var number: UInt8 = 0
            let count = unsafe read(reading, &number, 1)
            if count == 1, let known = Signal.allCases.first(where: { $0.number == Int32(number) }) { return known }
            // A closed pipe cannot happen, for we hold both ends; do not spin if it does.
            if count == 0 { sleep(1) }
        }
    }

    /// Blocks this thread until something can be read, or a signal comes, which is given then.
    package func waitForInput(_ descriptor: Int32) -> Signal? {
        waitUntilOneIsReady([(descriptor, .reading), (reading, .reading)])[1] ? wait() : nil
    }

    /// The signals for a program that is asynchronous; a thread of its own waits for them.
    package func stream() -> AsyncStream<Signal> {
        let (stream, continuation) = AsyncStream.makeStream(of: Signal.self, bufferingPolicy: .bufferingNewest(16))
        startThread { [self] in
            while true {
                if case .terminated = continuation.yield(wait()) { return }
            }
        }
        return stream
    }
}

private let writingEnd = Atomic<Int32>(-1)

/// Runs inside the signal: one system call, errno kept.
private func handle(_ number: Int32) {
    let saved = errno
    var byte = UInt8(truncatingIfNeeded: number)
    _ = unsafe write(writingEnd.load(ordering: .sequentiallyConsistent), &byte, 1)
    errno = saved
}
