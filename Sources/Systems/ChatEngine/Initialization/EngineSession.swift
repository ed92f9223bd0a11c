import ChatCodec
import ChatCrypto
public import ChatModel

/// The line in which a client asks for a session: where the conversation will be, and its first line.
struct EngineInvite: EngineObject {
    /// 32 bytes that only tell one conversation from another.
    var channel: Bytes
    /// The type of conversation.
    var type: String
    /// What the conversation says first.
    var opening: Bytes

    init(channel: Bytes, type: String, opening: Bytes) {
        (self.channel, self.type, self.opening) = (channel, type, opening)
    }

    init(_ fields: Fields) throws(Violation) {
        try fields.allow("channel", "conversation", "opening")
        channel = try fields.base64("channel")
        guard channel.count == EngineSession.channelSize else {
            throw Violation(.field, "has not \(EngineSession.channelSize) bytes", at: "channel")
        }
        type = try fields.fullText("conversation")
        opening = try fields.base64("opening")
    }

    func writeMembers(to writer: inout JSONWriter) {
        writer.field("channel", Base64URL.encode(channel.array))
        writer.field("conversation", type)
        writer.field("opening", Base64URL.encode(opening.array))
    }
}

extension Fields {
    fileprivate func base64(_ key: String) throws(Violation) -> Bytes {
        do { return Bytes(try Base64URL.decode(try text(key))) } catch let error as Violation { throw error } catch {
            throw Violation(.field, "is no base64url without padding", at: key)
        }
    }
}

/// The initialization `engine-session`: whoever knows where an engine is may ask it for a session.
///
/// A bundle names the engine's address, and is good for any number of sessions. The client's machine begins at once;
/// its first line, which asks for the session, goes into the invite, and that is sent again until something comes back.
/// There is no cryptography: the transport's token has to see to that, or another initialization.
public struct EngineSession: InitializationProtocol {
    /// The scheme of its bundles: the bytes are the engine's address.
    public static let scheme = "chatengine_1"
    /// Bytes that tell a conversation from all others.
    static let channelSize = 32
    /// The most invites that are remembered, so that none begins two conversations; a stranger can make the oldest be
    /// forgotten.
    static let maximumMemory = 1_024
    /// The most contacts that have begun.
    static let maximumContacts = 1_024

    private static let name = "engine-session"
    private static let addressKey = "address"
    private static let contactPrefix = "contact/"
    static let route = Route("engine-session")

    private struct Begun: Sendable {
        let address: String
        let type: String
        let channel: Bytes
    }

    private var address: String?
    private var contacts: [ContactID: Begun] = [:]
    private var seen: [Bytes] = []
    private var changes: [Record] = []

    /// An initialization whose address is drawn with the first bundle.
    public init() {}

    /// Name and claims.
    public var facts: Facts {
        Facts(
            name: Self.name, summary: "Whoever knows the address of an engine may ask it for a session.",
            claims: [
                Claim(.confidentiality, "CE-42", holds: false, "an invite travels in clear"),
                Claim(.authentication, "CE-42", holds: false, "the transport's token has to see to that"),
                Claim(.replayProtection, "CE-43", "for the last \(Self.maximumMemory) invites"),
            ])
    }

    /// Where invites arrive, once there is an address.
    public var listening: [Listening] { address.map { [Listening(DeliveryAddress($0), Self.route)] } ?? [] }

    /// The bundle of an engine that is somewhere already.
    public static func bundle(for address: DeliveryAddress) -> IntroductionBundle {
        IntroductionBundle(scheme: scheme, bytes: Bytes(address.text))
    }

    /// Gives the same bundle as often as asked.
    public mutating func introduce(_ count: Int, in step: inout Step) throws(Refusal) -> [IntroductionBundle] {
        let address = address ?? "engine_" + Hex.encode(step.random.bytes(16, for: .identifier))
        if self.address == nil {
            self.address = address
            changes.append(Record(Self.addressKey, Bytes([1] + Array(address.utf8))))
        }
        return Array(repeating: Self.bundle(for: DeliveryAddress(address)), count: max(0, count))
    }

    /// The client's seed: what tells its conversation from all others is drawn here.
    public mutating func begin(
        _ type: ConversationType, with bundle: IntroductionBundle, as contact: ContactID, in step: inout Step
    ) throws(Refusal) -> ConversationSeed? {
        guard bundle.scheme == Self.scheme else {
            throw Refusal(.unsupported, CommonCause.unsupportedScheme(bundle.scheme, initialization: Self.name))
        }
        guard let address = String(validating: bundle.bytes.array, as: UTF8.self), !address.isEmpty,
            address.utf8.count <= 255
        else { throw Refusal(.invalid, CommonCause.malformed("an engine's address", at: 0)) }
        guard contacts.count < Self.maximumContacts else {
            throw Refusal(
                .unable, CommonCause.tooLarge("contacts", bytes: contacts.count + 1, limit: Self.maximumContacts))
        }
        let secret = step.random.secret(Self.channelSize, for: .secret)
        let channel = secret.lend { Bytes(copying: $0) }
        let remote = try Self.pair(from: secret).publicKey
        let begun = Begun(address: address, type: type.name, channel: channel)
        contacts[contact] = begun
        changes.append(Self.record(contact, begun))
        return ConversationSeed(
            type: type, side: .inviting(), contact: contact, secret: secret, remoteKeys: [remote], bundle: bundle)
    }

    /// Sends the invite; again until something comes back.
    public mutating func invite(
        _ contact: ContactID, opening: Payload, for content: ContentID?, in step: inout Step
    ) throws(Refusal) {
        guard let begun = contacts[contact] else {
            throw Refusal(.unable, CommonCause.incompleteSeed("contact \(contact)", type: Self.name))
        }
        let invite = EngineInvite(channel: begun.channel, type: begun.type, opening: opening)
        let line = EngineJSON().encode(invite)
        guard line.count <= step.maximumPayload else {
            throw Refusal(.unable, CommonCause.tooLarge("invite", bytes: line.count, limit: step.maximumPayload))
        }
        let payload = Bytes(headRoom: step.headRoom, count: line.count) { output in
            for byte in line { output.append(byte) }
        }
        step.send(
            Routed(DeliveryAddress(begun.address), Self.route, payload: payload), for: content, until: contact)
    }

    /// Begins the engine's machine, once for each channel.
    public mutating func receive(_ routed: Routed, in step: inout Step) throws(Refusal) {
        let invite: EngineInvite
        do throws(Violation) {
            invite = try EngineJSON().decode(from: routed.payload.span, maximumBytes: EngineJSON.maximumLine)
        } catch { throw Refusal(.invalid, error) }
        let secret = Secret(copying: invite.channel.span)
        let pair = try Self.pair(from: secret)
        guard !seen.contains(invite.channel) else {
            throw Refusal(.invalid, Violation(.existence, "a conversation of this invite has begun"))
        }
        seen.append(invite.channel)
        if seen.count > Self.maximumMemory { changes.append(Self.seenRecord(seen.removeFirst(), isGone: true)) }
        changes.append(Self.seenRecord(invite.channel, isGone: false))
        step.start(
            ConversationSeed(
                type: ConversationType(invite.type), side: .invited(opening: invite.opening),
                secret: secret, ownKeys: [pair]))
    }

    /// Forgets a contact that has ended.
    public mutating func handle(_ signal: Signal, in step: inout Step) {
        guard case .contactEnded(let contact) = signal, contacts.removeValue(forKey: contact) != nil else { return }
        changes.append(Record(Self.contactPrefix + contact.description, nil))
    }

    /// The records that changed since the last call.
    public mutating func takeChanges() -> [Record] {
        defer { changes = [] }
        return changes
    }
}

extension EngineSession {
    /// The responder's first key pair, which both sides make, so that any conversation type can begin.
    private static func pair(from secret: Secret) throws(Refusal) -> KeyPair {
        do throws(CryptoError) {
            return try X25519.keyPair(BLAKE2b.derive(count: X25519.size, key: secret, personal: "EngineSessionKey"))
        } catch { throw Refusal(.invalid, CommonCause.malformed("a channel", at: 0)) }
    }
}

// Stored: the address, each contact, and each invite that began something.
extension EngineSession {
    private static let seenPrefix = "seen/"

    private static func seenRecord(_ channel: Bytes, isGone: Bool) -> Record {
        Record(seenPrefix + Hex.encode(channel.array), isGone ? nil : [1])
    }

    private static func record(_ contact: ContactID, _ begun: Begun) -> Record {
        let invite = EngineInvite(channel: begun.channel, type: begun.type, opening: Bytes(begun.address))
        return Record(contactPrefix + contact.description, Bytes([1] + EngineJSON().encode(invite)))
    }

    /// Takes up all records of an earlier run.
    public mutating func restore(_ records: [Record]) throws(Refusal) {
        var trial = EngineSession()
        for record in records {
            guard let bytes = record.bytes?.array, bytes.first == 1, try trial.take(record.key, bytes.dropFirst())
            else { throw Refusal(.invalid, CommonCause.unreadableRecord(record.key, machine: Self.name)) }
        }
        self = trial
    }

    private mutating func take(_ key: String, _ bytes: ArraySlice<UInt8>) throws(Refusal) -> Bool {
        if key == Self.addressKey {
            address = String(validating: bytes, as: UTF8.self)
            return address != nil
        }
        if key.hasPrefix(Self.seenPrefix) {
            guard let channel = try? Hex.decode(String(key.dropFirst(Self.seenPrefix.count))) else { return false }
            seen.append(Bytes(channel))
            return channel.count == Self.channelSize
        }
        guard key.hasPrefix(Self.contactPrefix), let number = UInt64(key.dropFirst(Self.contactPrefix.count)),
            let invite = try? EngineJSON().decode(EngineInvite.self, from: Array(bytes).span),
            let address = String(validating: invite.opening.array, as: UTF8.self)
        else { return false }
        contacts[ContactID(number)] = Begun(address: address, type: invite.type, channel: invite.channel)
        return true
    }
}
