import ChatCodec
import ChatCrypto
public import ChatModel

/// The initialization `packet-handshake`: who has a binding says which protocol it speaks; the other side says that it is
/// ready and what it can do; then an invite follows (PS-13).
///
/// A first contact of four messages: start, ready and capabilities, invite. Who is asked keeps nothing before the
/// invite. There are no keys: whoever sees the invite knows the secret of the conversation that begins with it.
public struct PacketReady: InitializationProtocol {
    /// What this side can do, as it states it.
    public let capabilities: Metadata
    /// The most contacts that wait for an answer at once, and invites that are remembered, so that the same one begins
    /// nothing twice.
    static let maximumContacts = 1_024, maximumSeen = 1_024

    private static let name = "packet-handshake"
    static let route = Route("packet-ready")
    private static let contactKey = "contact"

    private var binding: PacketBinding?
    private var contacts: [ContactID: PacketContact] = [:]
    private var seen: [String] = []
    private var seenCount: UInt64 = 0
    private var changes: [Record] = []
    /// Where starts and answers are heard.
    public private(set) var listening: [Listening] = []

    /// An initialization of a process.
    ///
    /// - Parameters:
    ///   - binding: what an operator gave it to be reached by; one is drawn with the first bundle where it has none.
    ///   - capabilities: what it states: at most 99 pairs.
    public init(_ binding: PacketBinding? = nil, capabilities: Metadata = [:]) {
        (self.binding, self.capabilities) = (binding, capabilities)
        listen()
    }

    /// Name and claims.
    public var facts: Facts {
        Facts(
            name: Self.name, summary: "Start, ready, capabilities, invite; in clear.",
            claims: [
                Claim(.confidentiality, "PS-13", holds: false, "the secret of the conversation is in the invite"),
                Claim(.integrity, "PS-13", holds: false), Claim(.authentication, "PS-13", holds: false),
                Claim(.forwardSecrecy, "PS-13", holds: false), Claim(.recipientPrivacy, "PS-13", holds: false),
                Claim(.replayProtection, "PS-13", "for the last \(Self.maximumSeen) invites"),
            ], messages: 3)
    }

    private static func address(of binding: PacketBinding) -> DeliveryAddress {
        DeliveryAddress(Hex.encode(BLAKE2b.hash(count: 16, Array("packet-ready|\(binding.path)".utf8))))
    }

    private mutating func listen() {
        let own = binding.map { [Listening(Self.address(of: $0), Self.route)] } ?? []
        listening =
            own + contacts.values.map { Listening($0.replies, Self.route) }.sorted { $0.address.text < $1.address.text }
    }

    private mutating func keep(_ contact: ContactID, _ state: PacketContact?) {
        contacts[contact] = state
        changes.append(Record(PacketContact.prefix + "\(contact)", state?.stored))
        listen()
    }

    /// Gives the same binding as often as asked; it is good for any number of conversations.
    public mutating func introduce(_ count: Int, in step: inout Step) throws(Refusal) -> [IntroductionBundle] {
        if binding == nil {
            let drawn = Hex.encode(step.random.bytes(16, for: .identifier))
            let made = PacketBinding(
                namespace: "chat", name: drawn, reference: drawn, driver: "delivery-service", endpoint: "address")
            binding = made
            changes.append(Record(PacketContact.bindingKey, Bytes([PacketContact.version] + made.json)))
            listen()
        }
        return binding.map { Array(repeating: PacketBindings.bundle(for: $0), count: max(0, count)) } ?? []
    }

    /// Says which protocol and which binding are meant; the seed follows when the other side is ready.
    public mutating func begin(
        _ type: ConversationType, with bundle: IntroductionBundle, as contact: ContactID, in step: inout Step
    ) throws(Refusal) -> ConversationSeed? {
        guard bundle.scheme == PacketBindings.scheme else {
            throw Refusal(.unsupported, CommonCause.unsupportedScheme(bundle.scheme, initialization: Self.name))
        }
        guard contacts.count < Self.maximumContacts else {
            throw Refusal(
                .unable, CommonCause.tooLarge("contacts", bytes: contacts.count + 1, limit: Self.maximumContacts))
        }
        let peer: PacketBinding
        do throws(DiscoveryError) { peer = try PacketBinding(json: bundle.bytes.array) } catch {
            throw Refusal(.invalid, CommonCause.malformed("a binding", at: 0))
        }
        if let version = peer.protocolVersion {
            do throws(PacketViolation) { try PacketHandshake().check(protocol: version) } catch {
                throw Refusal(.unsupported, error)
            }
        }
        let nonce = Hex.encode(step.random.bytes(16, for: .identifier))
        let state = PacketContact(
            nonce: nonce, address: Self.address(of: peer), type: type.name, since: step.now, secret: nil)
        let start = ControlMessage(
            .start,
            metadata: [
                PacketHandshake.protocolKey: PacketHandshake.protocolVersion, Self.contactKey: nonce,
            ])
        step.send(Routed(state.address, Self.route, payload: PacketFirst.control(start).encoded), until: contact)
        keep(contact, state)
        return nil
    }

    /// Sends type, secret and opening in clear.
    public mutating func invite(
        _ contact: ContactID, opening: Payload, for content: ContentID?, in step: inout Step
    ) throws(Refusal) {
        guard let state = contacts[contact], let secret = state.secret else {
            throw Refusal(.unable, CommonCause.incompleteSeed("contact \(contact)", type: Self.name))
        }
        let payload = PacketFirst.invite(type: state.type, secret: secret, opening: opening).encoded
        guard payload.count <= step.maximumPayload else {
            throw Refusal(
                .unable, CommonCause.tooLarge("invite", bytes: payload.count, limit: step.maximumPayload))
        }
        step.send(Routed(state.address, Self.route, payload: payload), for: content)
        keep(contact, nil)
    }

    /// Takes a start or an invite of somebody, or the answer to a start of our own.
    public mutating func receive(_ routed: Routed, in step: inout Step) throws(Refusal) {
        let first: PacketFirst
        do throws(PacketViolation) { first = try PacketFirst(routed.payload) } catch { throw Refusal(.invalid, error) }
        switch first {
        case .control(let message):
            guard let nonce = message.metadata[Self.contactKey], nonce.utf8.count == 32 else {
                throw Refusal(.invalid, PacketViolation(.handshake, "names no contact", at: ".metadata.contact"))
            }
            if ControlAction(name: message.name) == .start { return try answer(message, nonce, in: &step) }
            try hear(message, nonce, in: &step)
        case .invite(let type, let secret, let opening): try join(type, secret, opening, in: &step)
        }
    }

    private func answer(_ start: ControlMessage, _ nonce: String, in step: inout Step) throws(Refusal) {
        do throws(PacketViolation) {
            try PacketHandshake().check(protocol: start.metadata[PacketHandshake.protocolKey])
        } catch { throw Refusal(.unsupported, error) }
        let stated = capabilities.isEmpty ? "none" : "required"
        let named: Metadata = [Self.contactKey: nonce]
        let ready = ControlMessage(
            .ready, metadata: named.overlaid(by: [PacketHandshake.capabilitiesKey: stated]))
        var answers = [ready]
        if !capabilities.isEmpty {
            answers.append(ControlMessage(.capabilities, metadata: capabilities.overlaid(by: named)))
        }
        for message in answers {
            let payload = PacketFirst.control(message).encoded
            step.send(Routed(PacketContact.replies(to: nonce), Self.route, payload: payload))
        }
    }

    private mutating func hear(_ message: ControlMessage, _ nonce: String, in step: inout Step) throws(Refusal) {
        guard let (contact, state) = contacts.first(where: { $0.value.nonce == nonce }), state.secret == nil else {
            throw Refusal(.invalid, PacketViolation(.handshake, "answers no start", at: ".metadata.contact"))
        }
        var next = state
        do throws(PacketViolation) { try next.handshake.receive(message) } catch {
            // The other side speaks another version, which no other try changes.
            if error.rule == .handshake { return step.finish(contact, Refusal(.unsupported, error)) }
            throw Refusal(.invalid, error)
        }
        guard next.handshake.isRunning else {
            contacts[contact] = next
            return
        }
        let secret = step.random.bytes(32, for: .secret)
        next.secret = secret
        keep(contact, next)
        step.start(
            ConversationSeed(
                type: ConversationType(state.type), side: .inviting(), contact: contact,
                secret: Secret(copying: secret.span), remoteKeys: [try Self.pair(from: secret).publicKey]))
    }

    private mutating func join(
        _ type: String, _ secret: [UInt8], _ opening: Payload, in step: inout Step
    ) throws(Refusal) {
        guard binding != nil else {
            throw Refusal(.invalid, PacketViolation(.handshake, "is an invite for nobody"))
        }
        let mark = Hex.encode(BLAKE2b.hash(count: 16, secret))
        guard !seen.contains(mark) else {
            throw Refusal(.invalid, PacketViolation(.sequence, "is an invite once more"))
        }
        let pair = try Self.pair(from: secret)
        if seen.count >= Self.maximumSeen {
            changes.append(Record(PacketContact.seenPrefix + seen.removeFirst(), nil))
        }
        seen.append(mark)
        seenCount += 1
        changes.append(Record(PacketContact.seenPrefix + mark, PacketContact.stored(count: seenCount)))
        step.start(
            ConversationSeed(
                type: ConversationType(type), side: .invited(opening: opening), secret: Secret(copying: secret.span),
                ownKeys: [pair]))
    }

    /// The first pair of who is invited, which both make from the secret: any conversation can begin so.
    private static func pair(from secret: [UInt8]) throws(Refusal) -> KeyPair {
        let seed = BLAKE2b.derive(count: 32, key: Secret(copying: secret.span), personal: "PacketReady-Pair")
        do { return try X25519.keyPair(seed) } catch {
            throw Refusal(.invalid, CommonCause.malformed("a secret", at: 0))
        }
    }

    /// When a contact will have waited too long: 30 s.
    public var nextWake: Timestamp? {
        contacts.values.filter { $0.secret == nil }.map(\.since).min().map { $0 + PacketHandshake.limit }
    }

    /// Gives up contacts that waited too long, and forgets those that have ended.
    public mutating func handle(_ signal: Signal, in step: inout Step) {
        switch signal {
        case .contactEnded(let contact): if contacts[contact] != nil { keep(contact, nil) }
        case .due:
            for (contact, state) in contacts where state.secret == nil {
                guard step.now.since(state.since) >= PacketHandshake.limit else { continue }
                step.finish(contact, Refusal(.unable, PacketViolation(.handshake, "took longer than 30 s")))
                keep(contact, nil)
            }
        default: return
        }
    }

    /// The records that changed since the last call.
    public mutating func takeChanges() -> [Record] {
        defer { changes = [] }
        return changes
    }

    /// Takes up all records of an earlier run; one that cannot be read refuses them all.
    public mutating func restore(_ records: [Record]) throws(Refusal) {
        var trial = self
        var marks: [(count: UInt64, mark: String)] = []
        for record in records {
            let unreadable = Refusal(.unsupported, CommonCause.unreadableRecord(record.key, machine: Self.name))
            guard let bytes = record.bytes, !bytes.isEmpty, bytes[0] == PacketContact.version else { throw unreadable }
            let body = bytes.slice(1..<bytes.count)
            if record.key == PacketContact.bindingKey {
                guard let stored = try? PacketBinding(json: body.array) else { throw unreadable }
                trial.binding = stored
            } else if record.key.hasPrefix(PacketContact.seenPrefix) {
                guard let count = PacketContact.count(body) else { throw unreadable }
                marks.append((count, String(record.key.dropFirst(PacketContact.seenPrefix.count))))
            } else if record.key.hasPrefix(PacketContact.prefix),
                let number = UInt64(record.key.dropFirst(PacketContact.prefix.count)),
                let state = PacketContact(body)
            {
                trial.contacts[ContactID(number)] = state
            } else {
                throw unreadable
            }
        }
        marks.sort { $0.count < $1.count }
        (trial.seen, trial.seenCount) = (marks.map(\.mark), marks.last?.count ?? 0)
        trial.listen()
        self = trial
    }
}
