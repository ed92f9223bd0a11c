public import ChatModel

/// A conversation that is a reliability stage around another one.
public protocol StagedConversation: Conversation {
    /// The machine whose contents are SDS messages.
    associatedtype Inner: Conversation
    /// Everything there is.
    var stage: ReliableStage<Inner> { get set }
}

extension StagedConversation {
    /// Ids of the messages that are here, in the order in which both sides have them once nothing is missing.
    package var messageOrder: [String] { stage.channel.order.map(\.id.text) }

    /// The inner conversation's id.
    public var id: ConversationID { stage.inner.id }

    /// The listenings of the inner conversation.
    public var listening: [Listening] { stage.inner.listening }

    /// Whether the inner conversation accepts content.
    public var acceptsContent: Bool { stage.inner.acceptsContent }

    /// When something is due here or in the inner conversation.
    public var nextWake: Timestamp? { stage.nextWake }

    /// Sends content, which arrives whole, once and in causal order; other actions are the inner type's.
    public mutating func perform(_ action: Action, as id: ContentID, in turn: inout Step) throws(Refusal) {
        try stage.perform(action, as: id, in: &turn)
    }

    /// Receives a payload; what the inner type refuses changes nothing.
    public mutating func receive(_ routed: Routed, in turn: inout Step) throws(Refusal) {
        try stage.receive(routed, in: &turn)
    }

    /// Sends again, acknowledges and gives up what is due.
    public mutating func handle(_ signal: Signal, in turn: inout Step) {
        stage.handle(signal, in: &turn)
    }

    /// The records of all its parts that changed.
    public mutating func takeChanges() -> [Record] {
        stage.takeChanges()
    }
}
