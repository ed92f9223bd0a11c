internal import ChatCodec
internal import ChatCrypto
public import ChatModel

/// First contact of two round trips, by the pattern XK of the Noise Protocol Framework.
///
/// Saro sends a *knock*, Raya an *answer*, Saro the *invite*: the third message of the handshake, whose payload is type
/// and opening. A bundle is Raya's long-term key and a ticket that is good once. Raya keeps nothing between knock and
/// invite: her key of the handshake follows from the knock and from the ticket's key, and the invite carries the knock.
/// The formats stand in the package's README (NOISE-1 to NOISE-6).
public struct NoiseXK: InitializationProtocol {
    /// The scheme of its bundles.
    public static let scheme = "noise-xk_1"
    /// Tickets that are good at once; the oldest are given up for new ones.
    public static let maximumTickets = 256
    /// Contacts that wait for an answer or for their invite at once.
    public static let maximumContacts = 256

    /// A bundle that was made and not used.
    struct Ticket: Equatable {
        let id: [UInt8]
        let key: Secret
    }

    let identity: KeyPair
    var tickets: [Ticket] = []
    var areTicketsChanged = false
    private(set) var begun: [ContactID: NoiseContact] = [:]
    private var changed: Set<ContactID> = []
    /// The own inbox, and an address for the answer of each contact that has begun.
    public private(set) var listening: [Listening]

    /// An initialization of a client with a long-term X25519 key pair.
    public init(identity: KeyPair) {
        self.identity = identity
        listening = [NoiseInbox(of: identity.publicKey).listening]
    }

    /// Name `noise-xk`.
    public var facts: Facts {
        Facts(
            name: "noise-xk", summary: "Two round trips by Noise XK, with bundles that are good once.",
            claims: [
                Claim(.confidentiality, "NOISE-2"), Claim(.integrity, "NOISE-2"),
                Claim(.authentication, "NOISE-2", "both long-term keys, before the conversation begins"),
                Claim(
                    .senderPrivacy, "NOISE-2", "the inviter's key is sealed, and sent after the invited one proved hers"
                ),
                Claim(.forwardSecrecy, "NOISE-4", "once the invite was opened and the ticket is gone"),
                Claim(.replayProtection, "NOISE-3", "a ticket is good once"),
                Claim(.recipientPrivacy, "NOISE-5", holds: false, "invites go to an address that follows from the key"),
            ], messages: 3)
    }

    /// Draws a ticket and its key for each bundle.
    public mutating func introduce(_ count: Int, in step: inout Step) throws(Refusal) -> [IntroductionBundle] {
        guard (0...Self.maximumTickets).contains(count) else {
            throw Refusal(.unable, CommonCause.tooLarge("bundles", bytes: count, limit: Self.maximumTickets))
        }
        let fresh = (0..<count).map { _ in
            Ticket(
                id: step.random.bytes(NoiseInbox.idSize, for: .identifier), key: step.random.secret(32, for: .secret))
        }
        tickets = Array((tickets + fresh).suffix(Self.maximumTickets))
        areTicketsChanged = areTicketsChanged || count > 0
        return fresh.map { ticket in
            IntroductionBundle(
                scheme: Self.scheme, bytes: Bytes(identity.publicKey.bytes + ticket.id), isSingleUse: true)
        }
    }

    /// Knocks; the client repeats that until the answer comes.
    public mutating func begin(
        _ type: ConversationType, with bundle: IntroductionBundle, as contact: ContactID, in step: inout Step
    ) throws(Refusal) -> ConversationSeed? {
        guard bundle.scheme == Self.scheme else {
            throw Refusal(.unsupported, CommonCause.unsupportedScheme(bundle.scheme, initialization: facts.name))
        }
        let bytes = bundle.bytes.array
        guard bytes.count == X25519.size + NoiseInbox.idSize else { throw Self.malformed("bundle", at: bytes.count) }
        let remote = PublicKey(Array(bytes.prefix(X25519.size)))
        do throws(CryptoError) { try X25519.checkSpelling(of: remote) } catch { throw Refusal(.invalid, error) }
        guard (1...255).contains(type.name.utf8.count), begun.count < Self.maximumContacts else {
            throw Refusal(.unable, CommonCause.tooLarge("contacts", bytes: begun.count, limit: Self.maximumContacts))
        }
        let one = NoiseContact(
            remote: remote, ticket: Array(bytes.dropFirst(X25519.size)),
            reply: step.random.bytes(NoiseInbox.idSize, for: .identifier),
            ephemeral: X25519.generate(using: &step.random, for: .handshakeEphemeralPrivate), type: type.name)
        let knock = NoiseMessage.knock(ticket: one.ticket, handshake: try one.begin(as: identity).message)
        let payload = try knock.payload(in: step)
        set(one, for: contact)
        step.send(NoiseInbox(of: remote).routed(payload), until: contact)
        return nil
    }

    /// Answers a knock, opens an invite, or begins a conversation that an answer allows.
    public mutating func receive(_ routed: Routed, in step: inout Step) throws(Refusal) {
        switch try NoiseMessage(decoding: routed.payload.array) {
        case .knock(let ticket, let handshake): try answer(handshake, ticket, in: &step)
        case .answer(let handshake): try receiveAnswer(handshake, on: routed.route, in: &step)
        case .invite(let ticket, let knock, let handshake): try open(handshake, after: knock, ticket, in: &step)
        }
    }

    private mutating func receiveAnswer(_ handshake: [UInt8], on route: Route, in step: inout Step) throws(Refusal) {
        guard let (contact, one) = begun.first(where: { NoiseInbox(id: $0.value.reply).route == route }) else {
            throw Refusal(.invalid, NoiseCause.unknownContact)
        }
        guard one.answer == nil else { throw Refusal(.invalid, NoiseCause.answeredBefore) }
        var answered = one
        answered.answer = handshake
        guard try answered.isWelcome(as: identity) else {
            return step.finish(contact, Refusal(.unable, NoiseCause.ticketRefused))
        }
        let seed = try answered.seed(as: identity, contact)
        set(answered, for: contact)
        step.start(seed)
    }

    /// Sends the third message with type and opening, and forgets what it was made from.
    public mutating func invite(
        _ contact: ContactID, opening: Payload, for content: ContentID?, in step: inout Step
    ) throws(Refusal) {
        guard let one = begun[contact], one.answer != nil else { throw Refusal(.unable, NoiseCause.unknownContact) }
        let (knock, handshake) = try one.invite(opening, as: identity)
        let invite = NoiseMessage.invite(ticket: one.ticket, knock: knock, handshake: handshake)
        let payload = try invite.payload(in: step)
        set(nil, for: contact)
        step.send(NoiseInbox(of: one.remote).routed(payload), for: content, until: contact)
    }

    /// Forgets a contact that has ended.
    public mutating func handle(_ signal: Signal, in step: inout Step) {
        if case .contactEnded(let contact) = signal, begun[contact] != nil { set(nil, for: contact) }
    }

    /// Keeps or forgets a contact, and listens for its answer as long as it is kept.
    mutating func set(_ one: NoiseContact?, for contact: ContactID) {
        if let old = begun[contact] { listening.removeAll { $0 == NoiseInbox(id: old.reply).listening } }
        if let one { listening.append(NoiseInbox(id: one.reply).listening) }
        begun[contact] = one
        changed.insert(contact)
    }

    /// A record of the tickets, and one for each contact that has begun.
    public mutating func takeChanges() -> [Record] {
        var records = changed.sorted().map { contact in
            Record("contact/\(contact)", begun[contact]?.encoded)
        }
        if areTicketsChanged { records.append(ticketsRecord) }
        (changed, areTicketsChanged) = ([], false)
        return records
    }

    /// Takes up the records of an earlier run; a refused one changes nothing.
    public mutating func restore(_ records: [Record]) throws(Refusal) {
        var trial = self
        for record in records { try trial.restore(record) }
        (trial.changed, trial.areTicketsChanged) = ([], false)
        self = trial
    }

    static func malformed(_ what: String, at offset: Int) -> Refusal {
        Refusal(.invalid, CommonCause.malformed(what, at: offset))
    }
}
