import ChatCrypto
public import ChatModel
import ChatWire

extension PrivateV1 {
    /// A conversation of two that is byte-compatible with the existing libchat (`Specs/private-v1.md`).
    ///
    /// Each content is one payload: a frame in a Double Ratchet message, without segmentation and
    /// without resending. All payloads of all conversations go to one address.
    public struct Libchat: ConversationProtocol, Equatable {
        /// Name, claims and what it lacks.
        public static let facts = Facts(
            name: "private-v1-libchat",
            summary: "Two participants and a Double Ratchet, byte-compatible with libchat.",
            claims: [
                Claim(.confidentiality, "PV1-18"), Claim(.integrity, "PV1-18"),
                Claim(.authentication, "PV1-04", "as far as the initialization authenticated the shared secret"),
                Claim(.forwardSecrecy, "PV1-18"),
                Claim(.postCompromiseSecurity, "PV1-18", "once the direction has turned"),
                Claim(.deniability, "PV1-18"), Claim(.replayProtection, "PV1-19"),
                Claim(.senderPrivacy, "PV1-18", "of payloads; an invite is the initialization's matter"),
                Claim(.lossDetection, "PV1-18", "as soon as a later payload arrives"),
                Claim(.lossRecovery, "PV1-09", holds: false, "nothing is sent again"),
                Claim(
                    .recipientPrivacy, "CT-04", holds: false, "one address for everybody, and ids that do not change"),
                Claim(.unlinkability, "ENV-02", holds: false, "ids do not change"),
            ])
        /// Where all payloads of this type go.
        public static let address: DeliveryAddress = "delivery_address"
        /// Bytes of an id.
        static let idSize = 18
        private static let stored = Stored(machine: facts.name)

        private var party: TwoParty
        private var ratchet: DoubleRatchet

        /// Begins with a secret, and the responder's ratchet key: our pair as responder, the remote key as initiator.
        ///
        /// The initiator draws its first ratchet key at once; the responder decrypts the opening.
        public init(_ seed: ConversationSeed, in turn: inout Turn) throws(Refusal) {
            let (secret, ids) = try TwoParty.ids(seed, size: Self.idSize, type: Self.facts.name)
            party = TwoParty(seed, ids, address: Self.address)
            switch seed.role {
            case .initiator:
                guard let key = seed.remoteKeys.first else { throw Self.incomplete("a remote key") }
                ratchet = try DoubleRatchet(initiatorWith: secret, remote: key, random: &turn.random, .libchat)
            case .responder:
                guard let pair = seed.ownKeys.first else { throw Self.incomplete("an own key pair") }
                guard let opening = seed.opening else { throw Self.incomplete("an opening") }
                ratchet = try DoubleRatchet(responderWith: secret, own: pair, .libchat)
                try receive(opening, isOpening: true, in: &turn)
            }
        }

        /// Makes the conversation again from its state and the keys of missing payloads.
        public init(restoring records: [Record]) throws(Refusal) {
            let (record, keys) = try Self.stored.sort(records, prefix: DoubleRatchet.skippedPrefix)
            let state: TwoParty.State<RatchetState> = try Self.stored.message(record)
            party = state.party
            ratchet = try DoubleRatchet(restoring: state.inner, skipped: keys, .libchat, Self.stored)
        }

        /// The state, if it changed, and a record for each key of a missing payload that came or went.
        public mutating func takeChanges() -> [Record] {
            guard ratchet.isChanged else { return [] }
            ratchet.isChanged = false
            let state = Self.stored.record(Stored.stateKey, TwoParty.State(party, ratchet.state))
            return ratchet.takeSkippedChanges(Self.stored) + [state]
        }

        /// The own side's conversation id: 36 digits.
        public var id: ConversationID { party.id }

        /// The own id on the shared address.
        public var listening: [Listening] { party.listening }

        /// Sends content; the first of an initiator goes into the invite. There are no other actions.
        public mutating func perform(_ action: Action, in turn: inout Turn) throws(Refusal) {
            guard case .send(let content, let contentID) = action else {
                throw Refusal(.unsupported, CommonCause.unsupportedAction(action.name, type: Self.facts.name))
            }
            let frame = Frame(
                conversation: party.own.id, timestamp: Int64(clamping: turn.now.milliseconds), body: .content(content))
            let (frameSize, number) = (frame.size, ratchet.nextNumber)
            try party.check(ratchet.payloadSize(frame: frameSize), in: turn)
            let payload = try ratchet.seal(frameSize, headRoom: turn.headRoom, random: &turn.random) {
                frame.write(to: &$0)
            }
            party.dispatch(payload, number: UInt64(number), for: contentID, in: &turn)
        }

        /// Receives a payload; forged, malformed, repeated and early ones change nothing.
        public mutating func receive(_ routed: Routed, in turn: inout Turn) throws(Refusal) {
            try receive(routed.payload, isOpening: false, in: &turn)
        }

        private mutating func receive(_ payload: Payload, isOpening: Bool, in turn: inout Turn) throws(Refusal) {
            let opened = try ratchet.open(try Self.message(payload)) { bytes throws(Refusal) in
                try Self.body(bytes, isOpening: isOpening)
            }
            for name in opened.missing {
                turn.report(.gap(Gap(reference: name, sender: party.peer, isFinal: false)))
            }
            switch opened.value {
            case .content(let content):
                turn.report(.content(ReceivedContent(content, sender: party.peer, reference: opened.reference)))
            case .placeholder(let bytes): turn.report(.frame(kind: Placeholder.kind, bytes: bytes))
            case .unknown:
                turn.report(.refused(Refusal(.unsupported, ConversationCause.unknownFrame(type: Self.facts.name))))
            }
        }

        private static func message(_ payload: Payload) throws(Refusal) -> DoubleRatchetMessage {
            let encrypted: EncryptedPayload
            do { encrypted = try EncryptedPayload(decoding: payload) } catch { throw Refusal(error) }
            guard case .doubleRatchet(let message) = encrypted else {
                throw Refusal(.unsupported, ConversationCause.unexpectedPayload(type: facts.name))
            }
            return message
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

        private static func incomplete(_ what: String) -> Refusal { TwoParty.incomplete(what, facts.name) }
    }
}
