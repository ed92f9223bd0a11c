import AgentChat
import NIOCore
import NIOHTTP1
import NIOWebSocket

/// How a connection becomes a request or a socket, within limits of number, size and time.
struct Door: Sendable {
    let house: House
    let gate: Gate
    let sockets: Slots
    let connections: Slots

    init(house: House, gate: Gate) {
        (self.house, self.gate) = (house, gate)
        sockets = Slots(house.limits.sockets)
        connections = Slots(house.limits.sockets + house.limits.requests)
    }

    /// The pipeline of a connection; it has so much time until its request is answered or it is a socket.
    func configure(_ channel: any Channel) throws -> EventLoopFuture<Server.Connection> {
        guard connections.take() else { throw ChannelError.operationUnsupported }
        channel.closeFuture.whenComplete { _ in connections.give() }
        let seconds = TimeAmount.nanoseconds(Int64(house.limits.requestTime / .nanoseconds(1)))
        let deadline = channel.eventLoop.scheduleTask(in: seconds) { channel.close(promise: nil) }
        channel.closeFuture.whenComplete { _ in deadline.cancel() }

        let upgrader = NIOTypedWebSocketServerUpgrader<Server.Connection>(
            maxFrameSize: house.limits.frame,
            shouldUpgrade: { channel, _ in channel.eventLoop.makeSucceededFuture(HTTPHeaders()) },
            upgradePipelineHandler: { channel, head in
                channel.eventLoop.makeCompletedFuture {
                    deadline.cancel()
                    guard let chat = Request(head).chat else { throw ChannelError.inappropriateOperationForState }
                    let marks = NIOAsyncSequenceProducerBackPressureStrategies.HighLowWatermark(
                        lowWatermark: 1, highWatermark: 2)
                    let socket = try SocketChannel(
                        wrappingChannelSynchronously: channel, configuration: .init(backPressureStrategy: marks))
                    return .socket(socket, chat: chat)
                }
            })
        let configuration = NIOTypedHTTPServerUpgradeConfiguration<Server.Connection>(
            upgraders: [upgrader],
            notUpgradingCompletionHandler: { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(ResponseBytes())
                    return .http(try HTTPChannel(wrappingChannelSynchronously: channel))
                }
            })
        let pipeline = channel.pipeline.syncOperations
        let connection = try pipeline.configureUpgradableHTTPServerPipeline(
            configuration: .init(upgradeConfiguration: configuration))
        let upgrading = try pipeline.handler(type: NIOTypedHTTPServerUpgradeHandler<Server.Connection>.self)
        try pipeline.addHandler(Doorman(self), position: .before(upgrading))
        return connection
    }

    /// Lets a socket in, or leaves the request to HTTP, which says why not.
    fileprivate func admits(_ head: HTTPRequestHead, on channel: any Channel) -> Bool {
        let request = Request(head)
        guard head.headers["sec-websocket-version"] == ["13"], head.headers["sec-websocket-key"].count == 1,
            gate.isOwn(head), let chat = request.chat, house.has(chat),
            gate.admits(head) || request.query["ticket"].map({ gate.redeem($0, for: chat) }) == true, sockets.take()
        else { return false }
        channel.closeFuture.whenComplete { _ in sockets.give() }
        return true
    }
}

/// Turns a request for a socket that is not let in into a request of HTTP.
///
/// NIO has a way to refuse an upgrade, behind which the request gets no answer; so it is not asked. The first head is all
/// that it looks at: a connection has one request.
private final class Doorman: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart

    private let door: Door

    init(_ door: Door) { self.door = door }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        context.fireChannelRead(wrapInboundOut(checked(unwrapInboundIn(data), on: context.channel)))
        context.pipeline.syncOperations.removeHandler(self, promise: nil)
    }

    private func checked(_ part: HTTPServerRequestPart, on channel: any Channel) -> HTTPServerRequestPart {
        guard case .head(var head) = part, head.headers.contains(name: "upgrade"), !door.admits(head, on: channel)
        else {
            return part
        }
        let wanted = head.headers[canonicalForm: "upgrade"]
        head.headers.remove(name: "upgrade")
        head.headers.replaceOrAdd(name: Request.refusedUpgrade, value: wanted.joined(separator: ","))
        return .head(head)
    }
}

/// Bodies as buffers, which NIO's encoder takes in a wrapping of its own.
private final class ResponseBytes: ChannelOutboundHandler {
    typealias OutboundIn = HTTPPart<HTTPResponseHead, ByteBuffer>
    typealias OutboundOut = HTTPServerResponsePart

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let part: HTTPServerResponsePart =
            switch unwrapOutboundIn(data) {
            case .head(let head): .head(head)
            case .body(let buffer): .body(.byteBuffer(buffer))
            case .end(let trailers): .end(trailers)
            }
        context.write(wrapOutboundOut(part), promise: promise)
    }
}
