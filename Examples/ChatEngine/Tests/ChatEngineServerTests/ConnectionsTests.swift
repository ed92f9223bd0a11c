import ChatEngineServer
import Hummingbird
import Logging
import NIOCore
import NIOEmbedded
import NIOPosix
import Testing

struct ConnectionsTests {
    @Test func `a connection that a server drops before it handles it is closed, and nothing traps`() async throws {
        let channel = NIOAsyncTestingChannel()
        try await channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 80)).get()
        let connections = Connections { _, _, _ in }
        _ = try await channel.testingEventLoop.executeInContext {
            connections.setup(channel: channel, logger: Logger(label: "test"))
        }.get()
        try await within(.seconds(60)) { try await channel.closeFuture.get() }
    }

    @Test func `servers that are cancelled while connections arrive end, again and again`() async throws {
        for _ in 0..<20 { try await cancelUnderLoad() }
    }

    private func cancelUnderLoad() async throws {
        let (ports, port) = AsyncStream<Int>.makeStream()
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let application = Application(
            responder: CallbackResponder<BasicRequestContext> { _, _ in Response(status: .ok) }, server: .connections,
            configuration: .init(address: .hostname("127.0.0.1", port: 0), backlog: 1_024),
            onServerRunning: { port.yield($0.localAddress?.port ?? 0) }, logger: logger)
        let server = Task { try? await application.run() }
        let address = try SocketAddress(
            ipAddress: "127.0.0.1", port: try #require(await ports.first(where: { _ in true })))
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<64 {
                group.addTask {
                    let connected = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton).connect(to: address)
                    guard let channel = try? await connected.get() else { return }
                    try? await Task.sleep(for: .milliseconds(20))
                    channel.close(promise: nil)
                }
            }
            try? await Task.sleep(for: .milliseconds(.random(in: 0...5)))
            server.cancel()
        }
        _ = await server.value
    }
}
