public import ChatCodec

/// A message that a search found.
public struct SearchHit: EngineObject {
    /// The message.
    public var message: MessageID
    /// The text that matched.
    public var content: String
    /// Some text around the match.
    public var context: String
    /// When it was written.
    public var createdAt: DateTime?

    /// Makes it.
    public init(message: MessageID, content: String, context: String, createdAt: DateTime? = nil) {
        (self.message, self.content, self.context, self.createdAt) = (message, content, context, createdAt)
    }

    /// Reads the fields.
    public init(_ fields: Fields) throws(Violation) {
        try fields.allow("message_id", "content", "context", "created_at")
        message = try fields.get("message_id")
        content = try fields.text("content")
        context = try fields.text("context")
        createdAt = try fields.optional("created_at")
    }

    /// Writes the members.
    public func writeMembers(to writer: inout JSONWriter) {
        writer.field("message_id", message)
        writer.field("content", content)
        writer.field("context", context)
        writer.optional("created_at", createdAt)
    }
}

/// The answer to operation 8: a page of the hits, and how many there are.
public struct SearchResults: EngineObject {
    /// The page.
    public var results: [SearchHit]
    /// All hits.
    public var total: Int
    /// The most on a page.
    public var limit: Int
    /// How many come before the page.
    public var offset: Int

    /// Makes it.
    public init(results: [SearchHit], total: Int, limit: Int, offset: Int) {
        (self.results, self.total, self.limit, self.offset) = (results, total, limit, offset)
    }

    /// Reads the fields.
    public init(_ fields: Fields) throws(Violation) {
        try fields.allow("results", "total", "limit", "offset")
        results = try fields.list("results")
        total = try fields.count("total", Fields.counts)
        limit = try fields.count("limit", 1...100)
        offset = try fields.count("offset", Fields.counts)
    }

    /// Writes the members.
    public func writeMembers(to writer: inout JSONWriter) {
        writer.field("results", results)
        writer.field("total", total)
        writer.field("limit", limit)
        writer.field("offset", offset)
    }
}

/// A session in which a search found messages.
public struct SessionSearchHit: EngineObject {
    /// The session.
    public var session: SessionID
    /// What the session says of itself.
    public var metadata: JSON?
    /// The messages.
    public var messages: [SearchHit]

    /// Makes it.
    public init(session: SessionID, metadata: JSON? = nil, messages: [SearchHit]) {
        (self.session, self.metadata, self.messages) = (session, metadata, messages)
    }

    /// Reads the fields.
    public init(_ fields: Fields) throws(Violation) {
        try fields.allow("session_id", "metadata", "matched_messages")
        session = try fields.get("session_id")
        metadata = try fields.optionalObject("metadata")
        messages = try fields.list("matched_messages")
    }

    /// Writes the members.
    public func writeMembers(to writer: inout JSONWriter) {
        writer.field("session_id", session)
        writer.optional("metadata", metadata)
        writer.field("matched_messages", messages)
    }
}

/// The answer to operation 9: a page of the sessions with hits, and how many there are.
public struct SessionSearchResults: EngineObject {
    /// The page.
    public var results: [SessionSearchHit]
    /// All sessions with hits.
    public var total: Int
    /// The most on a page.
    public var limit: Int
    /// How many come before the page.
    public var offset: Int

    /// Makes it.
    public init(results: [SessionSearchHit], total: Int, limit: Int, offset: Int) {
        (self.results, self.total, self.limit, self.offset) = (results, total, limit, offset)
    }

    /// Reads the fields.
    public init(_ fields: Fields) throws(Violation) {
        try fields.allow("results", "total", "limit", "offset")
        results = try fields.list("results")
        total = try fields.count("total", Fields.counts)
        limit = try fields.count("limit", 1...100)
        offset = try fields.count("offset", Fields.counts)
    }

    /// Writes the members.
    public func writeMembers(to writer: inout JSONWriter) {
        writer.field("results", results)
        writer.field("total", total)
        writer.field("limit", limit)
        writer.field("offset", offset)
    }
}
