public import ChatCodec

/// The body of operation 1.
public struct CreateSession: EngineObject {
    /// The session type.
    public var sessionType: SessionTypeID
    /// The client, which has to be that of the token.
    public var client: String

    /// Makes it.
    public init(sessionType: SessionTypeID, client: String) {
        (self.sessionType, self.client) = (sessionType, client)
    }

    /// Reads the fields.
    public init(_ fields: Fields) throws(Violation) {
        try fields.allow("session_type_id", "client_id")
        sessionType = try fields.get("session_type_id")
        client = try fields.fullText("client_id")
    }

    /// Writes the members.
    public func writeMembers(to writer: inout JSONWriter) {
        writer.field("session_type_id", sessionType)
        writer.field("client_id", client)
    }
}

/// The body of operation 4.
public struct SwitchSessionType: EngineObject {
    /// The new session type.
    public var sessionType: SessionTypeID

    /// Makes it.
    public init(sessionType: SessionTypeID) {
        self.sessionType = sessionType
    }

    /// Reads the fields.
    public init(_ fields: Fields) throws(Violation) {
        try fields.allow("new_session_type_id")
        sessionType = try fields.get("new_session_type_id")
    }

    /// Writes the members.
    public func writeMembers(to writer: inout JSONWriter) {
        writer.field("new_session_type_id", sessionType)
    }
}

/// The body of operation 5.
public struct ExportSession: EngineObject {
    /// The form.
    public var format: ExportFormat
    /// Which messages.
    public var scope: ExportScope

    /// Makes it.
    public init(format: ExportFormat, scope: ExportScope) {
        (self.format, self.scope) = (format, scope)
    }

    /// Reads the fields.
    public init(_ fields: Fields) throws(Violation) {
        try fields.allow("format", "scope")
        format = try fields.get("format")
        scope = try fields.get("scope")
    }

    /// Writes the members.
    public func writeMembers(to writer: inout JSONWriter) {
        writer.field("format", format)
        writer.field("scope", scope)
    }
}

/// The body of operation 6, which may be absent.
public struct ShareSession: EngineObject {
    /// When the link stops to work.
    public var expiresAt: DateTime?

    /// Makes it.
    public init(expiresAt: DateTime? = nil) {
        self.expiresAt = expiresAt
    }

    /// Reads the fields.
    public init(_ fields: Fields) throws(Violation) {
        try fields.allow("expires_at")
        expiresAt = try fields.optional("expires_at")
    }

    /// Writes the members.
    public func writeMembers(to writer: inout JSONWriter) {
        writer.optional("expires_at", expiresAt)
    }
}

/// The body of operation 10.
public struct SendMessage: EngineObject {
    /// The session.
    public var session: SessionID
    /// The text, at least one byte.
    public var content: String
    /// Files, at most ten, each once (CE-10).
    public var files: [UUIDText]?
    /// The message that it answers; the last of the active path where absent.
    public var parent: MessageID?
    /// Ids of capabilities; those that are on by default where absent.
    public var capabilities: [String]?

    /// Makes it.
    public init(
        session: SessionID, content: String, files: [UUIDText]? = nil, parent: MessageID? = nil,
        capabilities: [String]? = nil
    ) {
        (self.session, self.content, self.files, self.parent) = (session, content, files, parent)
        self.capabilities = capabilities
    }

    /// Reads the fields.
    public init(_ fields: Fields) throws(Violation) {
        try fields.allow("session_id", "content", "file_ids", "parent_message_id", "enabled_capabilities")
        session = try fields.get("session_id")
        content = try fields.fullText("content", .content)
        files = try fields.files(isRequest: true)
        parent = try fields.optional("parent_message_id")
        capabilities = try fields.optionalTexts("enabled_capabilities")
    }

    /// Writes the members.
    public func writeMembers(to writer: inout JSONWriter) {
        writer.field("session_id", session)
        writer.field("content", content)
        writer.optional("file_ids", files)
        writer.optional("parent_message_id", parent)
        writer.optional("enabled_capabilities", capabilities)
    }
}

/// The body of operations 11 and 12, which may be absent.
public struct EnableCapabilities: EngineObject {
    /// Ids of capabilities; those that are on by default where absent.
    public var capabilities: [String]?

    /// Makes it.
    public init(capabilities: [String]? = nil) {
        self.capabilities = capabilities
    }

    /// Reads the fields.
    public init(_ fields: Fields) throws(Violation) {
        try fields.allow("enabled_capabilities")
        capabilities = try fields.optionalTexts("enabled_capabilities")
    }

    /// Writes the members.
    public func writeMembers(to writer: inout JSONWriter) {
        writer.optional("enabled_capabilities", capabilities)
    }
}

/// The body of operation 16.
public struct ReactToMessage: EngineObject {
    /// The reaction; none takes it back.
    public var reaction: ReactionType

    /// Makes it.
    public init(reaction: ReactionType) {
        self.reaction = reaction
    }

    /// Reads the fields.
    public init(_ fields: Fields) throws(Violation) {
        try fields.allow("reaction_type")
        reaction = try fields.get("reaction_type")
    }

    /// Writes the members.
    public func writeMembers(to writer: inout JSONWriter) {
        writer.field("reaction_type", reaction)
    }
}
