import ChatCodec
import ChatCrypto
public import ChatModel

extension PrivateV1 {
    /// The bare Double Ratchet of the reference profile: each content is one payload, as it is.
    ///
    /// The inner type of ``PrivateV1`` and ``Compact``; a type of its own for those who need no more.
    public struct Ratchet: SimpleConversation, Equatable {
        /// Name, claims and what it lacks.
        public static let facts = Facts(
            name: "ratchet",
            summary: "Two participants and the Double Ratchet of PRIVATE1, without the stages around it.",
            claims: RatchetParty.claims + [
                Claim(.recipientPrivacy, "PVR-1", "the address names no participant"),
                Claim(.unlinkability, "PVR-1", holds: false, "one address for each conversation"),
            ])
        /// Bytes of an id (CT-02).
        static let idSize = 16
        private static let constants = RatchetParty.Constants(
            type: facts.name, idSize: idSize, address: address, ratchet: .reference)

        /// An address of its own for each conversation, which tells nothing of the participants (PVR-1).
        private static func address(_ ids: RoleIDs) -> DeliveryAddress {
            DeliveryAddress(hex(BLAKE2b.hash(count: 8, Array("pv1|addr|".utf8) + ids.base)))
        }

        private var base: RatchetParty
        /// The keys that open payloads, for inspection by a third party.
        package var ratchet: DoubleRatchet { base.ratchet }

        /// Begins with a secret, and the responder's ratchet key: our pair as responder, the remote key as initiator.
        ///
        /// The initiator draws its first ratchet key at once; the responder decrypts the opening.
        public init(_ seed: ConversationSeed, in step: inout Step) throws(Refusal) {
            base = try RatchetParty(seed, Self.constants, in: &step)
            guard seed.role == .responder else { return }
            guard let opening = seed.opening else { throw Self.constants.incomplete("an opening") }
            try receive(opening, in: &step)
        }

        /// Makes the conversation again from its state and the keys of missing payloads.
        public init(restoring records: [Record]) throws(Refusal) {
            base = try RatchetParty(restoring: records, Self.constants)
        }

        /// The state, if it changed, and a record for each key of a missing payload that came or went.
        public mutating func takeChanges() -> [Record] { base.takeChanges(Self.constants) }

        /// The own side's conversation id: 32 digits.
        public var id: ConversationID { base.party.id }

        /// The own id on the conversation's address, under each secret that may be used.
        public var listening: [Listening] { base.listening }

        /// Sends content; the first of an initiator goes into the invite. There are no other actions.
        public mutating func perform(_ action: Action, as id: ContentID, in step: inout Step) throws(Refusal) {
            guard case .send(let content, part: .whole, about: nil) = action else {
                throw Refusal(.unsupported, CommonCause.unsupportedAction(action.name, type: Self.facts.name))
            }
            try base.send(content.count, for: id, in: &step) { $0.append(bytes: content.span) }
        }

        /// Receives a payload; forged, malformed, repeated and early ones change nothing.
        public mutating func receive(_ routed: Routed, in step: inout Step) throws(Refusal) {
            try receive(routed.payload, in: &step)
        }

        private mutating func receive(_ payload: Payload, in step: inout Step) throws(Refusal) {
            let opened = try base.open(payload, Self.constants, in: &step) { bytes throws(Refusal) in bytes }
            base.report(opened, in: &step)
            step.report(
                .content(ReceivedContent(opened.value, sender: base.party.peer, reference: opened.reference)))
        }
    }
}
