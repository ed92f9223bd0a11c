public import ChatModel

/// A conversation type made of another one and the stage that makes it reliable.
///
/// A conforming type states its name, its constants and which type is inside; everything else is here. A type from
/// outside needs no conformance to be used inside: ``Reliable`` and ``ReliableType`` take any.
public protocol ReliableConversation: StagedConversation, SimpleConversation where Inner: SimpleConversation {
    /// The type's constants, which never change.
    static var constants: ReliableConstants { get }
    /// The names of participants and channel; by default their roles.
    static func names(_ seed: ConversationSeed) throws(Refusal) -> ReliableNames
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
}

extension ReliableStage where Inner: SimpleConversation {
    /// Begins a conversation around one of a type without parameters.
    public init(
        _ seed: ConversationSeed, _ names: ReliableNames, _ constants: ReliableConstants, in turn: inout Step
    ) throws(Refusal) {
        try self.init(
            seed, names, constants, inner: { (seed, turn) throws(Refusal) in try Inner(seed, in: &turn) }, in: &turn)
    }

    /// Makes a conversation again around one of a type without parameters.
    public init(restoring records: [Record], _ constants: ReliableConstants) throws(Refusal) {
        try self.init(
            restoring: records, constants, inner: { (records) throws(Refusal) in try Inner(restoring: records) })
    }
}
