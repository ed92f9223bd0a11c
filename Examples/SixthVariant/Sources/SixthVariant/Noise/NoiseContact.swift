internal import ChatCrypto
internal import ChatModel

/// Saro's side of a first contact that has begun: what the handshake is made again from, message by message.
struct NoiseContact: Sendable {
    /// Raya's long-term key.
    let remote: PublicKey
    let ticket: [UInt8]
    /// Names the address at which the answer is expected.
    let reply: [UInt8]
    let ephemeral: KeyPair
    let type: String
    /// The second message, once it came.
    var answer: [UInt8]?

    /// The handshake after the knock.
    func begin(as identity: KeyPair) throws(Refusal) -> (handshake: NoiseHandshake, message: [UInt8]) {
        var handshake = NoiseHandshake(
            .initiator, ownStatic: identity, remoteStatic: remote, prologue: NoiseXK.prologue(ticket))
        let message = try refusing { () throws(NoiseError) in try handshake.write(reply, ephemeral: ephemeral) }
        return (handshake, message)
    }

    /// The handshake after the answer.
    private func `continue`(
        as identity: KeyPair
    ) throws(Refusal) -> (handshake: NoiseHandshake, knock: [UInt8], verdict: [UInt8]) {
        guard let answer else { throw Refusal(.unable, NoiseCause.unknownContact) }
        var (handshake, knock) = try begin(as: identity)
        let verdict = try refusing { () throws(NoiseError) in try handshake.read(answer) }
        return (handshake, knock, verdict)
    }

    /// Whether the answer allows the invite; refused unless it is authentic.
    func isWelcome(as identity: KeyPair) throws(Refusal) -> Bool {
        let verdict = try self.continue(as: identity).verdict
        guard verdict.count == 1, let known = NoiseXK.Verdict(rawValue: verdict[0]) else {
            throw NoiseXK.malformed("answer", at: 0)
        }
        return known == .welcome
    }

    /// What the conversation begins with; it depends on no payload of the third message.
    func seed(as identity: KeyPair, _ contact: ContactID) throws(Refusal) -> ConversationSeed {
        var (handshake, _, _) = try self.continue(as: identity)
        let binding = handshake.hash
        _ = try refusing { () throws(NoiseError) in try handshake.write([]) }
        return ConversationSeed(
            type: ConversationType(type), side: .inviting(), contact: contact,
            secret: Self.secret(handshake, binding: binding, inviter: identity.publicKey),
            remoteKeys: [handshake.remoteEphemeral].compactMap(\.self), ownIdentity: identity.publicKey,
            peers: [remote])
    }

    /// The first and the third message; the third carries type and opening.
    func invite(_ opening: Payload, as identity: KeyPair) throws(Refusal) -> (knock: [UInt8], message: [UInt8]) {
        var (handshake, knock, _) = try self.continue(as: identity)
        let name = Array(type.utf8)
        let plain = [UInt8(truncatingIfNeeded: name.count)] + name + opening.array
        return (knock, try refusing { () throws(NoiseError) in try handshake.write(plain) })
    }

    /// The seed's secret: out of the handshake's keys, bound to all that was said before the invite and to its sender.
    static func secret(_ handshake: NoiseHandshake, binding: [UInt8], inviter: PublicKey) -> Secret {
        let context = Array("noise-xk secret".utf8) + binding + inviter.bytes
        return BLAKE2b.authenticate(count: 32, context.span, key: handshake.split().fromInitiator)
    }
}
