import ChatCodec
import ChatCrypto
public import ChatModel
import ChatRecords

/// First contact without any cryptography: an invite in clear, for lessons and trusted networks.
///
/// It shows how little an initialization must do. Whoever sees the invite knows the secret of the
/// conversation that begins with it, and its sender is unknown; its ``facts`` say so.
public struct OpenInvite: InitializationProtocol {
    /// The scheme of its bundles.
    public static let scheme = "openinvite_1"
    /// Invites remembered, so that the same one begins nothing twice; a stranger can make us forget the oldest.
    static let maximumMemory = 1_024
    /// How long an invite is remembered: as long as services retain it, and some more.
    static let memoryLifetime = Duration.seconds(14 * 86_400)

    /// How long a bundle is good, as its readers are told; nil for ever.
    public let lifetime: Duration?
    private var inbox: [UInt8]?
    private var seen = ReplayCache(prefix: "seen/", limit: maximumMemory, machine: name)
    private var changes: [Record] = []
    private var contacts = BegunContacts(machine: name)

    private static let name = "open-invite"
    private static let stored = RecordCodec(machine: name)
    private static let inboxKey = "inbox"

    /// An initialization whose inbox is drawn with the first bundle.
    public init(lifetime: Duration? = nil) {
        self.lifetime = lifetime
    }

    /// Name and claims, most of which state what it does not do.
    public var facts: Facts {
        Facts(
            name: Self.name, summary: "Invites in clear with a secret that everybody on the way can read.",
            claims: [
                Claim(.confidentiality, "OPEN-7", holds: false, "the secret of the conversation is in the invite"),
                Claim(.integrity, "OPEN-7", holds: false), Claim(.authentication, "OPEN-7", holds: false),
                Claim(.forwardSecrecy, "OPEN-7", holds: false), Claim(.recipientPrivacy, "OPEN-7", holds: false),
                Claim(.senderPrivacy, "OPEN-7", "an invite says nothing of its sender"),
                Claim(.replayProtection, "OPEN-6", "for the last \(Self.maximumMemory) invites"),
            ])
    }

    /// Where invites arrive, once there is an inbox.
    public var listening: [Listening] {
        inbox.map { [Listening(Self.address(of: $0), Route(hex($0)))] } ?? []
    }

    /// Gives the same bundle as often as asked; it is good for any number of conversations.
    public mutating func introduce(_ count: Int, in step: inout Step) throws(Refusal) -> [IntroductionBundle] {
        let inbox = inbox ?? step.random.bytes(OpenBundle.inboxSize, for: .identifier)
        if self.inbox == nil {
            self.inbox = inbox
            changes.append(Self.stored.record(Self.inboxKey, StoredItem(bytes: Bytes(inbox))))
        }
        let expiry = lifetime.map { step.now + $0 }
        let bytes = OpenBundle(inbox: inbox, expiry: expiry?.milliseconds ?? 0).encoded()
        return Array(
            repeating: IntroductionBundle(scheme: Self.scheme, bytes: bytes, expiry: expiry), count: max(0, count))
    }

    /// Draws a secret; the responder's first key pair is made from it on both sides (OPEN-4).
    public mutating func begin(
        _ type: ConversationType, with bundle: IntroductionBundle, as contact: ContactID, in step: inout Step
    ) throws(Refusal) -> ConversationSeed? {
        try Self.check(type)
        let inbox = try Self.inbox(of: bundle, at: step.now)
        let secret = Self.secret(in: &step)
        let remote = try Self.pair(from: secret).publicKey
        try contacts.add(
            contact, Secret.joining([secret, Secret(copying: inbox.span), Secret(copying: Bytes(type.name).span)]))
        return ConversationSeed(
            type: type, side: .inviting(), contact: contact, secret: secret, remoteKeys: [remote], bundle: bundle)
    }

    /// Draws a secret for a group.
    public func found(_ type: ConversationType, in step: inout Step) throws(Refusal) -> ConversationSeed {
        try Self.check(type)
        return ConversationSeed(type: type, side: .founding, secret: Self.secret(in: &step))
    }

    private static func check(_ type: ConversationType) throws(Refusal) {
        guard OpenFrame.nameSizes.contains(type.name.utf8.count) else {
            throw Refusal(.unsupported, InitializationCause.unfitName(type.name))
        }
    }

    /// Sends type, secret and opening in clear.
    public mutating func invite(
        _ contact: ContactID, opening: Payload, for content: ContentID?, in step: inout Step
    ) throws(Refusal) {
        let kept = try contacts.find(contact).lend { Bytes(copying: $0) }
        let nameStart = OpenFrame.secretSize + OpenBundle.inboxSize
        guard kept.count > nameStart,
            let type = String(validating: kept.slice(nameStart..<kept.count).array, as: UTF8.self)
        else { throw Refusal(.unable, InitializationCause.unknownContact(contact)) }
        let inbox = kept.slice(OpenFrame.secretSize..<nameStart).array
        let frame = OpenFrame(type: type, secret: kept.slice(0..<OpenFrame.secretSize), opening: opening)
        guard frame.size <= step.maximumPayload else {
            throw Refusal(.unable, CommonCause.tooLarge("invite", bytes: frame.size, limit: step.maximumPayload))
        }
        let payload = frame.encoded(headRoom: step.headRoom)
        step.send(Routed(Self.address(of: inbox), Route(hex(inbox)), payload: payload), for: content)
        contacts.end(contact)
    }

    /// Takes an invite, unless one with the same secret came before (OPEN-6).
    public mutating func receive(_ routed: Routed, in step: inout Step) throws(Refusal) {
        let frame = try refusing { () throws(WireError) in try OpenFrame(decoding: routed.payload) }
        let secret = Secret(copying: frame.secret.span)
        let pair = try Self.pair(from: secret)
        let name = BLAKE2b.hash(count: 16, frame.secret.span)
        guard seen[name] == nil else { throw Refusal(.invalid, InitializationCause.seenBefore) }
        seen.remember(name, until: step.now + Self.memoryLifetime)
        step.start(
            ConversationSeed(
                type: ConversationType(frame.type), side: .invited(opening: frame.opening), secret: secret,
                ownKeys: [pair]))
        seen.sweep(step.now)
    }

    /// When an invite is to be forgotten.
    public var nextWake: Timestamp? { seen.nextDue }

    /// Forgets invites that are long past.
    public mutating func handle(_ signal: Signal, in step: inout Step) {
        switch signal {
        case .due, .started, .restored: seen.sweep(step.now)
        case .contactEnded(let contact): contacts.end(contact)
        default: return
        }
    }

    /// The records that changed since the last call.
    public mutating func takeChanges() -> [Record] {
        defer { changes = [] }
        return changes + seen.takeChanges() + contacts.takeChanges()
    }

    /// Takes up all records of an earlier run; one that cannot be read refuses them all.
    public mutating func restore(_ records: [Record]) throws(Refusal) {
        var trial = self
        for record in records {
            if try trial.seen.restore(record) { continue }
            if try trial.contacts.restore(record) { continue }
            guard record.key == Self.inboxKey else { throw Self.stored.unreadable(record.key, .unsupported) }
            let item: StoredItem = try Self.stored.message(record)
            guard item.bytes.count == OpenBundle.inboxSize else { throw Self.stored.unreadable(record.key) }
            trial.inbox = item.bytes.array
        }
        self = trial
    }
}

// Derivations, the same on both sides.
extension OpenInvite {
    private static func address(of inbox: [UInt8]) -> DeliveryAddress {
        DeliveryAddress(hex(BLAKE2b.hash(count: 8, Array("openinvite|addr|".utf8) + inbox)))
    }

    private static func secret(in step: inout Step) -> Secret { step.random.secret(OpenFrame.secretSize, for: .secret) }

    private static func pair(from secret: Secret) throws(Refusal) -> KeyPair {
        try refusing { () throws(CryptoError) in
            try X25519.keyPair(BLAKE2b.derive(count: X25519.size, key: secret, personal: "OpenInvite-Key"))
        }
    }

    private static func inbox(of bundle: IntroductionBundle, at now: Timestamp) throws(Refusal) -> Bytes {
        guard bundle.scheme == scheme else {
            throw Refusal(.unsupported, CommonCause.unsupportedScheme(bundle.scheme, initialization: name))
        }
        let open = try refusing { () throws(WireError) in try OpenBundle(decoding: bundle.bytes) }
        let stated = open.expiry == 0 ? nil : Timestamp(milliseconds: open.expiry)
        for expiry in [bundle.expiry, stated].compactMap(\.self) where expiry <= now {
            throw Refusal(.unable, InitializationCause.expiredBundle(expiry))
        }
        return Bytes(open.inbox)
    }
}
