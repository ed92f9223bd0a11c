import AgentChat
import ChatCodec
import ChatModel
import NIOCore
import NIOWebSocket

/// One WebSocket: its texts go to the room one after the other, what the room has for it goes out.
///
/// A socket that reads slowly slows nobody else down, one that sends fast is read no faster than its chat stores. The
/// close codes are those of `Specs/agent-chat.md`; a frame against RFC 6455 closes with 1002.
struct Socket: Sendable {
    private let channel: SocketChannel
    private let room: Room
    private let limits: Limits
    private let log: Log
    private let backlog: Backlog
    private let outbox: Outbox

    init(_ channel: SocketChannel, room: Room, house: House) {
        (self.channel, self.room, limits, log, backlog) = (channel, room, house.limits, house.log, house.backlog)
        outbox = Outbox(limit: house.limits.waiting, backlog: house.backlog)
    }

    /// Closes a socket whose chat cannot be read.
    static func refuse(_ channel: SocketChannel) async {
        try? await channel.executeThenClose { _, outbound in
            try await outbound.write(frame(.close(.unexpectedServerError)))
        }
    }

    func run() async {
        let fields: [(String, JSON)] = [("chat", .string(room.chat.text))]
        log("socket_opened", fields)
        backlog.enter(outbox)
        // A connection that is lost is no error of the service.
        try? await channel.executeThenClose { inbound, outbound in
            if await !room.join(outbox) { outbox.close(.unknown(1013)) }
            await withTaskGroup(of: Half.self) { group in
                group.addTask {
                    await write(outbound)
                    return .writing
                }
                group.addTask {
                    await read(inbound)
                    return .reading
                }
                group.addTask {
                    await watch()
                    return .watching
                }
                await end(&group)
                group.cancelAll()
            }
        }
        backlog.leave(outbox)
        await room.leave(outbox)
        log("socket_closed", fields)
    }

    /// Two halves of a connection, and how long one waits for the other.
    private enum Half { case reading, writing, watching, patience }

    /// Whatever ends first, the rest has a while to end well: what waits, the close frame, and the other side's.
    private func end(_ group: inout TaskGroup<Half>) async {
        var open: Set<Half> = [.reading, .writing]
        if let first = await group.next() { open.remove(first) }
        outbox.close(.normalClosure)
        group.addTask {
            try? await Task.sleep(for: .seconds(3))
            return .patience
        }
        while !open.isEmpty, let half = await group.next(), half != .patience { open.remove(half) }
    }

    private func write(_ outbound: NIOAsyncChannelOutboundWriter<WebSocketFrame>) async {
        while let items = await outbox.next() {
            do { try await outbound.write(contentsOf: items.map(Self.frame)) } catch { return }
        }
    }

    private static func frame(_ item: Outbox.Item) -> WebSocketFrame {
        switch item {
        case .text(let buffer): return WebSocketFrame(fin: true, opcode: .text, data: buffer)
        case .ping: return WebSocketFrame(fin: true, opcode: .ping, data: ByteBuffer())
        case .pong(let buffer): return WebSocketFrame(fin: true, opcode: .pong, data: buffer)
        case .close(let code):
            var buffer = ByteBuffer()
            buffer.write(webSocketErrorCode: code)
            return WebSocketFrame(fin: true, opcode: .connectionClose, data: buffer)
        }
    }

    private func read(_ inbound: NIOAsyncChannelInboundStream<WebSocketFrame>) async {
        var assembly = Assembly(limit: limits.frame)
        do {
            for try await frame in inbound {
                outbox.hear()
                switch assembly.take(frame) {
                case .nothing: break
                case .ping(let data): outbox.push(.pong(data))
                case .text(let bytes): await room.receive(Bytes(bytes), from: outbox)
                // What still comes is read and thrown away until the other side closes, or the time is up.
                case .over(let code): outbox.close(code)
                }
                if frame.opcode == .connectionClose { return }
            }
        } catch { outbox.close(.protocolError) }
    }

    /// Pings, and gives a silent socket up; returns when the socket ends.
    private func watch() async {
        var pause = Duration.zero
        while !outbox.isClosed {
            guard (try? await Task.sleep(for: .seconds(1))) != nil else { return }
            pause += .seconds(1)
            if outbox.silence > limits.silence { outbox.close(.unknown(1013), dropping: true) }
            guard pause >= limits.ping else { continue }
            outbox.push(.ping)
            pause = .zero
        }
    }
}

/// Frames put together to texts, by the rules of RFC 6455.
struct Assembly {
    /// What a frame comes to.
    enum Result: Equatable {
        case nothing
        case ping(ByteBuffer)
        case text([UInt8])
        case over(WebSocketErrorCode)
    }

    private let limit: Int
    private var pieces: [UInt8]?
    private var isOver = false

    init(limit: Int) { self.limit = limit }

    mutating func take(_ frame: WebSocketFrame) -> Result {
        guard !isOver else { return .nothing }
        let result = check(frame)
        if case .over = result { isOver = true }
        return result
    }

    private mutating func check(_ frame: WebSocketFrame) -> Result {
        // A client masks, and no extension was agreed on.
        guard frame.maskKey != nil, !frame.rsv1, !frame.rsv2, !frame.rsv3 else { return .over(.protocolError) }
        let data = frame.unmaskedData
        switch frame.opcode {
        case .text where pieces == nil: pieces = Array(data.readableBytesView)
        case .continuation where pieces != nil:
            guard (pieces?.count ?? 0) + data.readableBytes <= limit else { return .over(.messageTooLarge) }
            pieces? += Array(data.readableBytesView)
        case .ping: return .ping(data)
        case .pong: return .nothing
        case .connectionClose: return .over(Self.answer(to: data))
        case .binary: return .over(.unacceptableData)
        default: return .over(.protocolError)
        }
        guard frame.fin, let whole = pieces else { return .nothing }
        pieces = nil
        return String(validating: whole, as: UTF8.self) == nil ? .over(.dataInconsistentWithMessage) : .text(whole)
    }

    /// A close is answered by the same code, one that must not be sent by 1002.
    private static func answer(to data: ByteBuffer) -> WebSocketErrorCode {
        var data = data
        guard data.readableBytes > 0 else { return .normalClosure }
        guard let code = data.readWebSocketErrorCode() else { return .protocolError }
        let number = UInt16(webSocketErrorCode: code)
        let isAllowed = (1000...1014).contains(number) && ![1004, 1005, 1006].contains(number)
        return isAllowed || (3000...4999).contains(number) ? code : .protocolError
    }
}
