internal import ChatCodec
public import ChatModel

/// A piece of what is inspected: where it stands, what it is called, what it says and what is inside.
public struct DissectionNode: Hashable, Sendable {
    /// Where the bytes of a piece come from, which is what its offset counts from.
    public enum Origin: String, Hashable, Sendable {
        /// The first byte of the input.
        case input
        /// The first byte of what a key opened.
        case opened
    }

    /// The name, as the document has it.
    public var name: String
    /// The first byte; nil for what is no run of bytes, such as the answer to a check.
    public var offset: Int?
    /// How many bytes, with the field's own tag and length.
    public var count = 0
    /// What ``offset`` counts from.
    public var origin = Origin.input
    /// The value, whole.
    public var value = Value.none
    /// What a reader should know of it.
    public var meaning = ""
    /// The requirement that says so, or is broken where there is a fault; may be empty.
    public var requirement = ""
    /// The section of a document that defines the piece; nil for a field of a message that has one.
    public var section: Section?
    /// What is wrong with it.
    public var fault: Fault?
    /// Whether it is a field that its document does not have.
    public var isUnknown = false
    /// What it consists of, in the order of the bytes.
    public var parts: [DissectionNode] = []

    init(_ name: String, _ run: Run? = nil) {
        self.name = name
        guard let run else { return }
        (offset, count, origin) = (run.start, run.bytes.count, run.origin)
    }

    /// The faults of this piece and all in it, in the order of the bytes.
    public var faults: [Fault] { (fault.map { [$0] } ?? []) + parts.flatMap(\.faults) }
}

/// A value as a reader wants to see it.
public enum Value: Hashable, Sendable {
    /// There is none: the parts say it all.
    case none
    /// A number.
    case number(UInt64)
    /// Milliseconds since the Unix epoch.
    case time(Int64)
    /// A text; nothing of it is trusted.
    case text(String)
    /// Bytes without a further meaning.
    case bytes(Bytes)
    /// A word of ours: a kind, an answer.
    case word(String)
}

/// What is wrong, where, and which requirement says so.
public struct Fault: Hashable, Sendable {
    /// The byte at which it breaks, counted like the offset of its piece.
    public let offset: Int
    /// What that counts from.
    public let origin: DissectionNode.Origin
    /// One line that a person can act on.
    public let reason: String
    /// The requirement that is violated.
    public let requirement: String
    /// The section in which that requirement stands.
    public let section: Section
    /// `invalid`, or `unsupported` where a later version may know what it is (WIRE-7).
    public var outcome = Refusal.Outcome.invalid

    /// The word for it: malformed, or unsupported.
    public var word: String { outcome == .invalid ? "malformed" : outcome.rawValue }
}

/// A section of one of the documents in `Specs/`.
public struct Section: Hashable, Sendable, CustomStringConvertible {
    /// The file's name.
    public let document: String
    /// The heading.
    public let title: String

    init(_ document: String, _ title: String) {
        (self.document, self.title) = (document, title)
    }

    /// Both, as one would cite them.
    public var description: String { "\(document), \(title)" }
}

/// A run of bytes with its place in the input, or in what a key opened.
struct Run {
    let bytes: Bytes
    let start: Int
    let origin: DissectionNode.Origin

    init(_ bytes: Bytes, start: Int = 0, origin: DissectionNode.Origin = .input) {
        (self.bytes, self.start, self.origin) = (bytes, start, origin)
    }

    /// A part of it; offsets count from its first byte.
    func part(_ range: Range<Int>) -> Run {
        Run(bytes.slice(range), start: start + range.lowerBound, origin: origin)
    }

    /// Something wrong at a byte, counted from its first one.
    func fault(_ offset: Int, _ reason: String, _ requirement: String, _ section: Section) -> Fault {
        Fault(offset: start + offset, origin: origin, reason: reason, requirement: requirement, section: section)
    }
}
