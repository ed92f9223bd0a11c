import ChatCodec
import ChatEngine
import ChatModel

/// An engine with one session of Saro's, whose backend says what the case wants.
struct EngineRun {
    static let saro = "saro"
    static let raya = "raya"

    var engine: Engine
    var random: any RandomSource = RepeatableRandom(seed: 2)
    var now = Timestamp(milliseconds: 1_770_976_800_000)
    private(set) var session: SessionID
    /// The capabilities that the last webhook carried.
    private(set) var sent: [String]?
    private(set) var replies: [MessageID] = []

    static let typeID = "gts.hyperspot.chat_engine.session_types.ai_assistant.v1~"

    init(capabilities: [EngineCapability] = [], summarization: SummarizationSettings? = nil) throws {
        guard let id = SessionTypeID(Self.typeID) else { throw Problem.unreadable("the sample type is no id") }
        let type = SessionType(
            id: id, name: "AI assistant", webhookURL: "http://backend/hook", summarization: summarization)
        engine = Engine(try SessionTypes([type]))
        let ask = try engine.create(
            CreateSession(sessionType: id, client: Self.saro), by: Self.saro, at: now, random: &random)
        session = engine.created(ask, SessionCreatedReply(capabilities: capabilities), at: now).session
    }

    /// Says something, and has it answered.
    mutating func send(
        _ text: String, parent: MessageID? = nil, enabled: [String]? = nil, by client: String = saro,
        token: ShareToken? = nil
    ) throws {
        let body = SendMessage(session: session, content: text, parent: parent, capabilities: enabled)
        let ask = try engine.send(body, by: client, token: token, at: now, random: &random)
        if case .messageNew(let event) = ask.webhook.event { sent = event.capabilities?.map(\.id) }
        try answer(ask, "yes")
    }

    mutating func recreate(enabled: [String]?) throws {
        guard let reply = replies.last else { throw Problem.unreadable("there is no answer") }
        let body = EnableCapabilities(capabilities: enabled)
        let ask = try engine.recreate(reply, body, by: Self.saro, at: now, random: &random)
        if case .messageRecreate(let event) = ask.webhook.event { sent = event.capabilities?.map(\.id) }
        try answer(ask, "another answer")
    }

    mutating func summarize(enabled: [String]? = nil) throws -> Engine.Ask {
        let body = EnableCapabilities(capabilities: enabled)
        let ask = try engine.summarize(session, body, by: Self.saro, at: now, random: &random)
        if case .sessionSummary(let event) = ask.webhook.event { sent = event.capabilities?.map(\.id) }
        return ask
    }

    private mutating func answer(_ ask: Engine.Ask, _ text: String) throws {
        guard let id = ask.reply else { throw Problem.differs("the webhook names no answer") }
        var reply = BackendReply(to: ask.webhook.kind, message: id)
        _ = reply.receive(status: 200, contentType: "application/x-ndjson")
        let lines = EngineJSON().line(BackendEvent.chunk(nil, .piece(.text, text)))
        _ = reply.receive((lines + EngineJSON().line(BackendEvent.complete(nil, nil))).span)
        _ = engine.finish(ask, reply, .complete(nil), at: now)
        replies.append(id)
    }

    /// The status of something: its own, or that of what it is refused with.
    static func status(_ good: Int = 200, of body: () throws -> Void) throws -> Int {
        do {
            try body()
            return good
        } catch let error as ErrorBody {
            // What is refused is written as the published document has it.
            _ = try EngineJSON().decode(ErrorBody.self, from: EngineJSON().encode(error).span)
            return error.code.status
        }
    }
}

// Everything by name.
extension EngineRun {
    /// Does an operation about a session or message that is not there, or not this client's.
    mutating func perform(
        _ operation: Operation, _ session: SessionID, _ message: MessageID, by client: String,
        type: String = typeID
    ) throws {
        let none = EnableCapabilities()
        switch operation {
        case .createSession:
            guard let other = SessionTypeID(type) else { return }
            _ = try engine.create(
                CreateSession(sessionType: other, client: client), by: client, at: now, random: &random)
        case .getSession: _ = try engine.session(session, by: client)
        case .deleteSession: _ = try engine.delete(session, by: client, at: now)
        case .switchSessionType:
            guard let id = SessionTypeID(type) else { return }
            _ = try engine.switchType(session, SwitchSessionType(sessionType: id), by: client, at: now)
        case .exportSession:
            _ = try engine.export(session, ExportSession(format: .json, scope: .all), by: client, at: now)
        case .shareSession: _ = try engine.share(session, ShareSession(), by: client, at: now, random: &random)
        case .accessSharedSession: _ = try engine.shared(ShareToken(bits: random.bytes(32, for: .secret)), at: now)
        case .searchSession: _ = try engine.search(SearchQuery("x"), in: session, by: client)
        case .sendMessage:
            _ = try engine.send(SendMessage(session: session, content: "x"), by: client, at: now, random: &random)
        case .recreateMessage: _ = try engine.recreate(message, none, by: client, at: now, random: &random)
        case .summarizeSession: _ = try engine.summarize(session, none, by: client, at: now, random: &random)
        case .listMessages: _ = try engine.messages(of: session, by: client)
        case .getMessage: _ = try engine.message(message, by: client)
        case .getMessageVariants: _ = try engine.variants(of: message, by: client)
        case .reactToMessage: _ = try engine.react(to: message, ReactToMessage(reaction: .like), by: client, at: now)
        case .searchAllSessions, .listSessionTypes, .revokeShare, .readExport:
            throw Problem.notApplicable("operation \(operation.rawValue)")
        }
    }
}
