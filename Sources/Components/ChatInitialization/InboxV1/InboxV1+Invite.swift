import ChatCodec
import ChatCrypto
public import ChatModel
import LogosFormats

// Inviting: the header with the keys, then what the conversation says first.
extension InboxV1 {
    /// Sends the invite of a contact to the inbox of the one invited; in profile `reference` again until it is answered.
    public mutating func invite(
        _ contact: ContactID, opening: Payload, for content: ContentID?, in step: inout Step
    ) throws(Refusal) {
        guard let ticket = Ticket(try contacts.find(contact)) else {
            throw Refusal(.unable, InitializationCause.unknownContact(contact))
        }
        let frame = InboxFrame(discriminator: ticket.discriminator, opening: opening).encoded()
        let handshake = InboxHandshakeV1(header: ticket.header, payload: try sealed(frame, with: ticket, in: &step))
        let payload = EncryptedPayload.inboxHandshake(handshake)
        guard payload.size <= step.maximumPayload else {
            throw Refusal(
                .unable, CommonCause.tooLarge("invite", bytes: payload.size, limit: step.maximumPayload))
        }
        let routed = Routed(
            profile.address(of: ticket.invited), Route(profile.inbox(of: ticket.invited)),
            payload: payload.encoded(headRoom: step.headRoom))
        step.send(routed, for: content, until: profile == .reference ? contact : nil)
        contacts.end(contact)
        keys.sweep(step.now)
    }

    /// The header of an invite; in profile `reference` our identity is sealed in it and the other keys are not named.
    func header(
        for intro: IntroBundle, from ephemeral: PublicKey, sealedBy half: KeyAgreement.Initiator
    ) throws(CryptoError) -> InboxHandshakeV1.Header {
        var header = InboxHandshakeV1.Header(initiatorEphemeral: Bytes(ephemeral.bytes))
        header.responderEphemeral = Bytes(profile.keyName(of: intro.ephemeral))
        switch profile {
        case .reference:
            let identity = Bytes(identity.publicKey.bytes)
            header.initiatorStatic = try InboxSeal.sealIdentity(identity, key: half.headerKey(), header: header)
        case .libchat:
            header.initiatorStatic = Bytes(identity.publicKey.bytes)
            header.responderStatic = Bytes(intro.installation.bytes)
        }
        return header
    }

    private func sealed(_ frame: Bytes, with ticket: Ticket, in step: inout Step) throws(Refusal) -> Bytes {
        guard profile == .reference else { return frame }
        let nonce = step.random.bytes(InboxSeal.nonceSize, for: .nonce)
        return try refusing(as: .unable) { () throws(CryptoError) in
            try InboxSeal.seal(frame, key: ticket.payloadKey, nonce: nonce, header: ticket.header)
        }
    }
}

/// The data that `begin` keeps for `invite`: the recipient, the header, the key that seals the invite, the name of the type.
struct Ticket {
    let invited: PublicKey
    let header: InboxHandshakeV1.Header
    let payloadKey: Secret
    let discriminator: String

    init(invited: PublicKey, header: InboxHandshakeV1.Header, payloadKey: Secret, discriminator: String) {
        (self.invited, self.header) = (invited, header)
        (self.payloadKey, self.discriminator) = (payloadKey, discriminator)
    }

    /// Reads what ``encoded`` gave; nil for anything else.
    init?(_ secret: Secret) {
        guard secret.count > 2 * Self.keySize else { return nil }
        payloadKey = secret.part(0..<Self.keySize)
        invited = PublicKey(secret.part(Self.keySize..<2 * Self.keySize).lend { Bytes(copying: $0).array })
        let rest = secret.part(2 * Self.keySize..<secret.count).lend { Bytes(copying: $0) }
        guard let header = try? InboxHandshakeV1(decoding: rest), let keys = header.header,
            let discriminator = String(validating: header.payload.array, as: UTF8.self)
        else { return nil }
        (self.header, self.discriminator) = (keys, discriminator)
    }

    /// The two keys, then an `InboxHandshakeV1` whose payload is the name.
    var encoded: Secret {
        let rest = InboxHandshakeV1(header: header, payload: Bytes(discriminator)).encoded()
        return Secret.joining([payloadKey, Secret(copying: invited.bytes.span), Secret(copying: rest.span)])
    }

    private static let keySize = 32
}
