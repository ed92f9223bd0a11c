import ChatCodec
import GRPCCore
import GRPCNIOTransportHTTP2Posix
package import PacketStream

/// A hub on a TCP port.
package struct HubServer: Sendable {
    private let hub: Hub
    private let server: GRPCServer<HTTP2ServerTransport.Posix>
    private let log: Log

    /// - Parameters:
    ///   - host: an IPv4 or IPv6 address.
    ///   - port: 0 for one that is free.
    package init(
        _ settings: HubSettings, host: String, port: Int, certificates: Certificates, gate: Gate, log: Log
    ) {
        hub = Hub(settings, gate: gate, log: log)
        let transport = HTTP2ServerTransport.Posix(
            address: host.contains(":") ? .ipv6(host: host, port: port) : .ipv4(host: host, port: port),
            transportSecurity: certificates.server,
            config: .defaults { config in
                // The transport ends a stream whose message is longer without a status, so it takes more than the hub, which
                // says that the message is too long (SA-04).
                config.rpc.maxRequestPayloadSize = 2 * Bounds.maximumMessage
                config.http2.targetWindowSize = 1 << 20
                // A caller that is gone without a word is found out.
                config.connection.keepalive.time = .seconds(30)
            })
        server = GRPCServer(transport: transport, services: [HubServices(hub)])
        self.log = log
    }

    /// Serves until ``stop()``; says where it listens once it does.
    package func run(statistics: Duration?, listening: @escaping @Sendable (Int) -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { [server] in
                do { try await server.serve() } catch {
                    throw SetupError("the hub cannot listen: \(Self.reason(error)); choose another --host or --port")
                }
            }
            // Where it cannot listen, the task above says why.
            let address = try? await server.transport.listeningAddress
            if let address = address?.ipv4?.port ?? address?.ipv6?.port {
                listening(address)
                log("listening", [("port", JSON(address))])
            }
            let watch = Task { [hub] in await hub.watch(statistics: statistics) }
            defer { watch.cancel() }
            try await group.waitForAll()
        }
        hub.logStatistics()
        log("stopped")
    }

    private static func reason(_ error: any Error) -> String {
        guard let cause = (error as? RuntimeError)?.cause else { return "\(error)" }
        return "\(cause)"
    }

    /// Ends all sessions, so that steps come back to whoever listens next, and then the hub.
    package func stop() {
        hub.stop()
        server.beginGracefulShutdown()
    }
}
