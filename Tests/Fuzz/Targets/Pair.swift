import ChatCrypto
import ChatModel

/// Two participants in the middle of a conversation, with payloads on the way in both directions.
struct Pair: Sendable {
    private(set) var saro, raya: any Conversation
    private(set) var seeds: [[UInt8]] = []
    private(set) var address: DeliveryAddress = ""
    /// What Saro and Raya have stored.
    private(set) var stored: [[String: Record]] = []
    private let type: any ConversationProtocol
    private let invited: ConversationSeed
    private var contents: Set<Content> = []

    init(_ type: any ConversationProtocol) throws {
        self.type = type
        var random: any RandomSource = RepeatableRandom(seed: 3)
        let secret = random.secret(32, for: .secret)
        let pair = X25519.generate(using: &random, for: .introEphemeralPrivate)
        let keys = (0..<2).map { _ in PublicKey(random.bytes(32, for: .identifier)) }
        var turn = turn(seed: 4)
        saro = try type.begin(
            ConversationSeed(
                type: type.name, side: .inviting(), secret: secret, remoteKeys: [pair.publicKey], ownIdentity: keys[0],
                peers: [keys[1]]), in: &turn)
        try saro.perform(.send(Bytes("hello")), as: ContentID(1), in: &turn)
        let opening = turn.takeOutput().openings.map(\.payload)
        guard let first = opening.first else { throw FuzzTarget.Violation(description: "no opening") }
        invited = ConversationSeed(
            type: type.name, side: .invited(opening: first), secret: secret, ownKeys: [pair], ownIdentity: keys[1],
            peers: [keys[0]])
        raya = try type.begin(invited, in: &turn)
        contents = [Bytes("hello")]
        seeds = [[2] + first.array]

        for routed in try send("hello yourself", from: \.raya) { try saro.receive(routed, in: &turn) }
        for text in ["one", "two", ""] { seeds += try send(text, from: \.raya).map { [1] + $0.payload.array } }
        for text in ["three", "four"] { seeds += try send(text, from: \.saro).map { [0] + $0.payload.array } }
        stored = [saro.takeChanges(), raya.takeChanges()].map { changes in
            changes.reduce(into: [:]) { $0[$1.key] = $1.bytes == nil ? nil : $1 }
        }
    }

    private mutating func send(_ text: String, from: WritableKeyPath<Pair, any Conversation>) throws -> [Routed] {
        var turn = turn(seed: 5 + UInt64(contents.count))
        try self[keyPath: from].perform(.send(Bytes(text)), as: ContentID(2), in: &turn)
        contents.insert(Bytes(text))
        address = turn.sends.first?.routed.address ?? address
        return turn.sends.map(\.routed)
    }

    /// Begins a conversation as a responder would.
    func begin(with opening: Payload, isAuthentic: Bool) throws -> Bool {
        var (seed, turn) = (invited, turn())
        seed.side = .invited(opening: opening)
        guard (try? type.begin(seed, in: &turn)) != nil else { return false }
        if isAuthentic { try check(turn.events) }
        return true
    }

    /// Content must be what somebody sent.
    func check(_ events: [Event]) throws {
        for case .content(let received) in events {
            try demand(contents.contains(received.content), "content that nobody sent: \(received.content.array)")
        }
    }
}
