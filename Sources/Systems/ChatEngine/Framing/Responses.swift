public import ChatCodec

/// The answer to operation 1.
public struct SessionCreated: EngineObject {
    /// The session.
    public var session: SessionID
    /// What it can do.
    public var capabilities: [EngineCapability]

    /// Makes it.
    public init(session: SessionID, capabilities: [EngineCapability]) {
        (self.session, self.capabilities) = (session, capabilities)
    }

    /// Reads the fields.
    public init(_ fields: Fields) throws(Violation) {
        try fields.allow("session_id", "available_capabilities")
        session = try fields.get("session_id")
        capabilities = try fields.list("available_capabilities")
    }

    /// Writes the members.
    public func writeMembers(to writer: inout JSONWriter) {
        writer.field("session_id", session)
        writer.field("available_capabilities", capabilities)
    }
}

/// The answer to operation 3.
public struct SessionDeleted: EngineObject {

    /// Makes it.
    public init() {}

    /// Reads the fields.
    public init(_ fields: Fields) throws(Violation) {
        try fields.allow("deleted")
        try fields.isTrue("deleted")
    }

    /// Writes the members.
    public func writeMembers(to writer: inout JSONWriter) {
        writer.field("deleted", true)
    }
}

/// The answer to operation 4.
public struct SessionTypeSwitched: EngineObject {
    /// The session.
    public var session: SessionID
    /// Its type from now on.
    public var sessionType: SessionTypeID

    /// Makes it.
    public init(session: SessionID, sessionType: SessionTypeID) {
        (self.session, self.sessionType) = (session, sessionType)
    }

    /// Reads the fields.
    public init(_ fields: Fields) throws(Violation) {
        try fields.allow("session_id", "session_type_id")
        session = try fields.get("session_id")
        sessionType = try fields.get("session_type_id")
    }

    /// Writes the members.
    public func writeMembers(to writer: inout JSONWriter) {
        writer.field("session_id", session)
        writer.field("session_type_id", sessionType)
    }
}

/// The answer to operation 5.
public struct SessionExported: EngineObject {
    /// Where the file is.
    public var url: String
    /// Until when, a day or more ahead.
    public var expiresAt: DateTime

    /// Makes it.
    public init(url: String, expiresAt: DateTime) {
        (self.url, self.expiresAt) = (url, expiresAt)
    }

    /// Reads the fields.
    public init(_ fields: Fields) throws(Violation) {
        try fields.allow("download_url", "expires_at")
        url = try fields.url("download_url")
        expiresAt = try fields.get("expires_at")
    }

    /// Writes the members.
    public func writeMembers(to writer: inout JSONWriter) {
        writer.field("download_url", url)
        writer.field("expires_at", expiresAt)
    }
}

/// The answer to a revocation of a share token.
public struct ShareRevoked: EngineObject {

    /// Makes it.
    public init() {}

    /// Reads the fields.
    public init(_ fields: Fields) throws(Violation) {
        try fields.allow("revoked")
        try fields.isTrue("revoked")
    }

    /// Writes the members.
    public func writeMembers(to writer: inout JSONWriter) {
        writer.field("revoked", true)
    }
}

/// The answer to operation 7.
public struct SharedSession: EngineObject {
    /// The session.
    public var session: SessionID
    /// Its active path.
    public var messages: [Message]
    /// What the session says of itself.
    public var metadata: JSON?

    /// Makes it.
    public init(session: SessionID, messages: [Message], metadata: JSON? = nil) {
        (self.session, self.messages, self.metadata) = (session, messages, metadata)
    }

    /// Reads the fields.
    public init(_ fields: Fields) throws(Violation) {
        try fields.allow("session_id", "messages", "read_only", "metadata")
        session = try fields.get("session_id")
        messages = try fields.list("messages")
        try fields.isTrue("read_only")
        metadata = try fields.optionalObject("metadata")
    }

    /// Writes the members.
    public func writeMembers(to writer: inout JSONWriter) {
        writer.field("session_id", session)
        writer.field("messages", messages)
        writer.field("read_only", true)
        writer.optional("metadata", metadata)
    }
}

/// The answer to operation 13.
public struct MessageList: EngineObject {
    /// The messages.
    public var messages: [Message]

    /// Makes it.
    public init(messages: [Message]) {
        self.messages = messages
    }

    /// Reads the fields.
    public init(_ fields: Fields) throws(Violation) {
        try fields.allow("messages")
        messages = try fields.list("messages")
    }

    /// Writes the members.
    public func writeMembers(to writer: inout JSONWriter) {
        writer.field("messages", messages)
    }
}

/// The answer to operation 16.
public struct ReactionApplied: EngineObject {
    /// The message.
    public var message: MessageID
    /// The reaction.
    public var reaction: ReactionType
    /// Whether the message has it now.
    public var isApplied: Bool

    /// Makes it.
    public init(message: MessageID, reaction: ReactionType, isApplied: Bool) {
        (self.message, self.reaction, self.isApplied) = (message, reaction, isApplied)
    }

    /// Reads the fields.
    public init(_ fields: Fields) throws(Violation) {
        try fields.allow("message_id", "reaction_type", "applied")
        message = try fields.get("message_id")
        reaction = try fields.get("reaction_type")
        isApplied = try fields.bool("applied")
    }

    /// Writes the members.
    public func writeMembers(to writer: inout JSONWriter) {
        writer.field("message_id", message)
        writer.field("reaction_type", reaction)
        writer.field("applied", isApplied)
    }
}

/// What clients learn of a session type: never where its backend is.
public struct SessionTypeSummary: EngineObject {
    /// The id.
    public var id: SessionTypeID
    /// The name for people.
    public var name: String
    /// What it is.
    public var summary: String?

    /// Makes it.
    public init(id: SessionTypeID, name: String, summary: String? = nil) {
        (self.id, self.name, self.summary) = (id, name, summary)
    }

    /// Reads the fields.
    public init(_ fields: Fields) throws(Violation) {
        try fields.allow("session_type_id", "name", "description")
        id = try fields.get("session_type_id")
        name = try fields.fullText("name")
        summary = try fields.optionalText("description")
    }

    /// Writes the members.
    public func writeMembers(to writer: inout JSONWriter) {
        writer.field("session_type_id", id)
        writer.field("name", name)
        writer.optional("description", summary)
    }
}

/// The session types of an engine (CE-G05).
public struct SessionTypeList: EngineObject {
    /// The session types.
    public var sessionTypes: [SessionTypeSummary]

    /// Makes it.
    public init(sessionTypes: [SessionTypeSummary]) {
        self.sessionTypes = sessionTypes
    }

    /// Reads the fields.
    public init(_ fields: Fields) throws(Violation) {
        try fields.allow("session_types")
        sessionTypes = try fields.list("session_types")
    }

    /// Writes the members.
    public func writeMembers(to writer: inout JSONWriter) {
        writer.field("session_types", sessionTypes)
    }
}
