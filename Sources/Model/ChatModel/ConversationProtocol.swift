/// How do participants exchange content?
///
/// A value of a conforming type is one conversation of one immutable conversation type (CT-08): a
/// converter between content and payloads (CT-06). For implementers: derive ``id`` from the seed so
/// that it is unique and hard to guess (CT-02, CT-03), tell valid, invalid and unsupported frames
/// apart (CT-10), and put what the first payload must carry into ``Step/open(_:member:for:)``
/// as long as you are the initiator and have sent nothing yet.
public protocol ConversationProtocol: Machine {
    /// Name of the conversation type, claims and needs.
    static var facts: Facts { get }

    /// Names this conversation on this client.
    var id: ConversationID { get }

    /// Begins a conversation; the responder's seed carries the initiator's opening, which is received here.
    init(_ seed: ConversationSeed, in step: inout Step) throws(Refusal)

    /// Makes the conversation again from all its records.
    init(restoring records: [Record]) throws(Refusal)

    /// Does what the application asks.
    mutating func perform(_ action: Action, in step: inout Step) throws(Refusal)
}

extension ConversationProtocol {
    /// The conversation type that this Swift type implements.
    public static var type: ConversationType { ConversationType(facts.name) }
}
