/// How does a recipient learn that someone wants to talk?
///
/// A value holds one client's outstanding introduction bundles and turns another client's bundle
/// into a conversation. Two to read: `OpenInvite`, the smallest, and `InboxV1`; `Conformance.check(initialization:)`
/// tells whether yours keeps the rules. For implementers: the client tries a received payload on a copy and keeps the
/// copy only if the conversation accepted the opening, so delete a single-use key in ``Machine/receive(_:in:)``
/// at once; a bad opening then costs nothing (INBOX-04, INBOX-14). Copies are made often: keep them cheap.
public protocol InitializationProtocol: Machine {
    /// Name, claims and needs.
    var facts: Facts { get }

    /// Takes up all records of an earlier run.
    mutating func restore(_ records: [Record]) throws(Refusal)

    /// Makes bundles to be published, each backed by keys of its own where the scheme has keys.
    mutating func introduce(_ count: Int, in step: inout Step) throws(Refusal) -> [IntroductionBundle]

    /// Prepares a conversation that this client founds alone, to add others later.
    mutating func found(_ type: ConversationType, in step: inout Step) throws(Refusal) -> ConversationSeed

    /// Begins a contact with the maker of a bundle.
    ///
    /// The machine keeps and stores the state that ``invite(_:opening:for:in:)`` needs, until that call or
    /// ``Signal/contactEnded(_:)`` comes.
    ///
    /// - Returns: a seed whose ``ConversationSeed/contact`` is the contact, or nil where messages must go back and
    ///   forth first: ``Step/start(_:)`` with such a seed follows later, or ``Step/finish(_:_:)`` with a reason.
    mutating func begin(
        _ type: ConversationType, with bundle: IntroductionBundle, as contact: ContactID, in step: inout Step
    ) throws(Refusal) -> ConversationSeed?

    /// Sends the invite of a contact that has begun, with what the conversation says first.
    ///
    /// May come long after ``begin(_:with:as:in:)``, and after a restart.
    mutating func invite(
        _ contact: ContactID, opening: Payload, for content: ContentID?, in step: inout Step
    ) throws(Refusal)
}

extension InitializationProtocol {
    /// Schemes without state have nothing to restore.
    public mutating func restore(_ records: [Record]) throws(Refusal) {}

    /// A secret of 32 random bytes is all that a founder needs.
    public mutating func found(_ type: ConversationType, in step: inout Step) throws(Refusal) -> ConversationSeed {
        ConversationSeed(type: type, side: .founding, secret: step.random.secret(32, for: .secret))
    }
}
