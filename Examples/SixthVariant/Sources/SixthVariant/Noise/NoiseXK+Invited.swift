internal import ChatCrypto
internal import ChatModel

// Raya's side: knocks are answered and invites are opened, and nothing is kept between the two.
extension NoiseXK {
    /// The first payload byte of an answer: whether the invite may come.
    enum Verdict: UInt8 {
        case welcome = 0
        case refused = 1
    }

    /// The ticket is also the prologue, so that a knock is good for its own ticket alone.
    static func prologue(_ ticket: [UInt8]) -> [UInt8] { Array(scheme.utf8) + ticket }

    func answer(_ knock: [UInt8], _ id: [UInt8], in step: inout Step) throws(Refusal) {
        var handshake = NoiseHandshake(.responder, ownStatic: identity, prologue: Self.prologue(id))
        let reply = try refusing { () throws(NoiseError) in try handshake.read(knock) }
        guard reply.count == NoiseInbox.idSize else { throw Self.malformed("knock", at: knock.count) }
        let ticket = tickets.first { $0.id == id }
        // The same knock gets the same answer. One for a ticket that is gone leads nowhere, so any key will do.
        let ephemeral = try ticket.map { ticket throws(Refusal) in try Self.ephemeral(of: ticket, knock) }
        let pair = ephemeral ?? X25519.generate(using: &step.random, for: .handshakeEphemeralPrivate)
        let verdict = ticket == nil ? Verdict.refused : .welcome
        let message = try refusing { () throws(NoiseError) in
            try handshake.write([verdict.rawValue], ephemeral: pair)
        }
        step.send(NoiseInbox(id: reply).routed(try NoiseMessage.answer(handshake: message).payload(in: step)))
    }

    mutating func open(
        _ invite: [UInt8], after knock: [UInt8], _ id: [UInt8], in step: inout Step
    ) throws(Refusal) {
        guard let index = tickets.firstIndex(where: { $0.id == id }) else {
            throw Refusal(.invalid, NoiseCause.unknownTicket)
        }
        let pair = try Self.ephemeral(of: tickets[index], knock)
        var handshake = NoiseHandshake(.responder, ownStatic: identity, prologue: Self.prologue(id))
        let (binding, plain) = try refusing { () throws(NoiseError) in
            _ = try handshake.read(knock)
            _ = try handshake.write([Verdict.welcome.rawValue], ephemeral: pair)
            return (handshake.hash, try handshake.read(invite))
        }
        guard let peer = handshake.remoteStatic else { throw Refusal(.invalid, NoiseCause.unknownContact) }
        do throws(CryptoError) { try X25519.checkSpelling(of: peer) } catch { throw Refusal(.invalid, error) }
        guard let size = plain.first.map(Int.init), size > 0, plain.count > size,
            let name = String(validating: plain[1...size], as: UTF8.self)
        else { throw Self.malformed("conversation type", at: 0) }
        tickets.remove(at: index)
        areTicketsChanged = true
        step.start(
            ConversationSeed(
                type: ConversationType(name), side: .invited(opening: Bytes(Array(plain.dropFirst(1 + size)))),
                secret: NoiseContact.secret(handshake, binding: binding, inviter: peer), ownKeys: [pair],
                ownIdentity: identity.publicKey, peers: [peer]))
    }

    /// The key pair that answers a knock for a ticket; it cannot be made again once the ticket is gone.
    private static func ephemeral(of ticket: Ticket, _ knock: [UInt8]) throws(Refusal) -> KeyPair {
        let secret = BLAKE2b.authenticate(count: X25519.size, knock.span, key: ticket.key)
        do throws(CryptoError) { return try X25519.keyPair(secret) } catch { throw Refusal(.invalid, error) }
    }
}
