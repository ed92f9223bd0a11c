internal import ChatCodec
public import ChatCrypto
public import ChatModel

/// First contact between people who share a phrase: invites are sealed with a key that the phrase gives.
///
/// A bundle is an inbox and a ticket that is good once, 16 random bytes each. An invite is the ticket, a
/// nonce, and type and opening sealed. The conversation's secret follows from phrase, ticket and nonce.
public struct PhraseInitialization: InitializationProtocol {
    /// The scheme of its bundles.
    public static let scheme = "phrase_1"
    /// Tickets that are good at once; the oldest are given up for new ones.
    public static let maximumTickets = 256
    private static let version: UInt8 = 1
    private static let partSize = 16, nonceSize = 24
    private static let aead = AEAD.xChaChaPoly

    private let key: Secret
    private var inbox: [UInt8]?
    private var tickets: [[UInt8]] = []
    /// What an invite will need, of contacts that have begun: inbox, ticket, nonce and the type's name.
    private var begun: [ContactID: [UInt8]] = [:] { didSet { isBegunChanged = true } }
    private var recorded: Set<ContactID> = []
    private var (isChanged, isBegunChanged) = (false, false)

    /// Makes the key of a phrase, which takes some 100 ms and 64 MiB: both make guessing dear.
    public init(phrase: String) throws(CryptoError) {
        let salt = Array("sixth-variant-01".utf8)
        key = try Argon2id.derive(
            passphrase: Array(phrase.utf8).span, salt: salt.span, operations: 2, memory: 64 << 20)
    }

    /// Name `phrase`.
    public var facts: Facts {
        Facts(
            name: "phrase", summary: "Invites among people who share a phrase.",
            claims: [
                Claim(.confidentiality, "PHRASE-1", "towards everybody who does not know the phrase"),
                Claim(.integrity, "PHRASE-1"), Claim(.replayProtection, "PHRASE-2", "a ticket is good once"),
                Claim(.authentication, "PHRASE-1", holds: false, "who knows the phrase can be anybody who does"),
                Claim(.forwardSecrecy, "PHRASE-3", holds: false, "who learns the phrase reads earlier invites"),
            ])
    }

    /// Where invites arrive, once there is an inbox.
    public var listening: [Listening] {
        inbox.map { [Listening(Self.address($0), Route(Hex.encode($0)))] } ?? []
    }

    /// Draws a ticket for each bundle, and with the first the inbox.
    public mutating func introduce(_ count: Int, in step: inout Step) throws(Refusal) -> [IntroductionBundle] {
        guard (0...Self.maximumTickets).contains(count) else {
            throw Refusal(.unable, CommonCause.tooLarge("bundles", bytes: count, limit: Self.maximumTickets))
        }
        let inbox = inbox ?? step.random.bytes(Self.partSize, for: .identifier)
        (self.inbox, isChanged) = (inbox, true)
        let fresh = (0..<count).map { _ in step.random.bytes(Self.partSize, for: .identifier) }
        tickets = Array((tickets + fresh).suffix(Self.maximumTickets))
        return fresh.map { IntroductionBundle(scheme: Self.scheme, bytes: Bytes(inbox + $0), isSingleUse: true) }
    }

    /// Prepares a conversation; the secret is drawn for groups, and follows from the ticket otherwise.
    public mutating func begin(
        _ type: ConversationType, with bundle: IntroductionBundle, as contact: ContactID, in step: inout Step
    ) throws(Refusal) -> ConversationSeed? {
        guard bundle.scheme == Self.scheme else {
            throw Refusal(.unsupported, CommonCause.unsupportedScheme(bundle.scheme, initialization: facts.name))
        }
        guard bundle.bytes.count == 2 * Self.partSize else { throw Self.malformed("bundle", at: bundle.bytes.count) }
        let head =
            Array(bundle.bytes.array.dropFirst(Self.partSize))
            + step.random.bytes(Self.nonceSize, for: .nonce)
        let (secret, remote) = (secret("secret", head), try pair(head).publicKey)
        let name = Array(type.name.utf8)
        guard (1...255).contains(name.count), begun.count < Self.maximumTickets else {
            throw Refusal(.unable, CommonCause.tooLarge("contacts", bytes: begun.count, limit: Self.maximumTickets))
        }
        begun[contact] = Array(bundle.bytes.array.prefix(Self.partSize)) + head + name
        return ConversationSeed(
            type: type, side: .inviting(), contact: contact, secret: secret, remoteKeys: [remote], bundle: bundle)
    }

    /// Seals type and opening.
    public mutating func invite(
        _ contact: ContactID, opening: Payload, for content: ContentID?, in step: inout Step
    ) throws(Refusal) {
        guard let kept = begun[contact] else { throw Refusal(.unable, PhraseCause.unknownContact) }
        let nameStart = 2 * Self.partSize + Self.nonceSize
        let (inbox, name) = (Array(kept.prefix(Self.partSize)), Array(kept.dropFirst(nameStart)))
        let head = Array(kept[Self.partSize..<nameStart])
        let plain = [UInt8(name.count)] + name + opening.array
        let size = head.count + plain.count + AEAD.tagSize
        guard size <= step.maximumPayload else {
            throw Refusal(.unable, CommonCause.tooLarge("invite", bytes: size, limit: step.maximumPayload))
        }
        let key = secret("invite", head)
        let nonce = Array(head.dropFirst(Self.partSize))
        var payload = try Self.refusing { () throws(CryptoError) in
            try Self.aead.seal(
                Bytes(plain), nonce: nonce, aad: Bytes(head), key: key, headRoom: step.headRoom + head.count)
        }
        payload.prepend(head.count) { output in for byte in head { output.append(byte) } }
        step.send(
            Routed(Self.address(inbox), Route(Hex.encode(inbox)), payload: payload), for: content, until: contact)
        begun[contact] = nil
    }

    /// Forgets a contact that will not be invited any more.
    public mutating func handle(_ signal: Signal, in step: inout Step) {
        if case .contactEnded(let contact) = signal { begun[contact] = nil }
    }

    /// Opens an invite and uses its ticket up; a forged one costs no ticket.
    public mutating func receive(_ routed: Routed, in step: inout Step) throws(Refusal) {
        let bytes = routed.payload.array
        let head = Array(bytes.prefix(Self.partSize + Self.nonceSize))
        guard bytes.count > head.count + AEAD.tagSize + 1 else { throw Self.malformed("invite", at: bytes.count) }
        guard let index = tickets.firstIndex(of: Array(head.prefix(Self.partSize))) else {
            throw Refusal(.invalid, PhraseCause.unknownTicket)
        }
        let (key, nonce) = (secret("invite", head), Array(head.dropFirst(Self.partSize)))
        let sealed = routed.payload.slice(head.count..<bytes.count)
        let plain = try Self.refusing { () throws(CryptoError) in
            try Self.aead.open(sealed, nonce: nonce, aad: Bytes(head), key: key)
        }
        let nameEnd = 1 + Int(plain[0])
        guard nameEnd > 1, plain.count >= nameEnd,
            let name = String(validating: plain.array[1..<nameEnd], as: UTF8.self)
        else { throw Self.malformed("conversation type", at: 1) }
        let pair = try pair(head)
        tickets.remove(at: index)
        isChanged = true
        step.start(
            ConversationSeed(
                type: ConversationType(name), side: .invited(opening: plain.slice(nameEnd..<plain.count)),
                secret: secret("secret", head), ownKeys: [pair]))
    }

    /// What changed: version, inbox and tickets in one record, and one for each contact that has begun.
    public mutating func takeChanges() -> [Record] {
        var records: [Record] = []
        if isBegunChanged {
            let live = Set(begun.keys)
            for contact in recorded.subtracting(live).sorted() { records.append(Record("contact/\(contact)", nil)) }
            for contact in live.subtracting(recorded).sorted() {
                records.append(Record("contact/\(contact)", Bytes([Self.version] + (begun[contact] ?? []))))
            }
            (recorded, isBegunChanged) = (live, false)
        }
        guard isChanged, let inbox else { return records }
        isChanged = false
        return records + [Record("inbox", Bytes([Self.version] + inbox + tickets.flatMap(\.self)))]
    }

    /// Takes up the records of an earlier run.
    public mutating func restore(_ records: [Record]) throws(Refusal) {
        var trial = self
        for record in records {
            if record.key.hasPrefix("contact/") {
                try trial.restoreContact(record)
            } else {
                try trial.restoreInbox(record)
            }
        }
        self = trial
    }

    private mutating func restoreContact(_ record: Record) throws(Refusal) {
        guard let number = UInt64(record.key.dropFirst("contact/".count)), let bytes = record.bytes?.array,
            bytes.first == Self.version, bytes.count > 1 + 2 * Self.partSize + Self.nonceSize
        else { throw Refusal(.unsupported, CommonCause.unreadableRecord(record.key, machine: facts.name)) }
        begun[ContactID(number)] = Array(bytes.dropFirst())
        recorded.insert(ContactID(number))
    }

    private mutating func restoreInbox(_ record: Record) throws(Refusal) {
        let bytes = record.bytes?.array ?? []
        let count = (bytes.count - 1) / Self.partSize
        guard record.key == "inbox", bytes.first == Self.version,
            bytes.count == 1 + count * Self.partSize, (1...Self.maximumTickets + 1).contains(count)
        else { throw Refusal(.unsupported, CommonCause.unreadableRecord(record.key, machine: facts.name)) }
        let parts = (0..<count).map { Array(bytes[1 + $0 * Self.partSize..<1 + ($0 + 1) * Self.partSize]) }
        (inbox, tickets) = (parts[0], Array(parts[1...]))
    }

    // What both sides compute.

    private static func address(_ inbox: [UInt8]) -> DeliveryAddress {
        DeliveryAddress(Hex.encode(BLAKE2b.hash(count: 8, Array("phrase|address|".utf8) + inbox)))
    }

    private func secret(_ label: String, _ head: [UInt8]) -> Secret {
        BLAKE2b.authenticate(count: 32, (Array(label.utf8) + head).span, key: key)
    }

    private func pair(_ head: [UInt8]) throws(Refusal) -> KeyPair {
        let secret = secret("pair", head)
        return try Self.refusing { () throws(CryptoError) in try X25519.keyPair(secret) }
    }

    private static func refusing<Value>(_ step: () throws(CryptoError) -> Value) throws(Refusal) -> Value {
        do throws(CryptoError) { return try step() } catch { throw Refusal(.invalid, error) }
    }

    private static func malformed(_ what: String, at offset: Int) -> Refusal {
        Refusal(.invalid, CommonCause.malformed(what, at: offset))
    }
}

/// What can be wrong with an invite beside its form and its seal.
enum PhraseCause: RefusalCause {
    case unknownTicket
    case unknownContact

    var code: String { self == .unknownTicket ? "unknown_key" : "invalid_state" }
    var description: String {
        switch self {
        case .unknownTicket: "the ticket was used before or is none of ours"
        case .unknownContact: "the contact waits for no invite"
        }
    }
}
