/// What people think of messages: one reaction for each person and message (CE-30). The message does not change.
public struct Reactions: Hashable, Sendable {
    private struct Key: Hashable {
        let message: MessageID
        let user: String
    }

    private var reactions: [Key: ReactionType] = [:]

    /// No reactions.
    public init() {}

    /// All reactions, in no order.
    public var all: [(message: MessageID, user: String, reaction: ReactionType)] {
        reactions.map { ($0.key.message, $0.key.user, $0.value) }
    }

    /// What became of a reaction.
    public struct Change: Hashable, Sendable {
        /// Whether the message has it now.
        public let isApplied: Bool
        /// The one before it.
        public let previous: ReactionType?
        /// Whether the backend is told; not where nothing was there to take back.
        public let isTold: Bool
    }

    /// Sets a reaction, or takes it back.
    public mutating func react(_ reaction: ReactionType, to message: MessageID, by user: String) -> Change {
        let key = Key(message: message, user: user)
        let previous = reactions[key]
        reactions[key] = reaction == .none ? nil : reaction
        return Change(
            isApplied: reaction != .none, previous: previous, isTold: reaction != .none || previous != nil)
    }
}
