import ChatModel
import ChatPlatform

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// The state machine that an endpoint drives: datagrams and time.
protocol DatagramMachine: Sendable {
    /// Receives a datagram.
    ///
    /// - Parameter local: the address that it was sent to; nil if there is only one.
    mutating func receive(
        _ bytes: Span<UInt8>, from peer: NetworkAddress, at local: NetworkAddress?, now: MonotonicInstant)
    mutating func tick(_ now: MonotonicInstant)
    mutating func write(into batch: inout DatagramBatch, now: MonotonicInstant)
    var wake: MonotonicInstant? { get }
}

/// A socket and a machine, and the thread that waits for both.
///
/// The thread blocks in poll(2), so nothing waits in Swift's pool of threads. Whoever asks the machine for something
/// sends what results itself, with the lock held: sending never blocks, and the thread is woken only when it would
/// sleep for too long. Datagrams of one peer share a system call in both directions where the system can do that.
/// `sendmmsg` and `recvmmsg` beside it gained less than the noise over loopback.
final class Endpoint<Machine: DatagramMachine>: Sendable {
    private struct State: Sendable {
        var machine: Machine
        var batch = DatagramBatch()
        /// Whether the machine had more to write than one turn takes.
        var hasMore = false
        /// Until when the thread sleeps; nil means for ever.
        var sleepsUntil: MonotonicInstant? = .zero
        var isClosed = false
    }

    /// Datagrams received before what results from them is sent: a few more, where they come in runs.
    private static var receiveBatch: Int { 64 }
    /// Batches sent before datagrams are received again.
    private static var sendBatches: Int { 4 }

    private let socket: DatagramSocket
    private let tap: EndpointTap?
    private let wakeReading: Int32
    private let wakeWriting: Int32
    private let state: Lock<State>

    /// Starts the thread.
    ///
    /// - Parameter tap: sees all datagrams.
    init(_ machine: Machine, on socket: DatagramSocket, tap: DatagramTap? = nil) throws(DeliveryError) {
        self.tap = EndpointTap(tap, own: socket.localAddress)
        var ends: [Int32] = [-1, -1]
        guard unsafe pipe(&ends) == 0 else {
            let reason = unsafe String(cString: strerror(errno))
            socket.shut()
            throw .startup("opening a pipe", reason: reason)
        }
        for end in ends {
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
        }
        (self.socket, wakeReading, wakeWriting) = (socket, ends[0], ends[1])
        state = Lock(State(machine: machine))
        startThread { [self] in run() }
    }

    /// Where the socket listens.
    var localAddress: NetworkAddress? { socket.localAddress }

    /// Lets the machine do something and sends what results.
    func perform<R: Sendable>(_ body: (inout Machine, MonotonicInstant) -> sending R) -> R {
        state.withLock { state in
            let now = MonotonicInstant.now
            let result = body(&state.machine, now)
            send(&state, now)
            let isLate = state.hasMore || isEarlier(state.machine.wake, than: state.sleepsUntil)
            if !state.isClosed, isLate { wakeThread(&state) }
            return result
        }
    }

    private func isEarlier(_ wake: MonotonicInstant?, than other: MonotonicInstant?) -> Bool {
        guard let wake else { return false }
        return other.map { wake < $0 } ?? true
    }

    /// Sends what is left and ends the thread, which closes the socket.
    ///
    /// - Parameter waits: whether to return only when that has happened, so that the port is free; a moment at most.
    func close(waits: Bool = false, _ body: (inout Machine, MonotonicInstant) -> Void) {
        let isFirst = state.withLock { state in
            guard !state.isClosed else { return false }
            let now = MonotonicInstant.now
            body(&state.machine, now)
            repeat { send(&state, now) } while state.hasMore
            state.isClosed = true
            wakeThread(&state)
            return true
        }
        guard isFirst else { return }
        // The pipe reports an error once the thread has closed its end, which is the last thing that it does.
        var end = [pollfd(fd: wakeWriting, events: 0, revents: 0)]
        if waits { _ = unsafe poll(&end, 1, 1_000) }
        _ = systemClose(wakeWriting)
    }

    /// With the lock held and before `isClosed` is set or with it, so that the pipe is still open.
    private func wakeThread(_ state: inout State) {
        state.sleepsUntil = .zero
        var byte: UInt8 = 1
        _ = unsafe write(wakeWriting, &byte, 1)
    }

    private func send(_ state: inout State, _ now: MonotonicInstant) {
        guard !state.isClosed else { return }
        for _ in 0..<Self.sendBatches {
            state.batch.removeAll()
            state.machine.write(into: &state.batch, now: now)
            tap?.sent(state.batch)
            socket.send(state.batch)
            state.hasMore = state.batch.isFull
            guard state.hasMore else { return }
        }
    }

    /// The thread.
    private func run() {
        var buffer = [UInt8](repeating: 0, count: DatagramSocket.longestRun)
        var sources = [
            pollfd(fd: socket.descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: wakeReading, events: Int16(POLLIN), revents: 0),
        ]
        var drain = [UInt8](repeating: 0, count: 64)
        while let wait = nextWait() {
            let count = unsafe poll(&sources, 2, wait)
            if count > 0, sources[1].revents != 0 { _ = unsafe read(wakeReading, &drain, drain.count) }
            state.withLock { state in
                state.sleepsUntil = .zero
                receive(&state, &buffer)
                let now = MonotonicInstant.now
                state.machine.tick(now)
                send(&state, now)
            }
        }
        socket.shut()
        _ = systemClose(wakeReading)
    }

    /// Milliseconds to sleep, -1 for ever; nil once it is over.
    private func nextWait() -> Int32? {
        state.withLock { state in
            guard !state.isClosed else { return nil }
            state.sleepsUntil = state.hasMore ? .zero : state.machine.wake
            guard let wake = state.sleepsUntil else { return -1 }
            return Int32(clamping: wake.since(.now).milliseconds)
        }
    }

    private func receive(_ state: inout State, _ buffer: inout [UInt8]) {
        guard !state.isClosed else { return }
        let now = MonotonicInstant.now
        var received = 0
        while received < Self.receiveBatch, let run = socket.receive(into: &buffer) {
            var start = 0
            repeat {
                let end = min(start + max(1, run.segment), run.count)
                let datagram = buffer.span.extracting(start..<end)
                tap?.received(datagram, from: run.peer, at: run.local)
                state.machine.receive(datagram, from: run.peer, at: run.local, now: now)
                (start, received) = (end, received + 1)
            } while start < run.count
        }
    }
}

private func systemClose(_ descriptor: Int32) -> Int32 { close(descriptor) }
