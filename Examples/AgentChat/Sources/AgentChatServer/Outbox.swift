import ChatModel
import NIOCore
import NIOWebSocket

/// What waits for one socket, in order and within a bound; and what is known of the client behind it.
final class Outbox: Sendable {
    /// What a socket sends next.
    enum Item: Sendable {
        case text(ByteBuffer)
        case ping, pong(ByteBuffer)
        case close(WebSocketErrorCode)
    }

    private struct State {
        var items: [Item] = []
        var bytes = 0
        var isClosed = false
        var heard = ContinuousClock.now
        var writer: CheckedContinuation<[Item]?, Never>?
    }

    private let limit: Int
    private let state = Lock(State())

    init(limit: Int) { self.limit = limit }

    /// Whether nothing is taken any more.
    var isClosed: Bool { state.withLock { $0.isClosed } }

    /// How long nothing came.
    var silence: Duration { state.withLock { $0.heard.duration(to: .now) } }

    /// Something came.
    func hear() { state.withLock { $0.heard = .now } }

    /// Sends a frame; a socket with too much waiting is closed instead, and a resume makes up for what it missed.
    func push(_ frame: ByteBuffer) {
        let isFull = state.withLock { $0.bytes + frame.readableBytes > limit }
        guard !isFull else { return close(.unknown(1013), dropping: true) }
        add(.text(frame), bytes: frame.readableBytes)
    }

    /// Sends a ping or a pong.
    func push(_ control: Item) { add(control, bytes: 125) }

    /// Ends the socket behind what waits, or at once. The first code counts.
    func close(_ code: WebSocketErrorCode, dropping: Bool = false) {
        state.withLock { if dropping, !$0.isClosed { ($0.items, $0.bytes) = ([], 0) } }
        add(.close(code), bytes: 0, isLast: true)
    }

    private func add(_ item: Item, bytes: Int, isLast: Bool = false) {
        let (writer, items) = state.withLock { state -> (CheckedContinuation<[Item]?, Never>?, [Item]) in
            guard !state.isClosed else { return (nil, []) }
            state.isClosed = isLast
            state.items.append(item)
            state.bytes += bytes
            guard let writer = state.writer else { return (nil, []) }
            defer { (state.writer, state.items, state.bytes) = (nil, [], 0) }
            return (writer, state.items)
        }
        writer?.resume(returning: items)
    }

    /// All that waits, as soon as something does; nil after the end. One task reads.
    func next() async -> [Item]? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let (isReady, items) = state.withLock { state -> (Bool, [Item]?) in
                    if !state.items.isEmpty {
                        defer { (state.items, state.bytes) = ([], 0) }
                        return (true, state.items)
                    }
                    if state.isClosed || Task.isCancelled { return (true, nil) }
                    state.writer = continuation
                    return (false, nil)
                }
                if isReady { continuation.resume(returning: items) }
            }
        } onCancel: {
            let writer = state.withLock { state in
                defer { state.writer = nil }
                return state.writer
            }
            writer?.resume(returning: nil)
        }
    }
}
