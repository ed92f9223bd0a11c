import ChatCrypto
public import ChatModel
import ChatWire

// Inviting: the header with the keys, then what the conversation says first.
extension InboxV1 {
    /// Sends the invite of a seed to the inbox of the one invited; in profile `reference` again until it is answered.
    public mutating func invite(
        _ seed: ConversationSeed, as conversation: ConversationID, opening: Payload, for content: ContentID?,
        in step: inout Step
    ) throws(Refusal) {
        guard let ticket = Ticket(seed.ticket), let invited = seed.peers.first else {
            throw Refusal(.unable, InitializationCause.noTicket("\(profile.name) did not make it for a bundle"))
        }
        let frame = InboxFrame(discriminator: ticket.discriminator, opening: opening).encoded()
        let handshake = InboxHandshakeV1(header: ticket.header, payload: try sealed(frame, with: ticket, in: &step))
        let payload = EncryptedPayload.inboxHandshake(handshake)
        guard payload.size <= step.maximumPayload else {
            throw Refusal(
                .unable, CommonCause.tooLarge("invite", bytes: payload.size, limit: step.maximumPayload))
        }
        let routed = Routed(
            profile.address(of: invited), Route(profile.inbox(of: invited)),
            payload: payload.encoded(headRoom: step.headRoom))
        step.send(routed, for: content)
        if profile == .reference { pending.add(routed, for: conversation, now: step.now) }
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

/// What `seed` keeps for `invite`: the header, the key that seals the invite, and the name of the type.
struct Ticket {
    let header: InboxHandshakeV1.Header
    let payloadKey: Secret
    let discriminator: String

    init(header: InboxHandshakeV1.Header, payloadKey: Secret, discriminator: String) {
        (self.header, self.payloadKey, self.discriminator) = (header, payloadKey, discriminator)
    }

    /// The ticket of a seed; nil where it is not one of ours.
    init?(_ secret: Secret?) {
        guard let secret, secret.count > Self.keySize else { return nil }
        payloadKey = secret.part(0..<Self.keySize)
        let rest = secret.part(Self.keySize..<secret.count).lend { Bytes(copying: $0) }
        guard let header = try? InboxHandshakeV1(decoding: rest), let keys = header.header,
            let discriminator = String(validating: header.payload.array, as: UTF8.self)
        else { return nil }
        (self.header, self.discriminator) = (keys, discriminator)
    }

    /// The key, then an `InboxHandshakeV1` whose payload is the name.
    var encoded: Secret {
        let rest = InboxHandshakeV1(header: header, payload: Bytes(discriminator)).encoded()
        return Secret.joining([payloadKey, Secret(copying: rest.span)])
    }

    private static let keySize = 32
}
