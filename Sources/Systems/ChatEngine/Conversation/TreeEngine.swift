import ChatCodec
import ChatModel

/// The engine's machine: an engine with one session, whose backend is the application.
struct TreeEngine: Sendable {
    /// An answer under way.
    struct Running: Sendable {
        let request: Int
        let ask: Engine.Ask
        var reply: BackendReply
        /// The number of the next event.
        var next = 0
    }

    /// The most requests that are remembered, so that none is answered twice.
    static let maximumMemory = 1_024
    /// The most answers under way.
    static let maximumRunning = 64
    /// The most bytes of a chunk in which an answer is said again.
    static let pieceSize = 16_384

    var engine: Engine
    let sessionType: SessionType
    var session: Session?
    var running: [MessageID: Running] = [:]
    /// The answers that requests began, the oldest first.
    var memory: [(request: Int, reply: MessageID)] = []
    /// The messages that are stored, and whether they are stored as active.
    var stored: [MessageID: Bool] = [:]
    var isChanged = true

    init(_ sessionType: SessionType) {
        self.sessionType = sessionType
        // One type has an id that no other has.
        engine = Engine(SessionTypes(one: sessionType))
    }

    private var client: String { session?.client ?? "" }

    /// Takes a line of the client.
    mutating func receive(
        _ line: Span<UInt8>, at now: Timestamp, random: inout any RandomSource
    ) throws(Violation) -> TreeOutput {
        let frame = try EngineJSON().decode(ClientFrame.self, from: line, maximumBytes: EngineJSON.maximumLine)
        var output = TreeOutput()
        guard case .operation(let operation, let id, let body) = frame.saying else {
            close(frame.request, at: now, &output)
            return output
        }
        do throws(ErrorBody) {
            if let known = memory.first(where: { $0.request == frame.request })?.reply {
                sayAgain(frame.request, known, &output)
            } else {
                try perform(operation, id, body ?? .object(JSON.Object()), frame.request, now, &random, &output)
            }
        } catch {
            // What an operation refuses has changed nothing.
            answer(frame.request, error.code.status, error, &output)
        }
        return output
    }

    private mutating func perform(
        _ operation: Operation, _ id: String?, _ body: JSON, _ request: Int, _ now: Timestamp,
        _ random: inout any RandomSource, _ output: inout TreeOutput
    ) throws(ErrorBody) {
        switch operation {
        case .createSession: try create(body, request, now, &random, &output)
        case .getSession: answer(request, 200, try engine.session(try existing(), by: client), &output)
        case .listSessionTypes: answer(request, 200, engine.types.forClients, &output)
        case .sendMessage:
            let body: SendMessage = try Self.read(body)
            guard body.session == session?.id else { throw .noSession(body.session) }
            try makeRoom()
            generate(try engine.send(body, by: client, at: now, random: &random), request, &output)
        case .recreateMessage:
            try makeRoom()
            let ask = try engine.recreate(
                try Self.message(id), try Self.read(body), by: client, at: now, random: &random)
            generate(ask, request, &output)
        case .summarizeSession:
            try makeRoom()
            let ask = try engine.summarize(try existing(), try Self.read(body), by: client, at: now, random: &random)
            generate(ask, request, &output)
        case .listMessages: answer(request, 200, try engine.messages(of: try existing(), by: client), &output)
        case .getMessage: answer(request, 200, try engine.message(try Self.message(id), by: client), &output)
        case .getMessageVariants:
            answer(request, 200, try engine.variants(of: try Self.message(id), by: client), &output)
        case .reactToMessage:
            let (done, ask) = try engine.react(to: try Self.message(id), try Self.read(body), by: client, at: now)
            answer(request, 200, done, &output)
            if let ask { output.tell(ask.webhook) }
        default:
            throw ErrorBody(Violation(.event, "is no operation of a conversation", at: "operation"))
        }
    }

    private func existing() throws(ErrorBody) -> SessionID {
        guard let session else { throw .noSession(nil) }
        return session.id
    }

    private func makeRoom() throws(ErrorBody) {
        guard running.count >= Self.maximumRunning else { return }
        let details = ErrorDetails(limit: .concurrent)
        throw ErrorBody(.rateLimitExceeded, "too many answers are under way", details: details)
    }

    private static func read<Value: EngineObject>(_ json: JSON) throws(ErrorBody) -> Value {
        do throws(Violation) { return try Value(json, .strict) } catch { throw ErrorBody(error) }
    }

    private static func message(_ id: String?) throws(ErrorBody) -> MessageID {
        guard let message = id.flatMap({ MessageID($0) }) else { throw .noMessage(nil) }
        return message
    }

    private func answer(_ request: Int, _ status: Int, _ value: some EngineValue, _ output: inout TreeOutput) {
        output.send(EngineFrame(request, .answer(status: status, body: EngineJSON().json(value))))
    }

    /// The session of the conversation is made once; the application, which is the backend, is told.
    private mutating func create(
        _ body: JSON, _ request: Int, _ now: Timestamp, _ random: inout any RandomSource, _ output: inout TreeOutput
    ) throws(ErrorBody) {
        if let session {
            let known = SessionCreated(session: session.id, capabilities: session.capabilities)
            return answer(request, 201, known, &output)
        }
        let body: CreateSession = try Self.read(body)
        let ask = try engine.create(body, by: body.client, at: now, random: &random)
        let consent = SessionCreatedReply(capabilities: sessionType.capabilities)
        let created = engine.created(ask, consent, at: now)
        session = try engine.session(created.session, by: body.client)
        isChanged = true
        answer(request, 201, created, &output)
        output.tell(ask.webhook)
    }

    /// Tells the application what is asked, and begins the client's stream.
    private mutating func generate(_ ask: Engine.Ask, _ request: Int, _ output: inout TreeOutput) {
        guard let id = ask.reply else { return }
        var one = Running(request: request, ask: ask, reply: BackendReply(to: ask.webhook.kind, message: id))
        take(one.reply.receive(status: 200, contentType: "application/x-ndjson"), id, &one, at: .zero, &output)
        running[id] = one
        memory.append((request, id))
        if memory.count > Self.maximumMemory { memory.removeFirst() }
        isChanged = true
        if case .messageNew(let event) = ask.webhook.event {
            let text = event.draft.content.map(\.content).joined()
            output.events.append(.content(ReceivedContent(Bytes(text), reference: id.text)))
        }
        output.tell(ask.webhook)
    }
}

// What the application says.
extension TreeEngine {
    /// Takes a part of an answer, or a line of one.
    mutating func perform(_ action: Action, at now: Timestamp) throws(Violation) -> TreeOutput {
        switch action {
        case .send(let content, let part, let about):
            guard let text = String(validating: content.array, as: UTF8.self) else {
                throw Violation(.content, "is no text")
            }
            return try say(text, part, to: try message(about), at: now)
        case .frame(EngineTreeAction.kind, let bytes):
            let line = try EngineJSON(.lenient).decode(
                BackendEvent.self, from: bytes.span, maximumBytes: EngineJSON.maximumLine)
            guard let id = line.message else { throw Violation(.field, "is missing", at: "message_id") }
            return try write([line], to: id, at: now)
        default: throw Violation(.event, "unsupported")
        }
    }

    /// The answer that a content is for: the one that it names, or the only one under way.
    private func message(_ about: Target?) throws(Violation) -> MessageID {
        switch about {
        case .received(let name)?:
            if let id = MessageID(name), running[id] != nil { return id }
        case nil: if running.count == 1, let id = running.keys.first { return id }
        default: break
        }
        throw Violation(.existence, "is no answer that is under way")
    }

    /// Whole and cut carry all there is; what was said before is there already.
    private mutating func say(
        _ text: String, _ part: Part, to id: MessageID, at now: Timestamp
    ) throws(Violation) -> TreeOutput {
        let isBegun = running[id]?.reply.content.bytes ?? 0 > 0
        let pieces = text.isEmpty || part.isLast && isBegun ? [] : [BackendEvent.chunk(nil, .piece(.text, text))]
        switch part {
        case .delta: return try write(pieces, to: id, at: now)
        case .whole, .cut(.complete): return try write(pieces + [.complete(nil, nil)], to: id, at: now)
        case .cut(.cancelled): return try write(pieces + [.error(nil, .backendError, "cancelled")], to: id, at: now)
        case .cut(.failed(let reason)):
            let reason = reason.isEmpty ? "failed" : reason
            return try write(pieces + [.error(nil, .backendError, reason)], to: id, at: now)
        case .snapshot: throw Violation(.event, "unsupported")
        }
    }

    private mutating func write(
        _ lines: [BackendEvent], to id: MessageID, at now: Timestamp
    ) throws(Violation) -> TreeOutput {
        guard var one = running[id] else { throw Violation(.existence, "is no answer that is under way") }
        var output = TreeOutput()
        for line in lines { take(one.reply.receive(EngineJSON().line(line).span), id, &one, at: now, &output) }
        if !one.reply.isOver { running[id] = one }
        return output
    }

    /// Passes on what a backend's answer became. It is stored before the client learns that it is whole (CE-37).
    private mutating func take(
        _ steps: [BackendReply.Step], _ id: MessageID, _ one: inout Running, at now: Timestamp,
        _ output: inout TreeOutput
    ) {
        for step in steps {
            switch step {
            case .start: send(.start(id), &one, &output)
            case .chunk(let chunk): send(.chunk(id, chunk), &one, &output)
            case .complete(let metadata):
                end(one, .complete(metadata), at: now, &output)
                var shown = metadata
                _ = shown?.takeVisibility()
                send(.complete(id, shown), &one, &output)
            case .failed(let failure):
                end(one, .failed, at: now, &output)
                send(.error(id, failure.error), &one, &output)
            }
        }
    }

    private func send(_ event: ReplyEvent, _ one: inout Running, _ output: inout TreeOutput) {
        output.send(EngineFrame(one.request, .event(number: one.next, event)))
        one.next += 1
    }

    private mutating func end(
        _ one: Running, _ end: Engine.End, at now: Timestamp, _ output: inout TreeOutput
    ) {
        if let id = one.ask.reply { running[id] = nil }
        if let told = engine.finish(one.ask, one.reply, end, at: now) { output.tell(told.webhook) }
        isChanged = true
        if let id = session?.id, let now = engine.held[id]?.session { session = now }
    }

    /// The client closed: what there is, is stored, and the application is told.
    private mutating func close(_ request: Int, at now: Timestamp, _ output: inout TreeOutput) {
        guard let (id, one) = running.first(where: { $0.value.request == request }) else { return }
        end(one, .closed, at: now, &output)
        output.events.append(.cancelled(.received(id.text)))
    }

    /// Says an answer from its beginning: as far as it is, or all of it.
    private mutating func sayAgain(_ request: Int, _ id: MessageID, _ output: inout TreeOutput) {
        guard var one = running[id] else {
            var next = 0
            func say(_ event: ReplyEvent) {
                output.send(EngineFrame(request, .event(number: next, event)))
                next += 1
            }
            say(.start(id))
            let node = session.flatMap { engine.held[$0.id]?.tree[id] }
            for chunk in Self.chunks(node?.content ?? []) { say(.chunk(id, chunk)) }
            let isComplete = node?.isComplete ?? false
            say(isComplete ? .complete(id, node?.metadata) : .error(id, ErrorBody(.backendError, "the answer was cut")))
            return
        }
        one.next = 0
        send(.start(id), &one, &output)
        for chunk in Self.chunks(one.reply.content.parts) { send(.chunk(id, chunk), &one, &output) }
        running[id] = one
    }

    private static func chunks(_ parts: [ContentPart]) -> [Chunk] {
        parts.flatMap { part in
            guard part.kind.isWords else { return [Chunk.piece(part.kind, part.content)] }
            var (pieces, piece, size): ([Chunk], String.UnicodeScalarView, Int) = ([], .init(), 0)
            for scalar in part.content.unicodeScalars {
                piece.append(scalar)
                size += UTF8.width(scalar)
                guard size >= pieceSize else { continue }
                pieces.append(.piece(part.kind, String(piece)))
                (piece, size) = (.init(), 0)
            }
            return size > 0 ? pieces + [.piece(part.kind, String(piece))] : pieces
        }
    }
}
