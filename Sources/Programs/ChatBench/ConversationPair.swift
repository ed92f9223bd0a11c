import ChatCrypto
import ChatModel

/// Two conversations that began with each other, and carry a content of one size.
struct ConversationPair<Conversation: SimpleConversation> {
    private(set) var (saro, raya): (Conversation, Conversation)
    private var turn = Step(now: Timestamp(milliseconds: 1_700_000_000_000), headRoom: 64, random: SystemRandom())
    private let content: Content
    private var nextContent: UInt64 = 1
    /// Bytes and payloads that were sent since the conversation began.
    private(set) var (sentBytes, sentPayloads) = (0, 0)
    /// After how many contents a batch ends: the records are taken, and the other side's alarm is taken to be due.
    static var batch: Int { 16 }

    init(content count: Int) throws {
        content = Bytes([UInt8](repeating: 7, count: count))
        let secret = turn.random.secret(32, for: .secret)
        let pair = X25519.generate(using: &turn.random, for: .introEphemeralPrivate)
        saro = try Conversation(
            ConversationSeed(
                type: Conversation.type.name, side: .inviting(), secret: secret, remoteKeys: [pair.publicKey]),
            in: &turn)
        try saro.perform(.send(content), as: ContentID(1), in: &turn)
        raya = try Conversation(
            ConversationSeed(
                type: Conversation.type.name, side: .invited(opening: turn.openings[0].payload), secret: secret,
                ownKeys: [pair]),
            in: &turn)
        turn.clear()
        // Acknowledged, and the direction has turned: what begins with this is what lasts.
        try pingPong(2)
    }

    /// Contents from Saro to Raya. Types that acknowledge do so at the end of a batch.
    ///
    /// - Parameter answering: whether Raya says something at the end of a batch, which turns the ratchet as an
    ///   acknowledgement does.
    mutating func oneWay(_ messages: Int, answering: Bool = false) throws {
        for number in 1...max(1, messages) {
            try carry(fromSaro: true)
            guard number % Self.batch == 0 else { continue }
            if answering { try carry(fromSaro: false) }
            try endBatch(acknowledging: true)
        }
    }

    /// Contents in turns.
    mutating func pingPong(_ messages: Int) throws {
        for number in 1...max(1, messages / 2) {
            try carry(fromSaro: false)
            try carry(fromSaro: true)
            guard 2 * number % Self.batch == 0 else { continue }
            try endBatch(acknowledging: false)
        }
    }

    /// Records are taken once for a batch, as a client does.
    private mutating func endBatch(acknowledging: Bool) throws {
        let isDue = raya.nextWake != nil
        turn = Step(
            now: Timestamp(milliseconds: turn.now.milliseconds + 500), headRoom: turn.headRoom, random: turn.random)
        if acknowledging, isDue {
            raya.handle(.due, in: &turn)
            try deliverRest()
        }
        _ = saro.takeChanges().count + raya.takeChanges().count
    }

    private mutating func carry(fromSaro: Bool) throws {
        nextContent += 1
        let id = ContentID(nextContent)
        if fromSaro {
            try saro.perform(.send(content), as: id, in: &turn)
        } else {
            try raya.perform(.send(content), as: id, in: &turn)
        }
        let sends = turn.takeOutput().sends
        guard sends.count == 1 else { throw Lost() }
        count(sends[0].routed)
        if fromSaro {
            try raya.receive(sends[0].routed, in: &turn)
        } else {
            try saro.receive(sends[0].routed, in: &turn)
        }
        guard turn.events.contains(where: { if case .content = $0 { true } else { false } }) else { throw Lost() }
        turn.clear()
    }

    /// What Raya acknowledges goes to Saro.
    private mutating func deliverRest() throws {
        for send in turn.takeOutput().sends {
            count(send.routed)
            try saro.receive(send.routed, in: &turn)
        }
        turn.clear()
    }

    private mutating func count(_ routed: Routed) {
        sentBytes += routed.payload.count
        sentPayloads += 1
    }

    private struct Lost: Error {}
}
