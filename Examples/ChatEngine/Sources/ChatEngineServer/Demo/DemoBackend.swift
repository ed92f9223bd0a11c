import ChatEngine
import ChatModel
import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle
import Synchronization
import UnixSignals

/// How the backend of the demonstration answers.
public enum BackendStyle: String, Sendable, CaseIterable {
    /// It says what was said to it.
    case echo
    /// It rambles in words that it has heard.
    case markov
    /// It says a word each second.
    case slow
    /// It begins, and breaks off.
    case failing
}

/// A backend to try an engine with: it consents to every session, and answers every message in its style.
public struct DemoBackend: Sendable {
    private let style: BackendStyle

    /// A backend.
    public init(_ style: BackendStyle) { self.style = style }

    /// Serves until SIGTERM or SIGINT comes, or its task is cancelled.
    public func run(
        port: Int, stopsOnSignals: Bool = false, onListening: @escaping @Sendable (String) -> Void
    ) async throws(StartError) {
        let isListening = Mutex(false)
        var logger = Logger(label: "backend") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = .error
        let application = Application(
            responder: CallbackResponder<ConnectionContext> { request, _ in try await respond(to: request) },
            server: .connections,
            configuration: .init(address: .hostname("127.0.0.1", port: port), backlog: 1_024),
            onServerRunning: { channel in
                isListening.withLock { $0 = true }
                onListening("http://127.0.0.1:\(channel.localAddress?.port ?? port)/hook")
            }, logger: logger)
        var configuration = ServiceGroupConfiguration(
            services: [application], gracefulShutdownSignals: stopsOnSignals ? [.sigterm, .sigint] : [], logger: logger)
        configuration.maximumGracefulShutdownDuration = .seconds(2)
        do { try await ServiceGroup(configuration: configuration).run() } catch {
            guard isListening.withLock({ $0 }) else {
                throw StartError(.unavailable, "127.0.0.1:\(port): the address cannot be bound")
            }
        }
    }

    private func respond(to request: Request) async throws -> Response {
        let body = try await request.body.collect(upTo: 64 << 20)
        let webhook: Webhook
        do throws(Violation) {
            webhook = try EngineJSON().decode(from: body.readableBytesUInt8Span, maximumBytes: 64 << 20)
        } catch {
            // An event that it does not know is none of its business (CE-03).
            return Response(status: error.rule == .event ? .ok : .badRequest)
        }
        switch webhook.event {
        case .sessionCreated: return .json(SessionCreatedReply(capabilities: Self.capabilities))
        case .healthCheck:
            return .json(HealthReply(status: .healthy, version: "1.0.0", capabilities: Self.capabilities))
        case .messageNew(let event):
            return stream(DemoSpeech(style, said: Self.text(event.draft.content), history: event.history))
        case .messageRecreate(let event):
            let said = event.history.last.map { Self.text($0.content) } ?? ""
            return stream(DemoSpeech(style, said: said, history: event.history, isAgain: true))
        case .sessionSummary(let event):
            let questions = event.history.filter { $0.role == .user }.map { Self.text($0.content) }
            return .json(SummaryReply(summary: "\(questions.count) questions: " + questions.joined(separator: " / ")))
        case .messageAborted, .sessionDeleted, .messageReaction: return Response(status: .ok)
        }
    }

    private static let capabilities = [
        EngineCapability(id: "brief", name: "Brief answers", isDefault: false),
        EngineCapability(id: "cheerful", name: "Cheerful answers", isDefault: true),
    ]

    private static func text(_ content: [ContentPart]) -> String {
        content.filter(\.kind.isWords).map(\.content).joined(separator: " ")
    }

    private static func line(_ event: BackendEvent) -> ByteBuffer { ByteBuffer(bytes: EngineJSON().line(event)) }

    private func stream(_ speech: DemoSpeech) -> Response {
        let style = style
        return Response(
            status: .ok, headers: [.contentType: "application/x-ndjson"],
            body: ResponseBody { writer in
                for (number, word) in speech.words.enumerated() {
                    if style == .failing, number == 3 {
                        try await writer.write(Self.line(.error(nil, .backendError, "this backend always fails")))
                        return try await writer.finish(nil)
                    }
                    if number > 0 { try await Task.sleep(for: speech.pause) }
                    try await writer.write(Self.line(.chunk(nil, .piece(.text, number == 0 ? word : " " + word))))
                }
                try await writer.write(Self.line(.complete(nil, nil)))
                try await writer.finish(nil)
            })
    }
}
