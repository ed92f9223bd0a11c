import ChatEngine
import Foundation
import GRDB
import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle
import Synchronization
import UnixSignals

/// A Chat Engine behind HTTP.
public final class EngineServer: Sendable {
    private let settings: Settings
    private let service: EngineService
    private let tokens: Tokens
    private let logger: Logger
    private let group = Mutex<ServiceGroup?>(nil)

    /// Opens the files, and takes up what is stored.
    public init(_ settings: Settings) async throws(StartError) {
        self.settings = settings
        var logger = Logger(label: "chat-engine") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = settings.logLevel
        self.logger = logger
        service = try await EngineService(settings, logger)
        tokens = await Tokens(secret: settings.secret)
    }

    /// Serves until it is stopped, or until SIGTERM or SIGINT comes; `onListening` gets the base of all paths.
    public func run(
        stopsOnSignals: Bool = false, onListening: @escaping @Sendable (String) -> Void
    ) async throws(StartError) {
        let isListening = Mutex(false)
        let settings = settings
        let service = service
        let application = Application(
            responder: Responder(service: service, tokens: tokens),
            server: .connections,
            configuration: .init(address: .hostname(settings.host, port: settings.port), backlog: 1_024),
            onServerRunning: { channel in
                isListening.withLock { $0 = true }
                let host = settings.host.contains(":") ? "[\(settings.host)]" : settings.host
                let base = "http://\(host):\(channel.localAddress?.port ?? settings.port)\(Responder.base)"
                service.baseURL = settings.publicURL ?? base
                service.checkHealth()
                onListening(base)
            },
            logger: quiet)
        var configuration = ServiceGroupConfiguration(
            services: [application, Stopper(service: service)],
            gracefulShutdownSignals: stopsOnSignals ? [.sigterm, .sigint] : [], logger: quiet)
        configuration.maximumGracefulShutdownDuration = .seconds(6)
        let group = ServiceGroup(configuration: configuration)
        self.group.withLock { $0 = group }
        var hasFailed = false
        do { try await group.run() } catch { hasFailed = true }
        // Also where it never listened: a client of HTTP has to be shut down before it goes.
        await service.backends.shutdown()
        try? service.store.pool.close()
        guard !hasFailed || isListening.withLock({ $0 }) else {
            throw StartError(.unavailable, "\(settings.host):\(settings.port): the address cannot be bound")
        }
    }

    /// Stops as a signal does.
    public func stop() async { await group.withLock { $0 }?.triggerGracefulShutdown() }

    /// The logger of the libraries below: what they say is about themselves.
    private var quiet: Logger {
        var logger = logger
        logger.logLevel = max(logger.logLevel, .error)
        return logger
    }
}

/// Ends the answers under way before connections are closed.
private struct Stopper: Service {
    let service: EngineService

    func run() async throws {
        try await gracefulShutdown()
        await service.stop()
    }
}
