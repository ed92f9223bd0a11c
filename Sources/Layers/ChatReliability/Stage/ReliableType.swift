public import ChatModel

/// Any conversation type of two made reliable, with constants of its own: the value behind a name with parameters.
///
/// ``Reliable`` is the same for a Swift type without parameters.
public struct ReliableType: ConversationProtocol {
    /// The name, and what the stage adds to the inner type's claims.
    public let facts: Facts
    private let inner: any ConversationProtocol
    private let constants: ReliableConstants
    private let names: @Sendable (ConversationSeed) throws(Refusal) -> ReliableNames

    /// Makes a type reliable.
    ///
    /// - Parameters:
    ///   - name: of the new type, with the parameters in which it differs from others.
    ///   - summary: one sentence for people.
    ///   - inner: the type within.
    ///   - constants: the constants of the type.
    ///   - names: what participants and channel are called; by default by their roles.
    public init(
        _ name: ConversationType, summary: String, around inner: any ConversationProtocol,
        constants: ReliableConstants = .compact,
        names: @escaping @Sendable (ConversationSeed) throws(Refusal) -> ReliableNames = { seed throws(Refusal) in
            ReliableNames(seed.role)
        }
    ) {
        (self.inner, self.constants, self.names) = (inner, constants, names)
        facts = Facts(
            name: name.name, summary: summary, claims: ReliableConstants.claims(around: inner.facts.claims),
            needs: inner.facts.needs)
    }

    /// Begins a conversation.
    public func begin(_ seed: ConversationSeed, in step: inout Step) throws(Refusal) -> any Conversation {
        let stage = try ReliableStage(
            seed, try names(seed), constants,
            inner: { (seed, step) throws(Refusal) in
                AnyConversation(base: try inner.begin(seed, in: &step))
            }, in: &step)
        return ReliableMachine(stage: stage)
    }

    /// Makes a conversation again from all its records.
    public func restore(_ records: [Record]) throws(Refusal) -> any Conversation {
        let stage = try ReliableStage(
            restoring: records, constants,
            inner: { (records) throws(Refusal) in
                AnyConversation(base: try inner.restore(records))
            })
        return ReliableMachine(stage: stage)
    }
}

/// A conversation of a ``ReliableType``.
struct ReliableMachine: StagedConversation {
    var stage: ReliableStage<AnyConversation>
}

/// A conversation whose Swift type is not known.
struct AnyConversation: Conversation {
    var base: any Conversation

    var id: ConversationID { base.id }
    var acceptsContent: Bool { base.acceptsContent }
    var listening: [Listening] { base.listening }
    var nextWake: Timestamp? { base.nextWake }
    mutating func perform(_ action: Action, as id: ContentID, in step: inout Step) throws(Refusal) {
        try base.perform(action, as: id, in: &step)
    }
    mutating func receive(_ routed: Routed, in step: inout Step) throws(Refusal) {
        try base.receive(routed, in: &step)
    }
    mutating func handle(_ signal: Signal, in step: inout Step) { base.handle(signal, in: &step) }
    mutating func takeChanges() -> [Record] { base.takeChanges() }
}
