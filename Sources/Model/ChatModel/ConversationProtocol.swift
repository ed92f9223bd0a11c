/// How do participants exchange content?
///
/// A value of a conforming type is an immutable conversation type, constants included (CT-08): it makes conversations
/// and makes them again from their records. Types that differ in parameters are values of one Swift type, whose names
/// differ; and one type may make different machines for its sides. A type without parameters is shorter to write as a
/// ``SimpleConversation``. Two to read: `PlainConversation`, the smallest, and `PrivateV1`;
/// `Conformance.check(conversation:)` tells whether yours keeps the rules.
public protocol ConversationProtocol: Sendable {
    /// Name, with parameters where the type has some (``ConversationType/init(_:parameters:)``), claims and needs.
    var facts: Facts { get }

    /// Begins a conversation; the seed of one who was invited carries the inviter's opening, which is received here.
    func begin(_ seed: ConversationSeed, in step: inout Step) throws(Refusal) -> any Conversation

    /// Makes a conversation again from all its records.
    func restore(_ records: [Record]) throws(Refusal) -> any Conversation
}

extension ConversationProtocol {
    /// The name of the type, parameters included.
    public var name: ConversationType { ConversationType(facts.name) }
}

/// One conversation: a converter between content and payloads (CT-06).
///
/// For implementers: derive ``id`` from the seed so that it is unique and hard to guess (CT-02, CT-03), tell valid,
/// invalid and unsupported frames apart (CT-10), and put what the first payload must carry into
/// ``Step/open(_:to:for:)`` as long as you invite and have sent nothing yet.
public protocol Conversation: Machine {
    /// Names this conversation on this client.
    var id: ConversationID { get }

    /// Whether content can be sent now; until it can, the client lets it wait, stored. True unless a type says so.
    var acceptsContent: Bool { get }

    /// Does what the application asks. Every action has an id, and what becomes of it is a status of that id.
    mutating func perform(_ action: Action, as id: ContentID, in step: inout Step) throws(Refusal)
}

extension Conversation {
    /// Content can be sent from the beginning.
    public var acceptsContent: Bool { true }
}

/// A conversation whose type has no parameters and one kind of machine: the Swift type says all, and
/// `PlainConversation.type` is the value.
public protocol SimpleConversation: Conversation {
    /// Name of the conversation type, claims and needs.
    static var facts: Facts { get }

    /// Begins a conversation; the seed of one who was invited carries the inviter's opening, which is received here.
    init(_ seed: ConversationSeed, in step: inout Step) throws(Refusal)

    /// Makes the conversation again from all its records.
    init(restoring records: [Record]) throws(Refusal)
}

extension SimpleConversation {
    /// The conversation type that this Swift type implements.
    public static var type: SimpleType<Self> { SimpleType() }
}

/// The conversation type of a ``SimpleConversation``.
public struct SimpleType<Machine: SimpleConversation>: ConversationProtocol {
    fileprivate init() {}

    /// The facts of the Swift type.
    public var facts: Facts { Machine.facts }

    /// Begins a conversation.
    public func begin(_ seed: ConversationSeed, in step: inout Step) throws(Refusal) -> any Conversation {
        try Machine(seed, in: &step)
    }

    /// Makes a conversation again from all its records.
    public func restore(_ records: [Record]) throws(Refusal) -> any Conversation {
        try Machine(restoring: records)
    }
}
