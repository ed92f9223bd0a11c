public import ChatModel

/// A conversation type made of another one and the stage that makes it reliable.
///
/// A conforming type states its name, its constants and which type is inside; everything else is here. A type from
/// outside needs no conformance to be used inside: ``Reliable`` takes any.
public protocol ReliableConversation: ConversationProtocol {
    /// The type whose contents are SDS messages.
    associatedtype Inner: ConversationProtocol
    /// The type's constants, which never change.
    static var constants: ReliableConstants { get }
    /// What participants and channel are called; by default by their roles.
    static func names(_ seed: ConversationSeed) throws(Refusal) -> ReliableNames
    /// Everything there is.
    var stage: ReliableStage<Inner> { get set }
    /// Makes it of a stage.
    init(_ stage: ReliableStage<Inner>)
}

extension ReliableConversation {
    /// By roles, in channel `0`.
    public static func names(_ seed: ConversationSeed) throws(Refusal) -> ReliableNames { ReliableNames(seed.role) }

    /// Begins a conversation; the responder's opening must be a message with content.
    public init(_ seed: ConversationSeed, in turn: inout Step) throws(Refusal) {
        self.init(try ReliableStage(seed, Self.names(seed), Self.constants, in: &turn))
    }

    /// Makes the conversation again from all its records.
    public init(restoring records: [Record]) throws(Refusal) {
        self.init(try ReliableStage(restoring: records, Self.constants))
    }

    /// Ids of the messages that are here, in the order in which both sides have them once nothing is missing.
    package var messageOrder: [String] { stage.channel.order.map(\.id.text) }

    /// The inner conversation's id.
    public var id: ConversationID { stage.inner.id }

    /// What the inner conversation listens to.
    public var listening: [Listening] { stage.inner.listening }

    /// When something is due here or in the inner conversation.
    public var nextWake: Timestamp? { stage.nextWake }

    /// Sends content, which arrives whole, once and in causal order; other actions are the inner type's.
    public mutating func perform(_ action: Action, in turn: inout Step) throws(Refusal) {
        try stage.perform(action, in: &turn)
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
