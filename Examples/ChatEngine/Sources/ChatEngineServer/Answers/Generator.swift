import AsyncHTTPClient
import ChatEngine
import ChatModel
import Logging
import NIOCore
import NIOHTTP1
import Synchronization

/// Leads one answer from the backend's connection to the client's and into the database, in the order of the protocol:
/// what was said is stored already; what is streamed goes into the journal first; what is whole is stored, and then
/// acknowledged (CE-37).
struct Generator: Sendable {
    let ask: Engine.Ask
    let reply: MessageID
    let answer: Answer
    let store: Store
    let backends: Backends
    /// Nil for a summary, of which nothing is kept unless it is whole.
    let journal: Journal?
    let logger: Logger

    /// What reading a backend came to.
    private struct Outcome: Sendable {
        var reply: BackendReply
        var last: BackendReply.Step?
        var hasStarted = false
    }

    func run() async {
        var call = WebhookCall(ask.webhook.kind, configuredTimeout: ask.timeout, scale: backends.scale)
        guard case .attempt(let deadline) = backends.next(&call, ask.sessionType) else {
            let error = ErrorBody(.backendError, "the backend is not called for a while")
            let reply = BackendReply(to: call.kind, message: reply)
            return await end(Outcome(reply: reply, last: .failed(BackendReply.Failure(error, .neutral))))
        }
        let timer = Task {
            try await sleep(until: deadline)
            answer.cut(.timedOut)
        }
        let box = Mutex(Outcome(reply: BackendReply(to: call.kind, message: reply)))
        let timeout = call.timeout * 1_000
        await withoutActuallyEscaping({ @Sendable in
            let outcome = await read(timeout: timeout)
            box.withLock { $0 = outcome }
        }) { await answer.read($0) }
        timer.cancel()
        let outcome = box.withLock { $0 }
        backends.finish(&call, result(outcome), ask.sessionType)
        await end(outcome)
    }

    private func read(timeout: Int) async -> Outcome {
        var outcome = Outcome(reply: BackendReply(to: ask.webhook.kind, message: reply))
        do {
            let response = try await backends.post(ask.url, ask.webhook)
            try await pass(
                outcome.reply.receive(
                    status: Int(response.status.code), contentType: response.headers.first(name: "content-type")),
                &outcome)
            guard outcome.last == nil else { return outcome }
            for try await piece in response.body {
                let steps = outcome.reply.receive(piece.readableBytesUInt8Span)
                try await pass(steps, &outcome)
                guard outcome.last == nil else { return outcome }
            }
            try Task.checkCancellation()
            try await pass(outcome.reply.end(), &outcome)
        } catch {
            guard outcome.last == nil else { return outcome }
            let isTimeout = answer.cut == .timedOut
            outcome.last = (isTimeout ? outcome.reply.timeOut(milliseconds: timeout) : outcome.reply.breakOff()).last
        }
        return outcome
    }

    /// Passes on what has come; the last step waits until it is stored.
    private func pass(_ steps: [BackendReply.Step], _ outcome: inout Outcome) async throws {
        var lines = ByteBuffer()
        for step in steps {
            switch step {
            case .start:
                outcome.hasStarted = true
                lines.writeBytes(EngineJSON().line(ReplyEvent.start(reply)))
            case .chunk(let chunk): lines.writeBytes(EngineJSON().line(ReplyEvent.chunk(reply, chunk)))
            case .complete, .failed: outcome.last = step
            }
        }
        guard lines.readableBytes > 0 else { return }
        do { try journal?.append(lines) } catch {
            logger.error("the disk does not take what is streamed", metadata: ["message": "\(reply)"])
            if steps.first == .start { outcome.hasStarted = false }
            let error = ErrorBody(.internalError, "the engine cannot store the answer")
            outcome.last = .failed(BackendReply.Failure(error, .neutral))
            return
        }
        answer.outbox.add(lines)
        if steps.first == .start { answer.start() }
        guard outcome.last == nil else { return }
        guard await answer.outbox.hasRoom() else { throw CancellationError() }
    }

    private func result(_ outcome: Outcome) -> WebhookCall.Result {
        switch outcome.last {
        case .complete: return .ok
        case .failed(let failure):
            if answer.cut == .closed || answer.cut == .stopped { return .abandoned }
            if failure.error.code == .backendTimeout, failure.outcome == .failure { return .timedOut }
            return failure.outcome == .failure ? .malformed : .abandoned
        default: return .abandoned
        }
    }
}

// The end of an answer.
extension Generator {
    private func end(_ outcome: Outcome) async {
        do throws(ErrorBody) {
            switch outcome.last {
            case .complete(let metadata): try await complete(outcome, metadata)
            case .failed(let failure): try await fail(outcome, failure)
            default: throw ErrorBody(.backendError, "the backend failed")
            }
        } catch { refuse(outcome, error) }
        answer.outbox.finish()
    }

    private func complete(_ outcome: Outcome, _ metadata: Metadata?) async throws(ErrorBody) {
        _ = try await finish(outcome, .complete(metadata))
        var shown = metadata
        _ = shown?.takeVisibility()
        say(.complete(reply, shown))
    }

    private func fail(_ outcome: Outcome, _ failure: BackendReply.Failure) async throws(ErrorBody) {
        if let violation = failure.violation {
            logger.warning(
                "a backend's answer breaks a rule",
                metadata: ["rule": "\(violation.rule.rawValue)", "session_type": "\(ask.sessionType)"])
        }
        let isClosed = answer.cut == .closed
        let told = try await finish(outcome, isClosed ? .closed : .failed)
        if let told { backends.tell(told) }
        let isStopped = answer.cut == .stopped
        refuse(outcome, isStopped ? ErrorBody(.internalError, "the engine stops") : failure.error)
    }

    /// Stores what there is, and says whom to tell.
    private func finish(_ outcome: Outcome, _ end: Engine.End) async throws(ErrorBody) -> Engine.Ask? {
        let (ask, reply) = (ask, outcome.reply)
        let told = try await store.write(.session(ask.session)) { engine throws(ErrorBody) in
            engine.finish(ask, reply, end, at: now())
        }
        journal?.remove()
        return told
    }

    private func refuse(_ outcome: Outcome, _ error: ErrorBody) {
        guard outcome.hasStarted else { return answer.refuse(error) }
        say(.error(reply, error))
    }

    private func say(_ event: ReplyEvent) {
        answer.outbox.add(ByteBuffer(bytes: EngineJSON().line(event)))
    }
}
