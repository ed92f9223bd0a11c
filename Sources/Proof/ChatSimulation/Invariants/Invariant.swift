public import ChatClient
public import ChatModel

/// Something that must hold in every run, checked while it goes on.
///
/// A value may keep what it needs to judge; it sees what happens after it has happened. For
/// implementers: return nil as long as all is well, and otherwise one line with numbers.
public protocol Invariant: Sendable {
    /// By which it is known: a few words.
    var name: String { get }
    /// Somebody's application heard something.
    mutating func heard(_ hearing: Hearing, in ledger: Ledger) -> Finding?
    /// A peer published a payload.
    mutating func published(_ addressed: Addressed, by peer: Int) -> Finding?
    /// A peer has finished a step.
    mutating func stepped(_ load: PeerLoad, peer: Int) -> Finding?
    /// A peer told its application how far a content came; the number is the ledger's.
    mutating func told(_ status: ContentStatus, of content: Int, in ledger: Ledger) -> Finding?
    /// Everything was heard and the run is over; what each participant of a thread has, in its order.
    mutating func healed(_ orders: [[String]], thread: Int, in ledger: Ledger) -> Finding?
    /// The run is over.
    mutating func concluded(_ ledger: Ledger, _ tally: Tally) -> Finding?
}

extension Invariant {
    /// For invariants that are not about hearing.
    public mutating func heard(_ hearing: Hearing, in ledger: Ledger) -> Finding? { nil }
    /// For invariants that are not about the wire.
    public mutating func published(_ addressed: Addressed, by peer: Int) -> Finding? { nil }
    /// For invariants that are not about what a peer holds.
    public mutating func stepped(_ load: PeerLoad, peer: Int) -> Finding? { nil }
    /// For invariants that are not about statuses.
    public mutating func told(_ status: ContentStatus, of content: Int, in ledger: Ledger) -> Finding? { nil }
    /// For invariants that are not about orders.
    public mutating func healed(_ orders: [[String]], thread: Int, in ledger: Ledger) -> Finding? { nil }
    /// For invariants that are never left open.
    public mutating func concluded(_ ledger: Ledger, _ tally: Tally) -> Finding? { nil }
}

/// An application's hearing of a content.
public struct Hearing: Sendable {
    /// Whose application.
    public let peer: Int
    /// The content's number in the ledger; nil if nobody ever said these bytes.
    public let content: Int?
    /// The hearer's place among the thread's participants; nil if it is none of them.
    public let place: Int?
    /// Whether it had not heard it before.
    public let isFirst: Bool
    /// Whether it came in the conversation in which it was said.
    public let isInPlace: Bool
    /// What the client told.
    public let received: ReceivedContent
}

/// What a peer holds after a step.
public struct PeerLoad: Sendable, Hashable {
    /// What its client holds.
    public let core: CoreLoad
    /// Bytes of its records, when they were last put in order.
    public let storedBytes: Int
}

/// What an invariant found: one line with numbers, and where to look.
public struct Finding: Sendable, Hashable, ExpressibleByStringInterpolation {
    /// What was seen.
    public let text: String
    /// The peers that it is about, beside the one to whom it happened.
    public let peers: [Int]
    /// The thread that it is about, where that does not follow from what happened.
    public let thread: Int?

    /// Describes what was found.
    public init(_ text: String, peers: [Int] = [], thread: Int? = nil) {
        (self.text, self.peers, self.thread) = (text, peers, thread)
    }

    /// What was found in words alone.
    public init(stringLiteral text: String) {
        self.init(text)
    }
}

/// What did not hold, and where to look.
public struct Violation: Sendable, Hashable, CustomStringConvertible {
    /// The name of what did not hold.
    public let invariant: String
    /// What was seen instead, with numbers.
    public let text: String
    /// When.
    public let time: VirtualTime
    /// The peers that it is about.
    public let peers: [Int]
    /// The thread that it is about, if it is about one.
    public let thread: Int?

    /// One line.
    public var description: String { "\(invariant): \(text) (at \(time))" }
}
