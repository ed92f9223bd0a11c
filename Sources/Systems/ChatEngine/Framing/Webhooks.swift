public import ChatCodec

/// A session begins, if the backend consents.
public struct SessionCreatedEvent: EngineObject {
    /// The session.
    public var session: SessionID
    /// Its type.
    public var sessionType: SessionTypeID
    /// Whose it is.
    public var client: String

    /// Makes it.
    public init(session: SessionID, sessionType: SessionTypeID, client: String) {
        (self.session, self.sessionType, self.client) = (session, sessionType, client)
    }

    /// Reads the fields.
    public init(_ fields: Fields) throws(Violation) {
        try fields.allow("event", "timestamp", "session_id", "session_type_id", "client_id")
        session = try fields.get("session_id")
        sessionType = try fields.get("session_type_id")
        client = try fields.fullText("client_id")
    }

    /// Writes the members.
    public func writeMembers(to writer: inout JSONWriter) {
        writer.field("session_id", session)
        writer.field("session_type_id", sessionType)
        writer.field("client_id", client)
    }
}

/// A person has said something.
public struct MessageNewEvent: EngineObject {
    /// The session.
    public var session: SessionID
    /// The id of the answer to come (CE-G12).
    public var message: MessageID
    /// What the session says of itself.
    public var sessionMetadata: JSON?
    /// What the answer may use.
    public var capabilities: [EngineCapability]?
    /// What was said.
    public var draft: MessageDraft
    /// What came before, from the root.
    public var history: [Message]

    /// Makes it.
    public init(
        session: SessionID, message: MessageID, sessionMetadata: JSON? = nil, capabilities: [EngineCapability]? = nil,
        draft: MessageDraft, history: [Message]
    ) {
        (self.session, self.message, self.sessionMetadata, self.capabilities) = (
            session, message, sessionMetadata, capabilities
        )
        (self.draft, self.history) = (draft, history)
    }

    /// Reads the fields.
    public init(_ fields: Fields) throws(Violation) {
        try fields.allow(
            "event", "timestamp", "session_id", "message_id", "session_metadata", "enabled_capabilities", "message",
            "history")
        session = try fields.get("session_id")
        message = try fields.get("message_id")
        sessionMetadata = try fields.optionalObject("session_metadata")
        capabilities = try fields.optionalList("enabled_capabilities")
        draft = try fields.get("message")
        history = try fields.list("history")
    }

    /// Writes the members.
    public func writeMembers(to writer: inout JSONWriter) {
        writer.field("session_id", session)
        writer.field("message_id", message)
        writer.optional("session_metadata", sessionMetadata)
        writer.optional("enabled_capabilities", capabilities)
        writer.field("message", draft)
        writer.field("history", history)
    }
}

/// An answer is to be given again.
public struct MessageRecreateEvent: EngineObject {
    /// The session.
    public var session: SessionID
    /// The id of the answer to come (CE-G12).
    public var message: MessageID
    /// What the answer may use.
    public var capabilities: [EngineCapability]?
    /// What it answers, from the root.
    public var history: [Message]

    /// Makes it.
    public init(session: SessionID, message: MessageID, capabilities: [EngineCapability]? = nil, history: [Message]) {
        (self.session, self.message, self.capabilities, self.history) = (session, message, capabilities, history)
    }

    /// Reads the fields.
    public init(_ fields: Fields) throws(Violation) {
        try fields.allow("event", "timestamp", "session_id", "message_id", "enabled_capabilities", "history")
        session = try fields.get("session_id")
        message = try fields.get("message_id")
        capabilities = try fields.optionalList("enabled_capabilities")
        history = try fields.list("history")
    }

    /// Writes the members.
    public func writeMembers(to writer: inout JSONWriter) {
        writer.field("session_id", session)
        writer.field("message_id", message)
        writer.optional("enabled_capabilities", capabilities)
        writer.field("history", history)
    }
}

/// A client closed before its answer was complete.
public struct MessageAbortedEvent: EngineObject {
    /// The session.
    public var session: SessionID
    /// The id of the answer.
    public var message: MessageID
    /// What had come; perhaps nothing.
    public var content: [ContentPart]

    /// Makes it.
    public init(session: SessionID, message: MessageID, content: [ContentPart]) {
        (self.session, self.message, self.content) = (session, message, content)
    }

    /// Reads the fields.
    public init(_ fields: Fields) throws(Violation) {
        try fields.allow("event", "timestamp", "session_id", "message_id", "partial_content")
        session = try fields.get("session_id")
        message = try fields.get("message_id")
        content = try fields.list("partial_content")
    }

    /// Writes the members.
    public func writeMembers(to writer: inout JSONWriter) {
        writer.field("session_id", session)
        writer.field("message_id", message)
        writer.field("partial_content", content)
    }
}

/// A session is gone.
public struct SessionDeletedEvent: EngineObject {
    /// The session.
    public var session: SessionID

    /// Makes it.
    public init(session: SessionID) {
        self.session = session
    }

    /// Reads the fields.
    public init(_ fields: Fields) throws(Violation) {
        try fields.allow("event", "timestamp", "session_id")
        session = try fields.get("session_id")
    }

    /// Writes the members.
    public func writeMembers(to writer: inout JSONWriter) {
        writer.field("session_id", session)
    }
}

/// A session is to be summarized.
public struct SessionSummaryEvent: EngineObject {
    /// The session.
    public var session: SessionID
    /// What the summary may use.
    public var capabilities: [EngineCapability]?
    /// The active path.
    public var history: [Message]
    /// How it is to be.
    public var settings: SummarizationSettings?

    /// Makes it.
    public init(
        session: SessionID, capabilities: [EngineCapability]? = nil, history: [Message],
        settings: SummarizationSettings? = nil
    ) {
        (self.session, self.capabilities, self.history, self.settings) = (session, capabilities, history, settings)
    }

    /// Reads the fields.
    public init(_ fields: Fields) throws(Violation) {
        try fields.allow(
            "event", "timestamp", "session_id", "enabled_capabilities", "history", "summarization_settings")
        session = try fields.get("session_id")
        capabilities = try fields.optionalList("enabled_capabilities")
        history = try fields.list("history")
        settings = try fields.nullable("summarization_settings")
    }

    /// Writes the members.
    public func writeMembers(to writer: inout JSONWriter) {
        writer.field("session_id", session)
        writer.optional("enabled_capabilities", capabilities)
        writer.field("history", history)
        writer.optional("summarization_settings", settings)
    }
}

/// How is the backend?
public struct HealthCheckEvent: EngineObject {
    /// The session type.
    public var sessionType: SessionTypeID

    /// Makes it.
    public init(sessionType: SessionTypeID) {
        self.sessionType = sessionType
    }

    /// Reads the fields.
    public init(_ fields: Fields) throws(Violation) {
        try fields.allow("event", "timestamp", "session_type_id")
        sessionType = try fields.get("session_type_id")
    }

    /// Writes the members.
    public func writeMembers(to writer: inout JSONWriter) {
        writer.field("session_type_id", sessionType)
    }
}

/// A person reacted to a message.
public struct MessageReactionEvent: EngineObject {
    /// The session.
    public var session: SessionID
    /// The message.
    public var message: MessageID
    /// The person.
    public var user: String
    /// The reaction.
    public var reaction: ReactionType
    /// The one before it; none where it is the first.
    public var previous: ReactionType?

    /// Makes it.
    public init(
        session: SessionID, message: MessageID, user: String, reaction: ReactionType, previous: ReactionType? = nil
    ) {
        (self.session, self.message, self.user, self.reaction) = (session, message, user, reaction)
        self.previous = previous
    }

    /// Reads the fields.
    public init(_ fields: Fields) throws(Violation) {
        try fields.allow(
            "event", "timestamp", "session_id", "message_id", "user_id", "reaction_type", "previous_reaction_type")
        session = try fields.get("session_id")
        message = try fields.get("message_id")
        user = try fields.fullText("user_id")
        reaction = try fields.get("reaction_type")
        previous = try fields.nullable("previous_reaction_type")
    }

    /// Writes the members.
    public func writeMembers(to writer: inout JSONWriter) {
        writer.field("session_id", session)
        writer.field("message_id", message)
        writer.field("user_id", user)
        writer.field("reaction_type", reaction)
        writer.nullable("previous_reaction_type", previous)
    }
}
