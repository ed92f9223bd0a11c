public import ChatModel

/// An event of a client for its application.
public enum ClientEvent: Sendable, Hashable {
    /// A conversation began: by our invite or by somebody else's.
    case began(ConversationID, ConversationType, Role, peers: [PublicKey])
    /// A first contact began that takes several messages; what is said in the conversation waits until it began.
    case pending(ConversationID, ConversationType)
    /// A first contact came to nothing, or a conversation had to end, and why; nothing more comes in it or leaves.
    case failed(ConversationID, Report)
    /// An event of a conversation; `Event.refused` is shown as ``refused(_:_:)`` instead.
    case conversation(ConversationID, Event)
    /// The keys of a conversation seem to fit no longer: what comes cannot be opened, here or on the other side. Mostly
    /// an old copy of one side's data was put back. What is said may never arrive; a new first contact is the way out.
    /// The conversation goes on nevertheless, since a stranger can make it look like that. With the code
    /// `unanswered`: nobody has answered the invite for 15 days (CORE-22).
    case broken(ConversationID, Report)
    /// Something arrived that was refused and changed nothing, for the conversation if one refused it. With the outcome
    /// `unsupported` it is well-formed, and this client does not speak it (FR-03, INIT-04, CT-12).
    case refused(ConversationID?, Report)
    /// The delivery service lost its link or has it back, or lost payloads.
    case link(Notice)
    /// State could not be stored; the step did not happen and is tried again. The same trouble is reported once in ten
    /// seconds.
    case storageTrouble(String)

    /// Why something was refused, in a form that can be stored and shown.
    public struct Report: Sendable, Hashable, CustomStringConvertible {
        /// The kind of refusal.
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

    var isStorageTrouble: Bool {
        if case .storageTrouble = self { true } else { false }
    }

    /// Whether it is stored until the application has it (DURABLE-1).
    var isKept: Bool {
        switch self {
        case .began, .pending, .failed, .broken: true
        case .conversation(_, let event): !event.isTransient
        case .refused, .link, .storageTrouble: false
        }
    }
}

/// Events that became true in one step, in order.
public struct EventBatch: Sendable, Hashable {
    /// Counts up, also over restarts; a batch shown again after a crash has its number again. 0 where nothing of it is
    /// kept.
    public let number: UInt64
    /// The events, in order.
    public let events: [ClientEvent]

    /// Bytes of what it carries.
    var size: Int {
        events.reduce(0) { sum, event in
            switch event {
            case .conversation(_, .content(let received)): sum + received.content.count
            case .conversation(_, .frame(_, let bytes, _)): sum + bytes.count
            default: sum
            }
        }
    }
}
