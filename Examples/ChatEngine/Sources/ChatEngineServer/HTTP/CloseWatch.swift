import NIOCore

/// Notices that a client closes its connection, also when nothing is written to it: to close is to cancel.
final class CloseWatch: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = Any

    private var closed: EventLoopPromise<Void>?

    func handlerAdded(context: ChannelHandlerContext) { closed = context.eventLoop.makePromise() }

    func handlerRemoved(context: ChannelHandlerContext) { closed?.succeed() }

    func channelInactive(context: ChannelHandlerContext) {
        closed?.succeed()
        context.fireChannelInactive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed { closed?.succeed() }
        context.fireUserInboundEventTriggered(event)
    }

    /// Calls something when the client of a channel has closed, at once where it has.
    static func onClose(of channel: any Channel, _ body: @escaping @Sendable () -> Void) {
        channel.eventLoop.execute {
            let watch = try? channel.pipeline.syncOperations.handler(type: CloseWatch.self)
            guard let closed = watch?.closed else { return body() }
            closed.futureResult.whenComplete { _ in body() }
        }
    }
}
