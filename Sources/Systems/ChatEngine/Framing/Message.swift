public import ChatCodec

/// A message as clients and backends get it (section 4 of `Specs/chat-engine.md`, CE-G20).
public struct Message: EngineObject {
    /// Its id.
    public var id: MessageID
    /// The session.
    public var session: SessionID
    /// The message that it answers; none for a root.
    public var parent: MessageID?
    /// Who it is from.
    public var role: MessageRole
    /// What it says; perhaps nothing where its place in the tree is known.
    public var content: [ContentPart]
    /// Files.
    public var files: [UUIDText]?
    /// What only an engine knows; absent in messages of the published schema alone.
    public var place: Place?
    /// Which of several variants it is.
    public var variant: VariantInfo?
    /// What its backend said besides.
    public var metadata: Metadata?
    /// When it came to be.
    public var createdAt: DateTime

    /// Where a message is in its tree.
    public struct Place: Hashable, Sendable {
        /// The place among its siblings, from 0; there may be gaps.
        public var index: Int
        /// Whether it is the sibling that the path goes through.
        public var isActive: Bool
        /// Whether its generation came to its end.
        public var isComplete: Bool

        /// A place.
        public init(index: Int, isActive: Bool, isComplete: Bool) {
            (self.index, self.isActive, self.isComplete) = (index, isActive, isComplete)
        }
    }

    /// A message.
    public init(
        id: MessageID, session: SessionID, parent: MessageID? = nil, role: MessageRole, content: [ContentPart],
        files: [UUIDText]? = nil, place: Place? = nil, variant: VariantInfo? = nil, metadata: Metadata? = nil,
        createdAt: DateTime
    ) {
        (self.id, self.session, self.parent, self.role, self.content) = (id, session, parent, role, content)
        (self.files, self.place, self.variant) = (files, place, variant)
        (self.metadata, self.createdAt) = (metadata, createdAt)
    }
}

extension Message {
    private static let placeKeys = ["variant_index", "is_active", "is_complete"]

    /// Reads the fields: those of the published schema, those of the OpenAPI document, or both.
    public init(_ fields: Fields) throws(Violation) {
        try fields.allow(
            "message_id", "session_id", "role", "content", "file_ids", "parent_message_id", "variant_info", "metadata",
            "created_at", "variant_index", "is_active", "is_complete")
        id = try fields.get("message_id")
        session = try fields.get("session_id")
        parent = try fields.nullable("parent_message_id")
        role = try fields.get("role")
        place = fields.hasAny(of: Self.placeKeys) ? try Place(fields) : nil
        content = try fields.content(mayBeEmpty: place != nil)
        files = try fields.files()
        variant = try fields.nullable("variant_info")
        metadata = try fields.optional("metadata")
        createdAt = try fields.get("created_at")
    }

    /// Writes the members; the content is a list always.
    public func writeMembers(to writer: inout JSONWriter) {
        writer.field("message_id", id)
        writer.field("session_id", session)
        writer.nullable("parent_message_id", parent)
        writer.field("role", role)
        writer.field("content", content)
        writer.optional("file_ids", files)
        if let place {
            writer.field("variant_index", place.index)
            writer.field("is_active", place.isActive)
            writer.field("is_complete", place.isComplete)
        }
        writer.nullable("variant_info", variant)
        writer.optional("metadata", metadata)
        writer.field("created_at", createdAt)
    }
}

extension Message.Place {
    fileprivate init(_ fields: Fields) throws(Violation) {
        index = try fields.count("variant_index", Fields.counts, .variant)
        isActive = try fields.bool("is_active")
        isComplete = try fields.bool("is_complete")
    }
}

extension Fields {
    /// A text, which becomes a text part, or a list of parts (CE-09).
    func content(mayBeEmpty: Bool) throws(Violation) -> [ContentPart] {
        if case .string(let text) = try required("content") {
            guard !text.isEmpty else { throw Violation(.content, "is empty", at: "content") }
            return [.text(text)]
        }
        let parts: [ContentPart] = try list("content")
        guard mayBeEmpty || !parts.isEmpty else { throw Violation(.content, "is empty", at: "content") }
        return parts
    }
}

/// What a person has said, before it is a message for the backend: `message` of `message.new`.
public struct MessageDraft: EngineObject {
    /// Who it is from.
    public var role: MessageRole
    /// What it says.
    public var content: [ContentPart]
    /// Files.
    public var files: [UUIDText]?

    /// A draft.
    public init(role: MessageRole = .user, content: [ContentPart], files: [UUIDText]? = nil) {
        (self.role, self.content, self.files) = (role, content, files)
    }

    /// Reads the fields.
    public init(_ fields: Fields) throws(Violation) {
        try fields.allow("role", "content", "file_ids")
        role = try fields.get("role")
        content = try fields.content(mayBeEmpty: true)
        files = try fields.files()
    }

    /// Writes the members; a text alone is a text, as the client sent it.
    public func writeMembers(to writer: inout JSONWriter) {
        writer.field("role", role)
        if content.count == 1, case .text(let text) = content[0] {
            writer.field("content", text)
        } else {
            writer.field("content", content)
        }
        writer.optional("file_ids", files)
    }
}

/// The answer to operation 15: the variants of a message in order of their indexes.
public struct MessageVariants: EngineObject {
    /// The variants, one at least.
    public var variants: [Message]
    /// Which of them is active, counted from 0.
    public var current: Int

    /// Variants.
    public init(variants: [Message], current: Int) {
        (self.variants, self.current) = (variants, current)
    }

    /// Reads the fields.
    public init(_ fields: Fields) throws(Violation) {
        try fields.allow("variants", "current_index")
        variants = try fields.list("variants")
        guard !variants.isEmpty else { throw Violation(.variant, "has no variant", at: "variants") }
        current = try fields.count("current_index", 0...max(0, variants.count - 1), .variant)
    }

    /// Writes the members.
    public func writeMembers(to writer: inout JSONWriter) {
        writer.field("variants", variants)
        writer.field("current_index", current)
    }
}

/// A whole answer to `message.new` or `message.recreate` (CE-18).
public struct MessageReply: EngineObject {
    /// The id that the webhook gave (CE-G12).
    public var id: MessageID
    /// What it says.
    public var content: [ContentPart]
    /// What is said besides.
    public var metadata: Metadata?

    /// An answer.
    public init(id: MessageID, content: [ContentPart], metadata: Metadata? = nil) {
        (self.id, self.content, self.metadata) = (id, content, metadata)
    }

    /// Reads the fields; the role can only be the assistant's.
    public init(_ fields: Fields) throws(Violation) {
        try fields.allow("message_id", "role", "content", "metadata")
        id = try fields.get("message_id")
        let role: MessageRole = try fields.get("role")
        guard role == .assistant else { throw Violation(.reply, "is not assistant", at: "role") }
        content = try fields.list("content")
        guard !content.isEmpty else { throw Violation(.reply, "is empty", at: "content") }
        metadata = try fields.optional("metadata")
    }

    /// Writes the members.
    public func writeMembers(to writer: inout JSONWriter) {
        writer.field("message_id", id)
        writer.field("role", MessageRole.assistant)
        writer.field("content", content)
        writer.optional("metadata", metadata)
    }
}
