public import ChatCodec

/// A session as its owner gets it.
public struct Session: EngineObject {
    /// Its id.
    public var id: SessionID
    /// Whose it is.
    public var client: String
    /// Its type, the one thing of it that changes.
    public var sessionType: SessionTypeID
    /// What it can do, as its backend said.
    public var capabilities: [EngineCapability]
    /// What is known of it besides: a title, tags, a summary.
    public var metadata: JSON?
    /// When it came to be.
    public var createdAt: DateTime
    /// When a message or anything else of it changed last; absent in the published schema of operation 2.
    public var updatedAt: DateTime?
    /// A token under which it is shared.
    public var shareToken: ShareToken?

    /// A session.
    public init(
        id: SessionID, client: String, sessionType: SessionTypeID, capabilities: [EngineCapability],
        metadata: JSON? = nil, createdAt: DateTime, updatedAt: DateTime? = nil, shareToken: ShareToken? = nil
    ) {
        (self.id, self.client, self.sessionType, self.capabilities) = (id, client, sessionType, capabilities)
        (self.metadata, self.createdAt, self.updatedAt) = (metadata, createdAt, updatedAt)
        self.shareToken = shareToken
    }

    /// Reads the fields.
    public init(_ fields: Fields) throws(Violation) {
        try fields.allow(
            "session_id", "client_id", "session_type_id", "available_capabilities", "metadata", "created_at",
            "updated_at", "share_token")
        id = try fields.get("session_id")
        client = try fields.fullText("client_id")
        sessionType = try fields.get("session_type_id")
        capabilities = try fields.list("available_capabilities")
        metadata = try fields.optionalObject("metadata")
        createdAt = try fields.get("created_at")
        updatedAt = try fields.optional("updated_at")
        shareToken = try fields.nullable("share_token")
    }

    /// Writes the members.
    public func writeMembers(to writer: inout JSONWriter) {
        writer.field("session_id", id)
        writer.field("client_id", client)
        writer.field("session_type_id", sessionType)
        writer.field("available_capabilities", capabilities)
        writer.optional("metadata", metadata)
        writer.field("created_at", createdAt)
        writer.optional("updated_at", updatedAt)
        writer.optional("share_token", shareToken)
    }
}

/// A text of 32 bytes or more that whoever has it may read a session with (CE-14). It is never printed.
public struct ShareToken: EngineValue, CustomStringConvertible {
    /// The token.
    public let text: String

    /// A text, if it is long enough and without U+0000.
    public init?(_ text: String) {
        // Storage that ends texts at U+0000 would take two tokens for one.
        guard text.unicodeScalars.count >= 32, !text.unicodeScalars.contains("\0") else { return nil }
        self.text = text
    }

    /// A token of 256 random bits.
    public init(bits: [UInt8]) {
        text = Base64URL.encode(bits)
    }

    /// Says what it is.
    public var description: String { "ShareToken" }

    /// Compares in a time that depends on the lengths alone.
    public static func == (left: Self, right: Self) -> Bool {
        let (left, right) = (Array(left.text.utf8), Array(right.text.utf8))
        guard left.count == right.count else { return false }
        return zip(left, right).reduce(into: UInt8(0)) { $0 |= $1.0 ^ $1.1 } == 0
    }

    /// Hashes the token.
    public func hash(into hasher: inout Hasher) { hasher.combine(ExactText(text)) }

    /// Reads it.
    public init(_ json: JSON, _ tolerance: Tolerance) throws(Violation) {
        guard let text = json.text else { throw Violation(.field, "is no text") }
        guard let token = ShareToken(text) else { throw Violation(.fixed, "has less than 32 characters") }
        self = token
    }

    /// Writes it.
    public func write(to writer: inout JSONWriter) { writer.text(text) }
}

/// The answer to operation 6.
public struct SessionShared: EngineObject {
    /// The token.
    public var token: ShareToken
    /// The link that has it.
    public var url: String

    /// A share.
    public init(token: ShareToken, url: String) {
        (self.token, self.url) = (token, url)
    }

    /// Reads the fields.
    public init(_ fields: Fields) throws(Violation) {
        try fields.allow("share_token", "share_url")
        token = try fields.get("share_token")
        url = try fields.url("share_url")
    }

    /// Writes the members.
    public func writeMembers(to writer: inout JSONWriter) {
        writer.field("share_token", token)
        writer.field("share_url", url)
    }
}
