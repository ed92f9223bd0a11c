import ChatCodec
import ChatCrypto
public import ChatModel
import LogosFormats

// Bundles: publishing our own, and reading those of others.
extension InboxV1 {
    /// Makes signed bundles, each with a key of its own that is good for one invite (INBOX-04, INTRO-07).
    ///
    /// All or none: more than there is room for are refused with the limit (INBOX-06).
    public mutating func introduce(_ count: Int, in step: inout Step) throws(Refusal) -> [IntroductionBundle] {
        var trial = self
        trial.keys.sweep(step.now)
        try trial.keys.admit(count)
        var bundles: [IntroductionBundle] = []
        for _ in 0..<max(0, count) { bundles.append(try trial.bundle(in: &step)) }
        self = trial
        return bundles
    }

    private mutating func bundle(in step: inout Step) throws(Refusal) -> IntroductionBundle {
        let pair = X25519.generate(using: &step.random, for: .introEphemeralPrivate)
        let z = step.random.secret(XEdDSA.randomSize, for: .introSignatureZ)
        let name = profile.keyName(of: pair.publicKey)
        guard !keys.knows(name) else { throw Refusal(.unable, InitializationCause.takenName(hex(name))) }
        let message = Self.signedMessage(pair.publicKey)
        let signature = try refusing(as: .unable) { () throws(CryptoError) in
            try XEdDSA.sign(message.span, with: identity.secret, z: z)
        }
        let bundle = try refusing(as: .unable) { () throws(WireError) in
            try IntroBundle(installation: identity.publicKey, ephemeral: pair.publicKey, signature: signature)
        }
        let expiry = keys.add(pair, as: name, now: step.now)
        return IntroductionBundle(scheme: Profile.scheme, bytes: bundle.encoded(), expiry: expiry, isSingleUse: true)
    }

    /// Founds a group on a secret of our own.
    public func found(_ type: ConversationType, in step: inout Step) throws(Refusal) -> ConversationSeed {
        guard profile.discriminator(for: type) != nil else {
            throw Refusal(.unsupported, InitializationCause.unfitName(type.name))
        }
        return ConversationSeed(
            type: type, side: .founding, secret: step.random.secret(32, for: .secret), ownIdentity: identity.publicKey)
    }

    /// Verifies a bundle and agrees on a secret with its maker.
    public mutating func begin(
        _ type: ConversationType, with bundle: IntroductionBundle, as contact: ContactID, in step: inout Step
    ) throws(Refusal) -> ConversationSeed? {
        guard let discriminator = profile.discriminator(for: type) else {
            throw Refusal(.unsupported, InitializationCause.unfitName(type.name))
        }
        let intro = try verified(bundle, at: step.now)
        let ephemeral = X25519.generate(using: &step.random, for: .handshakeEphemeralPrivate)
        let (agreement, header) = try refusing { () throws(CryptoError) in
            let half = try KeyAgreement.Initiator(
                ephemeral: ephemeral, invited: intro.installation, prekey: intro.ephemeral)
            return (
                try half.finish(identity: identity),
                try self.header(for: intro, from: ephemeral.publicKey, sealedBy: half)
            )
        }
        let ticket = Ticket(
            invited: intro.installation, header: header, payloadKey: agreement.payloadKey,
            discriminator: discriminator)
        try contacts.add(contact, ticket.encoded)
        return ConversationSeed(
            type: type, side: .inviting(), contact: contact, secret: agreement.seed, remoteKeys: [intro.ephemeral],
            ownIdentity: identity.publicKey, peers: [intro.installation], bundle: bundle)
    }

    private func verified(_ bundle: IntroductionBundle, at now: Timestamp) throws(Refusal) -> IntroBundle {
        guard bundle.scheme == Profile.scheme else {
            throw Refusal(
                .unsupported, CommonCause.unsupportedScheme(bundle.scheme, initialization: profile.name))
        }
        if let expiry = bundle.expiry, expiry <= now {
            throw Refusal(.unable, InitializationCause.expiredBundle(expiry))
        }
        let intro = try refusing { () throws(WireError) in try IntroBundle(decoding: bundle.bytes) }
        try refusing { () throws(CryptoError) in
            let message = Self.signedMessage(intro.ephemeral)
            try XEdDSA.verify(intro.signature.span, of: message.span, by: intro.installation)
        }
        return intro
    }

    /// The bytes that the signature of a bundle covers: 50 bytes.
    private static func signedMessage(_ ephemeral: PublicKey) -> [UInt8] {
        Profile.signedPrefix + ephemeral.bytes
    }
}
