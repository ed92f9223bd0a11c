import ChatModel
import NIOWebSocket

/// What waits for all sockets together, within a bound: beyond it the one for which most waits gives way.
///
/// Each socket has a bound of its own; many slow readers together would still hold more memory than there is.
final class Backlog: Sendable {
    private struct State {
        var bytes = 0
        var outboxes: [ObjectIdentifier: Outbox] = [:]
    }

    private let limit: Int
    private let state = Lock(State())
    /// One relief at a time, so that no more sockets give way than have to.
    private let turn = Lock(())

    init(limit: Int) { self.limit = limit }

    /// Bytes that wait for all.
    var bytes: Int { state.withLock { $0.bytes } }

    /// A socket came.
    func enter(_ outbox: Outbox) { state.withLock { $0.outboxes[ObjectIdentifier(outbox)] = outbox } }

    /// A socket is gone; nothing waits for it any more.
    func leave(_ outbox: Outbox) {
        outbox.close(.goingAway, dropping: true)
        state.withLock { _ = $0.outboxes.removeValue(forKey: ObjectIdentifier(outbox)) }
    }

    /// More or less waits.
    func change(by bytes: Int) { state.withLock { $0.bytes += bytes } }

    /// Closes sockets, the heaviest first, until what waits is within the bound.
    func relieve() {
        guard bytes > limit else { return }
        turn.withLock { _ in
            while bytes > limit {
                let outboxes = state.withLock { Array($0.outboxes.values) }
                let heaviest = outboxes.map { (outbox: $0, bytes: $0.waiting) }.max { $0.bytes < $1.bytes }
                guard let heaviest, heaviest.bytes > 0 else { return }
                heaviest.outbox.close(.unknown(1013), dropping: true)
            }
        }
    }
}
