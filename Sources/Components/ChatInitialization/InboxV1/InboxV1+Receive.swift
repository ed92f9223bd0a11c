import ChatCodec
import ChatCrypto
public import ChatModel
package import LogosFormats

// Being invited. Everything is decided before anything changes.
extension InboxV1 {
    /// Takes an invite: the single-use key that it names is deleted, and a conversation is to begin (INBOX-04).
    ///
    /// Refused, each with what was wrong: what does not decode, is no invite, names a key that is not
    /// live (INBOX-05), holds weak keys (INBOX-13), or does not authenticate.
    public mutating func receive(_ routed: Routed, in step: inout Step) throws(Refusal) {
        let handshake = try handshake(routed.payload)
        let header = try header(of: handshake)
        let name = header.responderEphemeral.array
        let prekey = try keys.find(name, now: step.now)
        let (frame, agreement, inviter) = try opened(handshake, header, by: prekey)
        guard
            let frame = try refusing({ () throws(WireError) in
                try InboxFrame.decode(frame, nameLimit: profile.nameLimit)
            })
        else {
            throw Refusal(.unsupported, InitializationCause.unknownFrame(profile.name))
        }
        guard let type = profile.type(for: frame.discriminator) else {
            throw Refusal(.invalid, WireError.missing("discriminator"))
        }
        guard let opening = try refusing({ () throws(WireError) in try frame.opening() }) else {
            throw Refusal(.unsupported, InitializationCause.unexpectedPayload(profile.name))
        }
        keys.end(name, as: .used, now: step.now)
        step.start(
            ConversationSeed(
                type: type, side: .invited(opening: opening), secret: agreement.seed, ownKeys: [prekey],
                ownIdentity: identity.publicKey, peers: [inviter]))
        keys.sweep(step.now)
    }

    /// A decoded invite, with the single-use key that it names; nothing is decided about it.
    package func open(
        _ handshake: InboxHandshakeV1, with prekey: KeyPair
    ) throws(Refusal) -> (frame: Bytes, secret: Secret, inviter: PublicKey) {
        let (frame, agreement, inviter) = try opened(handshake, try header(of: handshake), by: prekey)
        return (frame, agreement.seed, inviter)
    }

    private func handshake(_ payload: Payload) throws(Refusal) -> InboxHandshakeV1 {
        switch try refusing({ () throws(WireError) in try EncryptedPayload(decoding: payload) }) {
        case .inboxHandshake(let handshake): return handshake
        default: throw Refusal(.unsupported, InitializationCause.unexpectedPayload(profile.name))
        }
    }

    /// The header of an invite, once its fields have the sizes they must have. libchat never looks at the
    /// responder's identity, and so in its profile it may be anything.
    private func header(of handshake: InboxHandshakeV1) throws(Refusal) -> InboxHandshakeV1.Header {
        guard let header = handshake.header else { throw Refusal(.invalid, WireError.missing("header")) }
        let isSealed = profile == .reference
        let expected = [
            ("initiator_static", header.initiatorStatic, isSealed ? InboxSeal.identitySize : X25519.size),
            ("initiator_ephemeral", header.initiatorEphemeral, X25519.size),
            ("responder_static", header.responderStatic, isSealed ? 0 : header.responderStatic.count),
            ("responder_ephemeral", header.responderEphemeral, isSealed ? 4 : X25519.size),
        ]
        for (name, bytes, size) in expected where bytes.count != size {
            throw Refusal(.invalid, WireError.wrongLength(name, bytes: bytes.count, expected: size))
        }
        return header
    }

    /// Agrees with the inviter, and opens in profile `reference` what is sealed.
    private func opened(
        _ handshake: InboxHandshakeV1, _ header: InboxHandshakeV1.Header, by prekey: KeyPair
    ) throws(Refusal) -> (frame: Bytes, agreement: KeyAgreement, inviter: PublicKey) {
        try refusing { () throws(CryptoError) in
            let half = try KeyAgreement.Responder(
                identity: identity, prekey: prekey, ephemeral: PublicKey(header.initiatorEphemeral.array))
            guard profile == .reference else {
                let inviter = PublicKey(header.initiatorStatic.array)
                return (handshake.payload, try half.finish(inviter: inviter), inviter)
            }
            let inviter = try InboxSeal.openIdentity(header, key: half.headerKey())
            let agreement = try half.finish(inviter: inviter)
            let frame = try InboxSeal.open(handshake.payload, key: agreement.payloadKey, header: header)
            return (frame, agreement, inviter)
        }
    }
}
