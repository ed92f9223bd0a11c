import AgentChat
import ChatCodec
import ChatModel
public import NIOCore
import NIOHTTP1
public import NIOPosix
import NIOWebSocket

typealias HTTPChannel = NIOAsyncChannel<HTTPServerRequestPart, HTTPPart<HTTPResponseHead, ByteBuffer>>
typealias SocketChannel = NIOAsyncChannel<WebSocketFrame, WebSocketFrame>

/// The service over HTTP/1: a page, the chats of the account, and a WebSocket for each client of a chat.
public final class Server: Sendable {
    /// What became of a connection.
    enum Connection: Sendable {
        case http(HTTPChannel)
        case socket(SocketChannel, chat: Identifier)
    }

    typealias Listener = NIOAsyncChannel<EventLoopFuture<Connection>, Never>

    let house: House
    let gate: Gate
    let name: String
    let log: Log
    let page = Page()
    private let listener: Listener

    /// The port that it listens on.
    public let port: Int

    /// Binds a port; 0 takes any that is free. Without a token it has to be one of the loopback.
    public static func bind(
        _ house: House, host: String = "127.0.0.1", port: Int, gate: Gate, name: String = "saro",
        group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
    ) async throws -> Server {
        guard gate.isGuarded || ["127.0.0.1", "::1", "localhost"].contains(host) else {
            throw AgentFailure("without a token the service listens on the loopback alone, not on \(host)")
        }
        let door = Door(house: house, gate: gate)
        let listener = try await ServerBootstrap(group: group)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelOption(.backlog, value: 1_024)
            .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
            .bind(host: host, port: port) { channel in
                channel.eventLoop.makeCompletedFuture { try door.configure(channel) }
            }
        return Server(house, gate, name, listener)
    }

    private init(_ house: House, _ gate: Gate, _ name: String, _ listener: Listener) {
        (self.house, self.gate, self.name, self.log) = (house, gate, name, house.log)
        self.listener = listener
        port = listener.channel.localAddress?.port ?? 0
    }

    /// Serves until ``stop()``.
    public func run() async throws {
        log("listening", [("port", JSON(port))])
        try await withThrowingDiscardingTaskGroup { group in
            try await listener.executeThenClose { inbound in
                for try await connection in inbound {
                    group.addTask { await self.serve(connection) }
                }
            }
        }
        log("stopped")
    }

    /// Ends cleanly: nobody comes in any more, jobs fail, and sockets close with 1001.
    public func stop() async {
        log("stopping")
        try? await listener.channel.close()
        await house.stop()
    }

    private func serve(_ connection: EventLoopFuture<Connection>) async {
        // Whoever breaks HTTP or goes away has nothing to be told.
        guard let connection = try? await connection.get() else { return }
        switch connection {
        case .http(let channel): try? await serve(channel)
        case .socket(let channel, let chat):
            guard let room = await house.room(chat) else { return await Socket.refuse(channel) }
            await Socket(channel, room: room, house: house).run()
        }
    }
}
