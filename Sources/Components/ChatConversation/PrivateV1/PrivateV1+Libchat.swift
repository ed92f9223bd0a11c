import ChatCodec
import ChatCrypto
public import ChatModel
import ChatReliability

extension PrivateV1 {
    /// A conversation of two that is byte-compatible with the existing libchat (`Specs/private-v1.md`).
    ///
    /// Each content is one payload: a frame in a Double Ratchet message, without segmentation and
    /// without resending. All payloads of all conversations go to one address.
    public struct Libchat: SimpleConversation, Equatable {
        /// Name, claims and what it lacks.
        public static let facts = Facts(
            name: "private-v1-libchat",
            summary: "Two participants and a Double Ratchet, byte-compatible with libchat.",
            claims: RatchetParty.claims + [
                Claim(
                    .recipientPrivacy, "CT-04", holds: false, "one address for everybody, and ids that do not change"),
                Claim(.unlinkability, "ENV-02", holds: false, "ids do not change"),
            ])
        /// Where all payloads of this type go.
        public static let address: DeliveryAddress = "delivery_address"
        private static let constants = RatchetParty.Constants(
            type: facts.name, idSize: 18, address: { _ in address }, ratchet: .libchat)

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
            try receive(opening, isOpening: true, in: &step)
        }

        /// Makes the conversation again from its state and the keys of missing payloads.
        public init(restoring records: [Record]) throws(Refusal) {
            base = try RatchetParty(restoring: records, Self.constants)
        }

        /// The state, if it changed, and a record for each key of a missing payload that came or went.
        public mutating func takeChanges() -> [Record] { base.takeChanges(Self.constants) }

        /// The own side's conversation id: 36 digits.
        public var id: ConversationID { base.party.id }

        /// The own id on the shared address, under each secret that may be used.
        public var listening: [Listening] { base.listening }

        /// Sends content; the first of an initiator goes into the invite. And a placeholder, by which a client says that
        /// it cannot open what comes (PVL-10), once the conversation is open. There are no other actions.
        public mutating func perform(_ action: Action, as id: ContentID, in step: inout Step) throws(Refusal) {
            let body: Frame.Body
            switch action {
            case .send(let content, part: .whole, about: nil): body = .content(content)
            case .frame(kind: Placeholder.kind, let bytes) where base.party.isOpened: body = .placeholder(bytes)
            default: throw Refusal(.unsupported, CommonCause.unsupportedAction(action.name, type: Self.facts.name))
            }
            let frame = Frame(
                conversation: base.party.own.id, timestamp: Int64(clamping: step.now.milliseconds), body: body)
            try base.send(frame.size, for: id, in: &step) { frame.write(to: &$0) }
        }

        /// Receives a payload; forged, malformed, repeated and early ones change nothing.
        public mutating func receive(_ routed: Routed, in step: inout Step) throws(Refusal) {
            try receive(routed.payload, isOpening: false, in: &step)
        }

        private mutating func receive(_ payload: Payload, isOpening: Bool, in step: inout Step) throws(Refusal) {
            let opened = try base.open(payload, Self.constants, in: &step) { bytes throws(Refusal) in
                try Self.body(bytes, isOpening: isOpening)
            }
            base.report(opened, in: &step)
            switch opened.value {
            case .content(let content):
                step.report(.content(ReceivedContent(content, sender: base.party.peer, reference: opened.reference)))
            case .placeholder(let bytes): step.report(.frame(kind: Placeholder.kind, bytes: bytes))
            case .unknown:
                step.report(.refused(Refusal(.unsupported, ConversationCause.unknownFrame(type: Self.facts.name))))
            }
        }

        private static func body(_ bytes: Bytes, isOpening: Bool) throws(Refusal) -> Frame.Body {
            let body: Frame.Body
            do { body = try Frame.body(of: bytes) } catch { throw Refusal(error) }
            if isOpening {
                guard case .content = body else {
                    throw Refusal(.unsupported, ConversationCause.notAnOpening(type: facts.name))
                }
            }
            return body
        }
    }
}
