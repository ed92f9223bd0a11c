import ChatCodec
import ChatCrypto
import ChatModel
import ChatRecords
import LogosFormats

/// A participant of two with a Double Ratchet: what the versions of PRIVATE1 have in common.
struct RatchetParty: Equatable {
    /// The constants of a type.
    struct Constants {
        /// The type's name, for refusals.
        let type: String
        /// Bytes of an id.
        let idSize: Int
        /// The delivery address of both directions.
        let address: @Sendable (RoleIDs) -> DeliveryAddress
        /// Those of the ratchet.
        let ratchet: DoubleRatchet.Parameters
        var stored: RecordCodec { RecordCodec(machine: type) }

        func incomplete(_ what: String) -> Refusal { TwoParty.incomplete(what, type) }
    }

    /// The claims of every type with this ratchet.
    static let claims = [
        Claim(.confidentiality, "PV1-18"), Claim(.integrity, "PV1-18"),
        Claim(.authentication, "PV1-04", "as far as the initialization authenticated the shared secret"),
        Claim(.forwardSecrecy, "PV1-18"),
        Claim(.postCompromiseSecurity, "PV1-18", "once the direction has turned"),
        Claim(.deniability, "PV1-18"), Claim(.replayProtection, "PV1-19"),
        Claim(.senderPrivacy, "PV1-18", "of payloads; an invite is the initialization's matter"),
        Claim(.lossDetection, "PV1-18", "as soon as a later payload arrives"),
        Claim(.lossRecovery, "PV1-09", holds: false, "nothing is sent again"),
    ]

    private(set) var party: TwoParty
    private(set) var ratchet: DoubleRatchet
    private var unopened = UnopenedPayloads()
    /// The own route under each secret that the other side may use (CONVERSATION-13).
    private(set) var listening: [Listening] = []
    /// The other side's route under the secret of the sending chain.
    private var remote: Route

    /// Begins with a secret, and the responder's ratchet key: our pair as responder, the remote key as initiator.
    ///
    /// The initiator draws its first ratchet key at once; the responder receives the opening next.
    init(_ seed: ConversationSeed, _ constants: Constants, in step: inout Step) throws(Refusal) {
        let (secret, ids) = try TwoParty.ids(seed, size: constants.idSize, type: constants.type)
        party = TwoParty(seed, ids, address: constants.address(ids))
        remote = party.remote
        switch seed.role {
        case .initiator:
            guard let key = seed.remoteKeys.first else { throw constants.incomplete("a remote key") }
            ratchet = try DoubleRatchet(initiatorWith: secret, remote: key, random: &step.random, constants.ratchet)
        case .responder:
            guard let pair = seed.ownKeys.first else { throw constants.incomplete("an own key pair") }
            ratchet = try DoubleRatchet(responderWith: secret, own: pair, constants.ratchet)
        }
        followRatchet()
    }

    /// Takes up the state and the keys of missing payloads.
    init(restoring records: [Record], _ constants: Constants) throws(Refusal) {
        let (record, others) = try constants.stored.sort(records, DoubleRatchet.skippedPrefix)
        let state: TwoParty.State<RatchetState> = try constants.stored.message(record)
        (party, remote) = (state.party, state.party.remote)
        ratchet = try DoubleRatchet(restoring: state.inner, skipped: others[0], constants.ratchet, constants.stored)
        followRatchet()
    }

    /// The state, if it changed, and a record for each key of a missing payload that came or went.
    mutating func takeChanges(_ constants: Constants) -> [Record] {
        guard ratchet.isChanged else { return [] }
        ratchet.isChanged = false
        let stored = constants.stored
        let state = stored.record(RecordCodec.stateKey, TwoParty.State(party, ratchet.state))
        return ratchet.takeSkippedChanges(stored) + [state]
    }

    /// Encrypts what is written, and leaves it in the turn.
    mutating func send(
        _ count: Int, for content: ContentID, in step: inout Step, _ write: (inout OutputSpan<UInt8>) -> Void
    ) throws(Refusal) {
        try party.check(ratchet.payloadSize(frame: count), in: step)
        let payload = try ratchet.seal(count, headRoom: step.headRoom, random: &step.random, write)
        followRatchet()
        party.dispatch(payload, to: remote, sequence: ratchet.sequence, for: content, in: &step)
    }

    /// Decrypts a payload, and moves on if what is in it decodes.
    mutating func open<Value>(
        _ payload: Payload, _ constants: Constants, in step: inout Step,
        decode: (Bytes) throws(Refusal) -> Value
    ) throws(Refusal) -> OpenedPayload<Value> {
        let encrypted: EncryptedPayload
        do { encrypted = try EncryptedPayload(decoding: payload) } catch { throw Refusal(error) }
        guard case .doubleRatchet(let message) = encrypted else {
            throw Refusal(.unsupported, ConversationCause.unexpectedPayload(type: constants.type))
        }
        do throws(Refusal) {
            let opened = try ratchet.open(message, at: step.now, decode: decode)
            unopened.wasOpened()
            followRatchet()
            return opened
        } catch {
            throw unopened.note(error, now: step.now)
        }
    }

    /// Reports what an opened payload tells of others.
    func report<Value>(_ opened: OpenedPayload<Value>, in step: inout Step) {
        for name in opened.lost { step.report(.gap(Gap(reference: name, sender: party.peer, isFinal: true))) }
        for name in opened.missing { step.report(.gap(Gap(reference: name, sender: party.peer, isFinal: false))) }
    }

    /// Keeps routes as the ratchet has them; windows are read when a secret comes or goes, so they are made then.
    private mutating func followRatchet() {
        let routes = ratchet.routes
        if routes.sending !== remote.secret { remote = Route(party.remote.id, secret: routes.sending) }
        guard routes.hasSecrets else {
            if listening.isEmpty { listening = [Listening(party.address, party.own)] }
            return
        }
        let isSame =
            listening.count == routes.listenedCount
            && listening.indices.allSatisfy { listening[$0].route.secret === routes.secret($0) }
        guard !isSame else { return }
        listening = (0..<routes.listenedCount).map { index in
            let secret = routes.secret(index)
            let known = listening.first { $0.route.secret === secret }?.route
            let route = known ?? Route(party.own.id, secret: secret)
            return Listening(party.address, route, window: ratchet.window(index))
        }
    }
}
