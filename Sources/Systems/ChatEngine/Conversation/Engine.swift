import ChatCodec
public import ChatModel

/// An engine in memory: sessions, trees, reactions and shares, without network, clock or storage.
///
/// Each operation of section 6 of `Specs/chat-engine.md` is one method. One that needs a backend gives an `Ask`; the
/// caller makes the call and says how it ended. A method that throws has changed nothing. What belongs to another
/// client is answered as if it did not exist (CE-23).
public struct Engine: Sendable {
    /// A session and all that belongs to it.
    struct Held: Hashable, Sendable {
        var session: Session
        var tree: MessageTree
        var reactions = Reactions()
    }

    /// A call of a backend that the engine wants made.
    public struct Ask: Hashable, Sendable {
        /// The session type, whose breaker is asked.
        public let sessionType: SessionTypeID
        /// Where the call goes.
        public let url: String
        /// The time that the session type wants, in seconds.
        public let timeout: Int?
        /// What is said.
        public let webhook: Webhook
        /// The session.
        public let session: SessionID
        /// The id of the answer that is generated; for a summary, an id that names no message.
        public let reply: MessageID?
    }

    /// How a generation ended.
    public enum End: Hashable, Sendable {
        /// The answer is whole.
        case complete(Metadata?)
        /// The backend failed, or the engine stops.
        case failed
        /// The client closed.
        case closed
    }

    /// The session types.
    public let types: SessionTypes
    var held: [SessionID: Held] = [:]
    var shares = Shares()
    /// The session of each message, and of each answer that is under way.
    private var sessions: [MessageID: SessionID] = [:]
    /// The sessions that were taken up, whose messages are found in their trees.
    private var adopted: Set<SessionID> = []

    /// An engine without sessions.
    public init(_ types: SessionTypes) {
        self.types = types
    }
}

// Sessions.
extension Engine {
    /// Operation 1: asks the backend for its consent; the session does not exist before that.
    public func create(
        _ body: CreateSession, by client: String, at now: Timestamp, random: inout any RandomSource
    ) throws(ErrorBody) -> Ask {
        guard ExactText.isSame(body.client, client) else {
            throw ErrorBody(Violation(.authentication, "is not the client of the token", at: "client_id"))
        }
        let type = try types.named(body.sessionType, in: "session_type_id")
        return consent(SessionID(random: &random), type, client, now)
    }

    /// The backend has consented: the session is there.
    public mutating func created(_ ask: Ask, _ reply: SessionCreatedReply, at now: Timestamp) -> SessionCreated {
        guard case .sessionCreated(let event) = ask.webhook.event, held[ask.session] == nil else {
            return SessionCreated(session: ask.session, capabilities: reply.capabilities)
        }
        let session = Session(
            id: ask.session, client: event.client, sessionType: event.sessionType, capabilities: reply.capabilities,
            createdAt: DateTime(now), updatedAt: DateTime(now))
        held[ask.session] = Held(session: session, tree: MessageTree(session: ask.session))
        return SessionCreated(session: ask.session, capabilities: reply.capabilities)
    }

    /// Operation 2.
    public func session(_ id: SessionID, by client: String) throws(ErrorBody) -> Session {
        try owned(id, by: client).session
    }

    /// Operation 3: the session and all of it are gone; the backend is told.
    public mutating func delete(_ id: SessionID, by client: String, at now: Timestamp) throws(ErrorBody) -> Ask? {
        let session = try owned(id, by: client)
        held[id] = nil
        adopted.remove(id)
        sessions = sessions.filter { $0.value != id }
        shares.removeAll(of: id)
        return ask(.sessionDeleted(SessionDeletedEvent(session: id)), session.session, now)
    }

    /// Operation 4: asks the new backend for its consent; the old one is kept until it has come.
    public func switchType(
        _ id: SessionID, _ body: SwitchSessionType, by client: String, at now: Timestamp
    ) throws(ErrorBody) -> Ask {
        _ = try owned(id, by: client)
        return consent(id, try types.named(body.sessionType, in: "new_session_type_id"), client, now)
    }

    /// The new backend has consented.
    public mutating func switched(
        _ ask: Ask, _ reply: SessionCreatedReply, at now: Timestamp
    ) throws(ErrorBody) -> SessionTypeSwitched {
        guard held[ask.session] != nil else { throw .noSession(ask.session) }
        held[ask.session]?.session.sessionType = ask.sessionType
        held[ask.session]?.session.capabilities = reply.capabilities
        touch(ask.session, now)
        return SessionTypeSwitched(session: ask.session, sessionType: ask.sessionType)
    }

    private func consent(_ id: SessionID, _ type: SessionType, _ client: String, _ now: Timestamp) -> Ask {
        let event = SessionCreatedEvent(session: id, sessionType: type.id, client: client)
        return Ask(
            sessionType: type.id, url: type.webhookURL, timeout: type.timeout,
            webhook: Webhook(.sessionCreated(event), at: DateTime(now)), session: id, reply: nil)
    }
}

// Messages.
extension Engine {
    /// Operation 10: stores what was said, and asks the backend. A guest has another client's session and its token.
    public mutating func send(
        _ body: SendMessage, by client: String, token: ShareToken? = nil, at now: Timestamp,
        random: inout any RandomSource
    ) throws(ErrorBody) -> Ask {
        let isGuest = held[body.session].map { !ExactText.isSame($0.session.client, client) } ?? false
        let session =
            if isGuest, let token, shares.session(token, at: now) == body.session, let other = held[body.session] {
                other.session
            } else {
                try owned(body.session, by: client).session
            }
        try known(session)
        let capabilities = try EngineCapability.enabled(body.capabilities, of: session.capabilities)
        let draft = MessageDraft(content: [.text(body.content)], files: body.files)
        let (user, reply) = (MessageID(random: &random), MessageID(random: &random))
        // In its place, so that the tree is not copied.
        let begun = try held[body.session]?.tree.send(
            draft, as: user, reply: reply, under: body.parent, isGuest: isGuest, at: DateTime(now))
        guard let generation = begun else { throw .noSession(body.session) }
        keep(user, of: body.session, now)
        sessions[reply] = body.session
        let event = MessageNewEvent(
            session: body.session, message: reply, sessionMetadata: session.metadata ?? .object(JSON.Object()),
            capabilities: capabilities, draft: draft, history: generation.history)
        return try backend(.messageNew(event), session, reply, now)
    }

    /// Operation 11: asks the backend for another answer.
    public mutating func recreate(
        _ id: MessageID, _ body: EnableCapabilities, by client: String, at now: Timestamp,
        random: inout any RandomSource
    ) throws(ErrorBody) -> Ask {
        let session = try owner(of: id, by: client).session
        try known(session)
        let capabilities = try EngineCapability.enabled(body.capabilities, of: session.capabilities)
        let reply = MessageID(random: &random)
        guard let generation = try held[session.id]?.tree.recreate(id, reply: reply) else { throw .noMessage(id) }
        keep(reply, of: session.id, now)
        let event = MessageRecreateEvent(
            session: session.id, message: reply, capabilities: capabilities, history: generation.history)
        return try backend(.messageRecreate(event), session, reply, now)
    }

    /// Operation 12: asks for a summary, where the session type has them (CE-39).
    public func summarize(
        _ id: SessionID, _ body: EnableCapabilities, by client: String, at now: Timestamp,
        random: inout any RandomSource
    ) throws(ErrorBody) -> Ask {
        let held = try owned(id, by: client)
        guard let type = types[held.session.sessionType], type.canSummarize else {
            throw ErrorBody(Violation(.summary, "is not supported by the session type", at: "session_id"))
        }
        let event = SessionSummaryEvent(
            session: id, capabilities: try EngineCapability.enabled(body.capabilities, of: held.session.capabilities),
            history: held.tree.history(to: held.tree.activePath.last?.id), settings: type.summarization?.forWebhook)
        return try backend(.sessionSummary(event), held.session, MessageID(random: &random), now)
    }

    /// Ends a generation: stores what there is, and says whom to tell. `complete` is written to the client after this.
    public mutating func finish(_ ask: Ask, _ reply: BackendReply, _ end: End, at now: Timestamp) -> Ask? {
        guard let id = ask.reply else { return nil }
        var isComplete = false
        var metadata: Metadata?
        if case .complete(let said) = end { (isComplete, metadata) = (true, said) }
        if ask.webhook.kind == .sessionSummary {
            if isComplete { set("summary", .string(reply.content.words), of: ask.session, now) }
            return nil
        }
        let node = held[ask.session]?.tree.finish(
            id, content: reply.stored, metadata: metadata, isComplete: isComplete, at: DateTime(now))
        if let node = node ?? nil { keep(node.id, of: ask.session, now) } else { sessions[id] = nil }
        guard end == .closed else { return nil }
        let event = MessageAbortedEvent(session: ask.session, message: id, content: reply.stored)
        return Ask(
            sessionType: ask.sessionType, url: ask.url, timeout: ask.timeout,
            webhook: Webhook(.messageAborted(event), at: DateTime(now)), session: ask.session, reply: nil)
    }

    /// Refuses a session whose type an operator has taken away, before anything changes.
    private func known(_ session: Session) throws(ErrorBody) {
        guard types[session.sessionType] != nil else {
            throw ErrorBody(.backendError, "the session type is not known any more")
        }
    }

    private func backend(
        _ event: Webhook.Event, _ session: Session, _ reply: MessageID, _ now: Timestamp
    ) throws(ErrorBody) -> Ask {
        guard let ask = ask(event, session, now, reply) else {
            throw ErrorBody(.backendError, "the session type is not known any more")
        }
        return ask
    }

    private mutating func set(_ key: String, _ value: JSON, of id: SessionID, _ now: Timestamp) {
        guard let session = held[id]?.session else { return }
        var metadata = JSON.Object()
        if case .object(let object)? = session.metadata { metadata = object }
        metadata[key] = value
        held[id]?.session.metadata = .object(metadata)
        touch(id, now)
    }
}

// What the methods share.
extension Engine {
    /// A session of a client.
    func owned(_ id: SessionID, by client: String) throws(ErrorBody) -> Held {
        guard let held = held[id], ExactText.isSame(held.session.client, client) else { throw .noSession(id) }
        return held
    }

    /// The session that has a message, if it is one of a client.
    func owner(of id: MessageID, by client: String) throws(ErrorBody) -> Held {
        guard let session = sessions[id] ?? adopted.first(where: { held[$0]?.tree.knows(id) ?? false }),
            let held = held[session], ExactText.isSame(held.session.client, client)
        else { throw .noMessage(id) }
        return held
    }

    func ask(_ event: Webhook.Event, _ session: Session, _ now: Timestamp, _ reply: MessageID? = nil) -> Ask? {
        guard let type = types[session.sessionType] else { return nil }
        let webhook = Webhook(event, at: DateTime(now))
        let service = webhook.kind == .sessionSummary ? type.summarization?.serviceURL : nil
        return Ask(
            sessionType: type.id, url: service ?? type.webhookURL, timeout: type.timeout, webhook: webhook,
            session: session.id, reply: reply)
    }

    mutating func keep(_ message: MessageID, of session: SessionID, _ now: Timestamp) {
        sessions[message] = session
        touch(session, now)
    }

    /// Takes up a session as it was stored.
    mutating func adopt(_ session: Session, _ tree: MessageTree, _ reactions: Reactions) {
        held[session.id] = Held(session: session, tree: tree, reactions: reactions)
        adopted.insert(session.id)
    }

    mutating func touch(_ id: SessionID, _ now: Timestamp) {
        held[id]?.session.updatedAt = DateTime(now)
    }
}
