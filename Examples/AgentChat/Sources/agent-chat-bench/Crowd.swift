import ChatModel
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOWebSocket

/// Clients of a host, each with a socket of its own, in few threads.
final class Crowd: Sendable {
    private let kind: Host.Kind
    private let stream: Stream
    private let port: Int
    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    private let members = Lock<[any Channel]>([])
    private let heard = Lock<[UInt32]>([])

    init(_ kind: Host.Kind, _ stream: Stream, port: Int) { (self.kind, self.stream, self.port) = (kind, stream, port) }

    /// How old each delta was when it came, in microseconds.
    var delays: [UInt32] { heard.withLock { $0 } }

    struct Refused: Error {}

    /// Connects all.
    func enter(_ chats: [String]) async throws {
        for number in 0..<stream.sockets {
            let chat = number < chats.count ? chats[number] : "echo"
            let channel = try await connect(chat)
            members.withLock { $0.append(channel) }
        }
    }

    /// Lets all begin, and waits for the last delta of the last.
    func stream() async throws {
        let channels = members.withLock { $0 }
        try await withThrowingTaskGroup(of: [UInt32].self) { tasks in
            for channel in channels {
                let ends = channel.eventLoop.makePromise(of: [UInt32].self)
                channel.triggerUserOutboundEvent(Begin(ends: ends), promise: nil)
                tasks.addTask { try await ends.futureResult.get() }
            }
            for try await delays in tasks { heard.withLock { $0 += delays } }
        }
    }

    func leave() async {
        for channel in members.withLock({ $0 }) { channel.close(promise: nil) }
        try? await group.shutdownGracefully()
    }

    private func connect(_ chat: String) async throws -> any Channel {
        let (kind, stream) = (kind, stream)
        let head = HTTPRequestHead(
            version: .http1_1, method: .GET, uri: "/api/v2/chat/\(chat)", headers: ["Host": "127.0.0.1:\(port)"])
        let result = try await ClientBootstrap(group: group)
            .channelOption(.socketOption(.tcp_nodelay), value: 1)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    let upgrader = NIOTypedWebSocketClientUpgrader<(any Channel)?>(
                        upgradePipelineHandler: { channel, _ in
                            channel.eventLoop.makeCompletedFuture {
                                try channel.pipeline.syncOperations.addHandler(Listener(kind, stream, chat))
                                return channel
                            }
                        })
                    let configuration = NIOTypedHTTPClientUpgradeConfiguration<(any Channel)?>(
                        upgradeRequestHead: head, upgraders: [upgrader],
                        notUpgradingCompletionHandler: { $0.eventLoop.makeSucceededFuture(nil) })
                    return try channel.pipeline.syncOperations.configureUpgradableHTTPClientPipeline(
                        configuration: .init(upgradeConfiguration: configuration))
                }
            }
        guard let channel = try await result.get() else { throw Refused() }
        return channel
    }
}

/// Told to a socket that is to begin.
private struct Begin: Sendable {
    let ends: EventLoopPromise<[UInt32]>
}

/// One client: of the service it asks for one answer; to the echo it says at the same pace what the agent would.
private final class Listener: ChannelDuplexHandler {
    typealias InboundIn = WebSocketFrame
    typealias OutboundIn = WebSocketFrame
    typealias OutboundOut = WebSocketFrame

    /// Frames that are on their way to the echo where there is no pause.
    private static let window = 16

    private let kind: Host.Kind
    private let stream: Stream
    private let chat: String
    private var ends: EventLoopPromise<[UInt32]>?
    private var delays: [UInt32] = []
    private var said = 0
    private var ticking: RepeatedTask?

    init(_ kind: Host.Kind, _ stream: Stream, _ chat: String) {
        (self.kind, self.stream, self.chat) = (kind, stream, chat)
    }

    func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
        guard let begin = event as? Begin else { return context.triggerUserOutboundEvent(event, promise: promise) }
        ends = begin.ends
        delays.reserveCapacity(stream.deltas)
        guard kind == .echo else {
            let message = #"{"id":"m1","role":"user","parts":[{"type":"text","text":"go"}]}"#
            send(
                #"{"type":"run","data":{"id":"\#(chat)","message":\#(message),"vaultItems":[],"timezone":"UTC"}}"#,
                context)
            return
        }
        guard stream.pause > .zero else {
            for _ in 0..<Self.window { say(context) }
            return
        }
        let pause = TimeAmount.nanoseconds(Int64(stream.pause / .nanoseconds(1)))
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        ticking = context.eventLoop.scheduleRepeatedTask(initialDelay: pause, delay: pause) { _ in
            bound.value.0.say(bound.value.1)
        }
    }

    /// A delta as the service writes it.
    private func say(_ context: ChannelHandlerContext) {
        guard said < stream.deltas else {
            ticking?.cancel()
            return
        }
        said += 1
        send(
            #"{"type":"stream","message_id":"s0123456789abcdef","delta":{"type":"text","text":"\#(Stamp.text())","#
                + #""state":"streaming"},"job_id":"s0123456789abcdef","seq":\#(said)}"#, context)
    }

    private func send(_ text: String, _ context: ChannelHandlerContext) {
        let frame = WebSocketFrame(fin: true, opcode: .text, maskKey: .random(), data: ByteBuffer(string: text))
        context.writeAndFlush(wrapOutboundOut(frame), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame = unwrapInboundIn(data)
        guard frame.opcode == .text, let age = Stamp.age(in: frame.data.readableBytesView) else { return }
        delays.append(age)
        if kind == .echo, stream.pause == .zero { say(context) }
        if delays.count == stream.deltas { end() }
    }

    func channelInactive(context: ChannelHandlerContext) {
        ticking?.cancel()
        ends?.fail(ChannelError.eof)
        ends = nil
        context.fireChannelInactive()
    }

    private func end() {
        ticking?.cancel()
        ends?.succeed(delays)
        ends = nil
    }
}
