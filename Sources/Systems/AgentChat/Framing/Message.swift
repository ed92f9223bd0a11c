public import ChatCodec

/// A message of a chat.
public struct Message: Hashable, Sendable {
    /// Who wrote it.
    public enum Role: String, Hashable, Sendable {
        /// The person.
        case user
        /// The agent.
        case assistant
        /// The operator.
        case system
    }

    /// What a message says about the one before it.
    public enum Parent: Hashable, Sendable {
        /// It is the first (`null`).
        case root
        /// It follows this one.
        case message(Identifier)
    }

    /// Its id.
    public var id: Identifier
    /// Who wrote it.
    public var role: Role
    /// What it consists of; only an assistant's may be empty.
    public var parts: [MessagePart]
    /// Any JSON.
    public var metadata: JSON?
    /// The message before it, where it says so.
    public var parent: Parent?
    /// When it was written, as RFC 3339 has it.
    public var createdAt: String?

    /// A message.
    public init(
        id: Identifier, role: Role, parts: [MessagePart], metadata: JSON? = nil, parent: Parent? = nil,
        createdAt: String? = nil
    ) {
        (self.id, self.role, self.parts) = (id, role, parts)
        (self.metadata, self.parent, self.createdAt) = (metadata, parent, createdAt)
    }
}
