import ChatEngine
import ChatModel
import NIOCore
import Synchronization

/// What waits between a backend and its client. Nothing is dropped or reordered; whoever
/// fills it waits while it is full.
final class Outbox: Sendable {
    private struct State {
        var bytes = ByteBuffer()
        var pressure = BackPressure()
        var lastTaken = now()
        var isFinished = false
        var isClosed = false
        var reader: CheckedContinuation<Void, Never>?
        var writer: CheckedContinuation<Void, Never>?

        mutating func wakeBoth() {
            reader?.resume()
            writer?.resume()
            (reader, writer) = (nil, nil)
        }
    }

    private let state = Mutex(State())

    /// Adds lines.
    func add(_ lines: ByteBuffer) {
        state.withLock { state in
            guard !state.isClosed else { return }
            state.bytes.writeImmutableBuffer(lines)
            state.pressure.push(lines.readableBytes, at: now())
            state.reader?.resume()
            state.reader = nil
        }
    }

    /// Waits until the backend may be read; false where the client is gone.
    func hasRoom() async -> Bool {
        while true {
            let (isClosed, isReading) = state.withLock { ($0.isClosed, $0.pressure.isReading) }
            if isClosed || isReading { return !isClosed }
            await withCheckedContinuation { continuation in
                let mayGoOn = state.withLock { state in
                    guard !state.isClosed, !state.pressure.isReading else { return true }
                    state.writer = continuation
                    return false
                }
                if mayGoOn { continuation.resume() }
            }
        }
    }

    /// The next bytes for the client, some at a time; nil at the end.
    func next(atMost count: Int) async -> ByteBuffer? {
        while true {
            let (bytes, isOver) = state.withLock { state -> (ByteBuffer?, Bool) in
                let waiting = state.bytes.readableBytes
                if waiting > 0, !state.isClosed {
                    let bytes = state.bytes.readSlice(length: min(count, waiting))
                    state.bytes.discardReadBytes()
                    return (bytes, false)
                }
                return (nil, state.isFinished || state.isClosed)
            }
            if bytes != nil || isOver { return bytes }
            await withCheckedContinuation { continuation in
                let mayGoOn = state.withLock { state in
                    guard !state.isFinished, !state.isClosed, state.bytes.readableBytes == 0 else { return true }
                    state.reader = continuation
                    return false
                }
                if mayGoOn { continuation.resume() }
            }
        }
    }

    /// The client took some bytes.
    func taken(_ count: Int) {
        state.withLock { state in
            state.lastTaken = now()
            state.pressure.pop(count, at: state.lastTaken)
            guard state.pressure.isReading else { return }
            state.writer?.resume()
            state.writer = nil
        }
    }

    /// Nothing more will come.
    func finish() {
        state.withLock { state in
            state.isFinished = true
            state.wakeBoth()
        }
    }

    /// The client is gone: what waits for it is dropped.
    func close() {
        state.withLock { state in
            state.isClosed = true
            state.bytes = ByteBuffer()
            state.wakeBoth()
        }
    }

    /// Whether the client has taken nothing for a minute, while all is here or nothing more fits.
    func isStalled(at time: Timestamp) -> Bool {
        state.withLock { state in
            if let deadline = state.pressure.deadline, deadline <= time { return true }
            return state.isFinished && state.lastTaken + state.pressure.patience <= time
        }
    }
}
