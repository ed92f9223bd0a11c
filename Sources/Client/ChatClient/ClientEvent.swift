public import ChatModel

/// What a client tells its application.
public enum ClientEvent: Sendable, Hashable {
    /// A conversation began: by our invite or by somebody else's.
    case began(ConversationID, ConversationType, Role, peers: [PublicKey])
    /// A first contact began that takes several messages; what is said in the conversation waits until it began.
    case pending(ConversationID, ConversationType)
    /// A first contact came to nothing, or a conversation had to end, and why; nothing more comes in it or leaves.
    case failed(ConversationID, Report)
    /// Content arrived.
    case content(ConversationID, ReceivedContent)
    /// How far one of our own contents came; `failed` says why it will not arrive.
    case status(ConversationID, ContentID, ContentStatus)
    /// Who takes part has changed.
    case members(ConversationID, [PublicKey])
    /// Content is missing.
    case gap(ConversationID, Gap)
    /// How far a content is that takes several payloads; not kept over a restart.
    case progress(ConversationID, Target, done: Int, of: Int)
    /// The other side does not want one of our contents, or what it said, any more.
    case cancelled(ConversationID, Target)
    /// A conversation is over, and why.
    case ended(ConversationID, String)
    /// The keys of a conversation seem to fit no longer: what comes cannot be opened, here or on the other side. Mostly
    /// an old copy of one side's data was put back. What is said may never arrive; a new first contact is the way out.
    /// The conversation goes on nevertheless, since a stranger can make it look like that. With the code
    /// `unanswered`: nobody has answered the invite for 15 days (CORE-22).
    case broken(ConversationID, Report)
    /// What a single conversation type knows.
    case frame(ConversationID, kind: String, bytes: Bytes)
    /// Something well-formed arrived that this client does not speak (FR-03, INIT-04, CT-12).
    case unsupported(ConversationID?, Report)
    /// Something arrived that was refused; it changed nothing.
    case inboundError(ConversationID?, Report)
    /// The delivery service lost its link or has it back, or lost payloads.
    case link(Notice)
    /// State could not be stored; the step did not happen and is tried again.
    case storageTrouble(String)

    /// Why something was refused, in a form that can be stored and shown.
    public struct Report: Sendable, Hashable, CustomStringConvertible {
        /// What kind of refusal.
        public let outcome: Refusal.Outcome
        /// A stable word for programs.
        public let code: String
        /// One line for people.
        public let text: String

        /// Reports a refusal.
        public init(_ refusal: Refusal) {
            (outcome, code, text) = (refusal.outcome, refusal.cause.code, refusal.cause.description)
        }

        init(_ outcome: Refusal.Outcome, code: String, text: String) {
            (self.outcome, self.code, self.text) = (outcome, code, text)
        }

        /// Outcome and text.
        public var description: String { "\(outcome.rawValue): \(text)" }
    }

    /// Whether it survives a restart: everything that is about content does.
    var isKept: Bool {
        switch self {
        case .began, .pending, .failed, .content, .status, .members, .gap, .frame, .cancelled, .ended, .broken: true
        case .progress, .unsupported, .inboundError, .link, .storageTrouble: false
        }
    }
}

/// Events that became true in one step, in order.
public struct EventBatch: Sendable, Hashable {
    /// Counts up, also over restarts; a batch shown again after a crash has its number again.
    public let number: UInt64
    /// What happened.
    public let events: [ClientEvent]

    /// Bytes of what it carries.
    var size: Int {
        events.reduce(0) { sum, event in
            switch event {
            case .content(_, let received): sum + received.content.count
            case .frame(_, _, let bytes): sum + bytes.count
            default: sum
            }
        }
    }
}
