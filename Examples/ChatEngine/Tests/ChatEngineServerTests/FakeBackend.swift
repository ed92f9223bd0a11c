import ChatEngine
import ChatEngineServer
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle
import Synchronization

/// A backend with every vice: it answers each webhook as a script says.
final class FakeBackend: Sendable {
    /// A piece of an answer.
    enum Piece: Sendable {
        case text(String)
        case bytes([UInt8])
        case wait(Duration)
        /// The connection breaks.
        case cut
    }

    /// An answer.
    struct Script: Sendable {
        var status = 200
        var type: String? = "application/x-ndjson"
        var location: String?
        /// Before the head.
        var delay = Duration.zero
        var pieces: [Piece] = []

        /// A whole answer in JSON.
        static func json(_ text: String, status: Int = 200) -> Script {
            Script(status: status, type: "application/json", pieces: [.text(text)])
        }

        /// A stream of lines.
        static func lines(_ lines: String...) -> Script { Script(pieces: lines.map { .text($0 + "\n") }) }

        /// A stream that says words, a chunk for each, and is complete.
        static func words(_ words: String...) -> Script {
            Script(pieces: words.map { .text(chunk($0)) } + [.text(complete)])
        }
    }

    static func chunk(_ words: String) -> String {
        #"{"type":"chunk","chunk":{"type":"text","content":"\#(words)"}}"# + "\n"
    }
    static let complete = #"{"type":"complete"}"# + "\n"
    static let consent =
        #"{"available_capabilities":[{"id":"web","name":"Web","enabled_by_default":true},{"id":"code","name":"Code","enabled_by_default":false}]}"#

    private let script: @Sendable (Webhook) async -> Script?
    private let received = Mutex<[Webhook]>([])

    /// Answers with a script; where there is none, it consents and is healthy, and says "hello".
    init(_ script: @escaping @Sendable (Webhook) async -> Script? = { _ in nil }) { self.script = script }

    /// All webhooks so far.
    var webhooks: [Webhook] { received.withLock { $0 } }

    func webhooks(_ kind: WebhookKind) -> [Webhook] { webhooks.filter { $0.kind == kind } }

    /// Waits for a webhook, two seconds at most as they are scaled by a slow machine.
    func first(_ kind: WebhookKind) async throws -> Webhook? {
        for _ in 0..<500 {
            if let webhook = webhooks(kind).first { return webhook }
            try await Task.sleep(for: .milliseconds(20))
        }
        return nil
    }

    /// Serves until it is cancelled.
    func run(_ onListening: @escaping @Sendable (String) -> Void) async throws {
        var logger = Logger(label: "fake")
        logger.logLevel = .critical
        let application = Application(
            responder: CallbackResponder<BasicRequestContext> { request, _ in try await self.respond(to: request) },
            server: .connections,
            configuration: .init(address: .hostname("127.0.0.1", port: 0), backlog: 1_024),
            onServerRunning: { onListening("http://127.0.0.1:\($0.localAddress?.port ?? 0)/hook") }, logger: logger)
        try await ServiceGroup(configuration: .init(services: [application], logger: logger)).run()
    }

    private func respond(to request: Request) async throws -> Response {
        let body = try await request.body.collect(upTo: 64 << 20)
        let bytes = Array(body.readableBytesView)
        Exchanges.log("webhook", "", 0, bytes)
        let webhook: Webhook = try EngineJSON().decode(from: bytes.span, maximumBytes: .max)
        received.withLock { $0.append(webhook) }
        let script = await script(webhook) ?? Self.usual(webhook)
        try await Task.sleep(for: script.delay)
        var response = Response(status: .init(code: script.status), body: Self.body(script.pieces))
        response.headers[.contentType] = script.type
        response.headers[.location] = script.location
        return response
    }

    private static func usual(_ webhook: Webhook) -> Script {
        switch webhook.kind {
        case .sessionCreated: .json(consent)
        case .healthCheck: .json(#"{"status":"healthy","version":"1","capabilities":[]}"#)
        case .sessionSummary: .json(#"{"summary":"in short"}"#)
        default: .words("hel", "lo")
        }
    }

    private struct Broken: Error {}

    private static func body(_ pieces: [Piece]) -> ResponseBody {
        ResponseBody { writer in
            for piece in pieces {
                switch piece {
                case .text(let text): try await writer.write(ByteBuffer(string: text))
                case .bytes(let bytes): try await writer.write(ByteBuffer(bytes: bytes))
                case .wait(let time): try await Task.sleep(for: time)
                case .cut: throw Broken()
                }
            }
            try await writer.finish(nil)
        }
    }
}
