import ChatEngine
import NIOCore
import Synchronization

/// An answer under way, as its client's connection sees it: whether it has begun, its lines, and a way to cut it.
final class Answer: Sendable {
    /// Why an answer ends before its backend ends it.
    enum Cut: Sendable {
        /// The client closed, or takes nothing.
        case closed
        /// The time is over.
        case timedOut
        /// The engine stops.
        case stopped
    }

    private struct State {
        var cut: Cut?
        var reading: Task<Void, Never>?
    }

    /// The lines for the client.
    let outbox = Outbox()
    private let state = Mutex(State())
    private let begun: AsyncStream<ErrorBody?>
    private let begin: AsyncStream<ErrorBody?>.Continuation

    init() { (begun, begin) = AsyncStream.makeStream() }

    /// Waits until the backend's head was accepted; throws what failed before that.
    func beginning() async throws(ErrorBody) {
        var iterator = begun.makeAsyncIterator()
        if let error = await iterator.next() ?? nil { throw error }
    }

    /// The stream begins.
    func start() {
        begin.yield(nil)
        begin.finish()
    }

    /// There is no stream.
    func refuse(_ error: ErrorBody) {
        begin.yield(error)
        begin.finish()
        outbox.finish()
    }

    /// Why it was cut, if it was.
    var cut: Cut? { state.withLock { $0.cut } }

    /// Cuts it; the first reason counts.
    func cut(_ cut: Cut) {
        let reading = state.withLock { state -> Task<Void, Never>? in
            guard state.cut == nil else { return nil }
            state.cut = cut
            return state.reading
        }
        if cut == .closed { outbox.close() }
        reading?.cancel()
    }

    /// Reads the backend in a task that a cut cancels.
    func read(_ body: @escaping @Sendable () async -> Void) async {
        let reading = Task { await body() }
        let isCut = state.withLock { state in
            state.reading = reading
            return state.cut != nil
        }
        if isCut { reading.cancel() }
        await reading.value
    }
}
