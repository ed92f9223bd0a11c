/// What a conversation tells the application.
public enum Event: Sendable, Hashable {
    /// Content arrived.
    case content(ReceivedContent)
    /// How far one of our own contents came.
    case status(ContentID, ContentStatus)
    /// Who takes part has changed; the list is complete.
    case members([PublicKey])
    /// Content is missing here.
    case gap(Gap)
    /// A part of what was received could not be used; the rest could.
    case refused(Refusal)
    /// What a single type knows, with a typed façade beside that type.
    case frame(kind: String, bytes: Bytes)
}

/// Content that arrived, whole or in part.
public struct ReceivedContent: Sendable, Hashable {
    /// How the bytes relate to what came before under the same reference.
    public enum Part: String, Sendable, Hashable {
        /// The whole content.
        case whole
        /// A piece to append.
        case delta
        /// All of it so far, replacing what came before.
        case snapshot
        /// The last piece.
        case last
    }

    /// The bytes.
    public let content: Content
    /// Who sent it, where the type knows.
    public let sender: PublicKey?
    /// Whole, or which part.
    public let part: Part
    /// The type's own name for it, where it has one.
    public let reference: String?

    /// Describes received content.
    public init(_ content: Content, sender: PublicKey? = nil, part: Part = .whole, reference: String? = nil) {
        (self.content, self.sender, self.part, self.reference) = (content, sender, part, reference)
    }
}

/// How far a content came on its way.
public enum ContentStatus: Sendable, Hashable {
    /// Stored here; it survives a crash.
    case accepted
    /// Every payload of it is with the delivery service.
    case sent
    /// The peer's client has it.
    case delivered
    /// It will not arrive, and why.
    case failed(String)
}

/// Content that is missing.
public struct Gap: Sendable, Hashable {
    /// The type's own name for what is missing.
    public let reference: String
    /// Who sent it, where known.
    public let sender: PublicKey?
    /// Whether it cannot come any more.
    public let isFinal: Bool

    /// Describes a gap.
    public init(reference: String, sender: PublicKey? = nil, isFinal: Bool) {
        (self.reference, self.sender, self.isFinal) = (reference, sender, isFinal)
    }
}
