import AsyncHTTPClient
import ChatEngine
import ChatModel
import Logging
import NIOCore
import NIOHTTP1
import Synchronization

/// Calls backends over HTTP: the library's machines say when, for how long, and how often.
final class Backends: Sendable {
    /// What every duration is multiplied by.
    let scale: Double
    private let client: HTTPClient
    private let breakers = Mutex<[SessionTypeID: CircuitBreaker]>([:])
    private let logger: Logger

    init(scale: Double, logger: Logger) {
        (self.scale, self.logger) = (scale, logger)
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        configuration.httpVersion = .http1Only
        // Deadlines are the library's, and so is whether a call is made again.
        configuration.timeout = .init(connect: .hours(1))
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 100_000
        configuration.connectionPool.retryConnectionEstablishment = false
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    func shutdown() async { try? await client.shutdown() }

    /// What a call does next, by its session type's breaker.
    func next(_ call: inout WebhookCall, _ type: SessionTypeID) -> WebhookCall.Next {
        withBreaker(of: type) { call.next(&$0, at: now()) }
    }

    /// Takes how an attempt went.
    func finish(_ call: inout WebhookCall, _ result: WebhookCall.Result, _ type: SessionTypeID) {
        withBreaker(of: type) { call.finish(result, jitter: .random(in: 0...1), &$0, at: now()) }
    }

    private func withBreaker<Value>(of type: SessionTypeID, _ body: (inout CircuitBreaker) -> Value) -> Value {
        var value: Value?
        breakers.withLock { value = body(&$0[type, default: CircuitBreaker(openFor: .seconds(60) * scale)]) }
        guard let value else { preconditionFailure("the body was called") }
        return value
    }

    /// One POST. A connection has one call, so that none fails because a backend closed it meanwhile.
    func post(_ url: String, _ webhook: Webhook) async throws -> HTTPClientResponse {
        var request = HTTPClientRequest(url: url)
        request.method = .POST
        request.headers = [
            "Content-Type": "application/json", "Accept": "application/json, application/x-ndjson",
            "Connection": "close",
        ]
        request.body = .bytes(ByteBuffer(bytes: EngineJSON().encode(webhook)))
        return try await client.execute(request, deadline: .distantFuture)
    }
}

// What is answered whole, and what is told and forgotten.
extension Backends {
    private struct TimedOut: Error {}

    /// Asks, again where the table says so, and reads the answer.
    func ask<Reply: EngineObject>(
        _ url: String, _ webhook: Webhook, _ type: SessionTypeID, timeout: Int?, as: Reply.Type = Reply.self
    ) async throws(ErrorBody) -> Reply {
        var call = WebhookCall(webhook.kind, configuredTimeout: timeout, scale: scale)
        while true {
            switch next(&call, type) {
            case .attempt(let deadline):
                let (result, reply): (WebhookCall.Result, Reply?) = await attempt(url, webhook, deadline)
                finish(&call, result, type)
                if let reply { return reply }
            case .wait(let time): try? await sleep(until: time)
            case .failed(.backendTimeout):
                throw ErrorBody(
                    .backendTimeout, "the backend took too long", details: ErrorDetails(timeout: call.timeout * 1_000))
            case .failed, .done: throw ErrorBody(.backendError, "the backend failed")
            }
        }
    }

    /// Tells a backend something whose answer nobody reads; what becomes of it changes nothing (CE-36).
    func tell(_ ask: Engine.Ask) {
        let seconds = ask.webhook.kind.timeout(configured: ask.timeout)
        Task {
            do {
                try await within(now() + .seconds(seconds) * self.scale) {
                    _ = try await self.post(ask.url, ask.webhook)
                }
            } catch { self.logger.debug("a backend was not told", metadata: ["event": "\(ask.webhook.kind.rawValue)"]) }
        }
    }

    private func attempt<Reply: EngineObject>(
        _ url: String, _ webhook: Webhook, _ deadline: Timestamp
    ) async -> (WebhookCall.Result, Reply?) {
        do {
            return try await within(deadline) {
                let response = try await self.post(url, webhook)
                guard (200..<300).contains(response.status.code) else {
                    return (.status(Int(response.status.code)), nil)
                }
                let type = response.headers.first(name: "content-type")?.prefix { $0 != ";" } ?? ""
                guard type.lowercased().filter({ $0 != " " }) == "application/json" else { return (.malformed, nil) }
                let body = try await response.body.collect(upTo: EngineJSON.maximumLine)
                let reply = try EngineJSON(.lenient).decode(
                    Reply.self, from: body.readableBytesUInt8Span, maximumBytes: EngineJSON.maximumLine)
                return (.ok, reply)
            }
        } catch is TimedOut { return (.timedOut, nil) } catch {
            return (error is NIOTooManyBytesError || error is Violation ? .malformed : .connectionFailed, nil)
        }
    }

    /// Runs something until a moment at the latest.
    private func within<Value: Sendable>(
        _ deadline: Timestamp, _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        try await withThrowingTaskGroup(of: Value.self) { group in
            group.addTask { try await body() }
            group.addTask {
                try await sleep(until: deadline)
                throw TimedOut()
            }
            defer { group.cancelAll() }
            guard let value = try await group.next() else { throw TimedOut() }
            return value
        }
    }
}
