package import HummingbirdCore
package import Logging
package import NIOCore
import Synchronization

/// Connections of HTTP/1, of which none ends the process when it is dropped.
///
/// A server that stops, or is cancelled, drops the connections that nobody handles yet: those whose set-up on their own
/// event loop ends when the listener is closed already, and those that wait for a task. NIO takes a connection that is
/// dropped for a mistake and traps ("Deinited NIOAsyncWriter without calling finish()"). Here it is closed.
package struct Connections: ServerChildChannel {
    /// A connection, which is closed where nobody handles it.
    package final class Connection: ServerChildChannelValue {
        fileprivate let http: HTTP1Channel.Value
        private let isHandled = Mutex(false)

        package var channel: any Channel { http.channel }

        fileprivate init(_ http: HTTP1Channel.Value) { self.http = http }

        fileprivate func handle() { isHandled.withLock { $0 = true } }

        deinit {
            guard !isHandled.withLock({ $0 }) else { return }
            // It closes before it is gone.
            Task { [http] in try? await http.executeThenClose { _, _ in } }
        }
    }

    private let http: HTTP1Channel

    /// Connections whose requests are answered by something.
    package init(_ responder: @escaping HTTPChannelHandler.Responder) {
        http = HTTP1Channel(responder: responder, configuration: .init(additionalChannelHandlers: [CloseWatch()]))
    }

    package func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Connection> {
        http.setup(channel: channel, logger: logger).map { Connection($0) }
    }

    package func handle(value: Connection, logger: Logger) async {
        value.handle()
        await http.handle(value: value.http, logger: logger)
    }
}

extension HTTPServerBuilder {
    /// A server of such connections; `CloseWatch` is in each.
    package static var connections: HTTPServerBuilder { HTTPServerBuilder { Connections($0) } }
}
