/// How does a recipient learn that someone wants to talk?
///
/// A value holds one client's outstanding introduction bundles and turns a bundle of somebody else's
/// into an invite. For implementers: the client tries a received invite on a copy and keeps the copy
/// only if the conversation accepted the opening, so delete a single-use key in ``receive(_:in:)``
/// at once; a bad opening then costs nothing (INBOX-04, INBOX-14).
public protocol InitializationProtocol: Machine {
    /// Name, claims and needs.
    var facts: Facts { get }

    /// Takes up all records of an earlier run.
    mutating func restore(_ records: [Record]) throws(Refusal)

    /// Makes bundles to be published, each backed by keys of its own where the scheme has keys.
    mutating func introduce(_ count: Int, in step: inout Step) throws(Refusal) -> [IntroductionBundle]

    /// Prepares a conversation with the maker of a bundle, or without a bundle founds a group.
    mutating func seed(
        _ type: ConversationType, for bundle: IntroductionBundle?, in step: inout Step
    ) throws(Refusal) -> ConversationSeed

    /// Sends the invite that belongs to a seed, with what the conversation says first.
    ///
    /// - Parameter conversation: the initiator's id, by which ``Signal/inviteAnswered(_:)`` comes back.
    mutating func invite(
        _ seed: ConversationSeed, as conversation: ConversationID, opening: Payload, for content: ContentID?,
        in step: inout Step
    ) throws(Refusal)
}

extension InitializationProtocol {
    /// Schemes without state have nothing to restore.
    public mutating func restore(_ records: [Record]) throws(Refusal) {}
}
