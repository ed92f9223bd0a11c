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

        /// What it counts for.
        var bytes: Int {
            switch self {
            case .text(let buffer): buffer.readableBytes
            case .ping, .pong: 125
            case .close: 0
            }
        }
    }

    private struct State {
        var items: [Item] = []
        var bytes = 0
        var isClosed = false
        var heard = ContinuousClock.now
        var writer: CheckedContinuation<[Item]?, Never>?
    }

    /// What is handed to the connection at once, in bytes, so that what waits is counted here and not in its buffers.
    private static let batch = 256 << 10

    private let limit: Int
    private let backlog: Backlog
    private let state = Lock(State())

    /// What waits counts against a bound of its own, and against the one of all.
    init(limit: Int, backlog: Backlog = Backlog(limit: .max)) { (self.limit, self.backlog) = (limit, backlog) }

    /// Bytes that wait.
    var waiting: Int { state.withLock { $0.bytes } }

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
        add(.text(frame))
        backlog.relieve()
    }

    /// Sends a ping or a pong.
    func push(_ control: Item) { add(control) }

    /// Ends the socket behind what waits, or at once. The first code counts.
    func close(_ code: WebSocketErrorCode, dropping: Bool = false) {
        if dropping { drop() }
        add(.close(code), isLast: true)
    }

    /// Forgets what waits, but for a close.
    private func drop() {
        let dropped = state.withLock { state in
            defer { state.bytes = 0 }
            state.items.removeAll { if case .close = $0 { false } else { true } }
            return state.bytes
        }
        backlog.change(by: -dropped)
    }

    private func add(_ item: Item, isLast: Bool = false) {
        let (writer, waits) = state.withLock { state -> (CheckedContinuation<[Item]?, Never>?, Int) in
            guard !state.isClosed else { return (nil, 0) }
            state.isClosed = isLast
            if let writer = state.writer {
                state.writer = nil
                return (writer, 0)
            }
            state.items.append(item)
            state.bytes += item.bytes
            return (nil, item.bytes)
        }
        if waits > 0 { backlog.change(by: waits) }
        // Whoever waits for something has nothing waiting for it.
        writer?.resume(returning: [item])
    }

    /// What waits, as much of it as is sent at once, as soon as something does; nil after the end. One task reads.
    func next() async -> [Item]? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let (isReady, items, bytes) = state.withLock { state -> (Bool, [Item]?, Int) in
                    if !state.items.isEmpty {
                        let (items, bytes) = Self.take(from: &state)
                        return (true, items, bytes)
                    }
                    if state.isClosed || Task.isCancelled { return (true, nil, 0) }
                    state.writer = continuation
                    return (false, nil, 0)
                }
                if bytes > 0 { backlog.change(by: -bytes) }
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

    private static func take(from state: inout State) -> ([Item], Int) {
        guard state.bytes > batch else {
            defer { (state.items, state.bytes) = ([], 0) }
            return (state.items, state.bytes)
        }
        var (count, bytes) = (0, 0)
        while count < state.items.count, bytes < batch {
            bytes += state.items[count].bytes
            count += 1
        }
        defer {
            state.items.removeFirst(count)
            state.bytes -= bytes
        }
        return (Array(state.items.prefix(count)), bytes)
    }
}
