/// The eight webhooks, and how each is called: the table of section 7 of `Specs/chat-engine.md`.
public enum WebhookKind: String, Hashable, Sendable, CaseIterable {
    /// A session begins.
    case sessionCreated = "session.created"
    /// A person has said something.
    case messageNew = "message.new"
    /// An answer is to be given again.
    case messageRecreate = "message.recreate"
    /// A client closed before its answer was complete.
    case messageAborted = "message.aborted"
    /// A session is gone.
    case sessionDeleted = "session.deleted"
    /// A session is to be summarized.
    case sessionSummary = "session.summary"
    /// How is the backend?
    case healthCheck = "session_type.health_check"
    /// A person reacted to a message.
    case messageReaction = "message.reaction"

    /// Whether the engine waits for an answer; the others are told and forgotten (CE-36).
    public var isAnswered: Bool {
        switch self {
        case .messageAborted, .sessionDeleted, .messageReaction: false
        default: true
        }
    }

    /// Whether the answer may be a stream.
    public var isStreamed: Bool {
        switch self {
        case .messageNew, .messageRecreate, .sessionSummary: true
        default: false
        }
    }

    /// Whether it is called again after a failed connection, a timeout or a status of 500 and more (CE-33).
    public var isRetried: Bool { self == .sessionCreated || self == .healthCheck }

    /// Whether it asks the circuit breaker and counts for it (CE-32).
    public var usesBreaker: Bool { isAnswered }

    /// The most seconds from connecting to the last byte of one attempt, where a session type says how many it wants
    /// (CE-34). Those that are told and forgotten, and health checks, have a time of their own.
    public func timeout(configured: Int?) -> Int {
        switch self {
        case .sessionCreated: min(60, configured ?? 30)
        case .messageNew, .messageRecreate: min(300, configured ?? 120)
        case .sessionSummary: min(120, configured ?? 60)
        case .messageAborted, .sessionDeleted, .messageReaction: 10
        case .healthCheck: 5
        }
    }
}
