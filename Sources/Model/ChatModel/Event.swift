/// An event that a conversation reports to the application.
public enum Event: Sendable, Hashable {
    /// Content arrived, whole or in part.
    case content(ReceivedContent)
    /// The status of one of our own contents.
    case status(ContentID, ContentStatus)
    /// The progress of a content of several payloads; it is not kept, and never the last step.
    case progress(Target, done: Int, of: Int)
    /// The other side does not want one of our contents, or what it said, any more.
    case cancelled(Target)
    /// Who takes part has changed; the list is complete.
    case members([PublicKey])
    /// Content is missing here.
    case gap(Gap)
    /// A part of what was received could not be used; the rest could.
    case refused(Refusal)
    /// The conversation is over, and why; nothing can be sent in it any more.
    case ended(String)
    /// An event that only one conversation type defines, with a typed façade beside that type; kept over a restart unless it is transient.
    case frame(kind: String, bytes: Bytes, isTransient: Bool = false)

    /// Whether the application can miss it: nothing is written to disk for it, and after a restart the machine reports
    /// a snapshot of what is still open (DURABLE-1).
    public var isTransient: Bool {
        switch self {
        case .content(let received): !received.part.isLast
        case .frame(_, _, let isTransient): isTransient
        case .progress: true
        case .status, .cancelled, .members, .gap, .refused, .ended: false
        }
    }
}

/// How bytes relate to what came before under the same reference or content id.
public enum Part: Sendable, Hashable {
    /// The whole content; nothing follows.
    case whole
    /// Bytes to add; the type defines what that means.
    case delta
    /// All of it so far, replacing what came before.
    case snapshot
    /// All of it that there will ever be, and why it ends here; nothing follows.
    case cut(Ending)

    /// The part in one word, for records and programs.
    public var word: String {
        switch self {
        case .whole: "whole"
        case .delta: "delta"
        case .snapshot: "snapshot"
        case .cut: "cut"
        }
    }

    /// Whether nothing follows.
    public var isLast: Bool {
        switch self {
        case .whole, .cut: true
        case .delta, .snapshot: false
        }
    }
}

/// How a content or a reply ended.
public enum Ending: Sendable, Hashable {
    /// It is complete.
    case complete
    /// A participant wanted no more of it.
    case cancelled
    /// It could not go on, and why.
    case failed(String)
}

/// A content that an action or event is about.
public enum Target: Sendable, Hashable {
    /// A content of our own.
    case own(ContentID)
    /// A received content, by the type's name for it (``ReceivedContent/reference``).
    case received(String)
}

/// Content that arrived, whole or in part.
public struct ReceivedContent: Sendable, Hashable {
    /// The bytes.
    public let content: Content
    /// Who sent it, where the type knows.
    public let sender: PublicKey?
    /// Whole, or which part.
    public let part: Part
    /// The type's own name for it, where it has one; all parts of one content have the same.
    public let reference: String?
    /// The content that it answers, where the type knows.
    public let about: Target?

    /// Describes received content.
    public init(
        _ content: Content, sender: PublicKey? = nil, part: Part = .whole, reference: String? = nil,
        about: Target? = nil
    ) {
        (self.content, self.sender, self.part) = (content, sender, part)
        (self.reference, self.about) = (reference, about)
    }
}

/// How far a content came on its way.
public enum ContentStatus: Sendable, Hashable {
    /// Stored here; it survives a crash.
    case accepted
    /// Every payload of it is with the delivery service.
    case sent
    /// A peer's client has it: that of one of several, or of all where no key is named; only the latter is final.
    case delivered(by: PublicKey?)
    /// It was taken back before it arrived, or cut short, by whom it came from.
    case cancelled
    /// It will not arrive, and why.
    case failed(String)
}

extension ContentStatus {
    /// Every peer's client has it.
    public static var delivered: ContentStatus { .delivered(by: nil) }
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
