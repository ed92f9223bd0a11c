import ChatCrypto
public import ChatModel
import TestSupport

@testable import ChatConversation

/// Saro and Raya with a seed each, as an initialization would have made them.
struct Pair<Conversation: SimpleConversation> {
    var saro: Conversation
    var raya: Conversation
    /// What Raya heard when the conversation began.
    let begun: [Event]
    let opening: Payload

    /// Begins a conversation with one content.
    init(_ first: Content = "hello", random: any RandomSource = SeededRandom(1)) throws {
        let seeds = Seeds(random: random)
        var step = Step(now: now, headRoom: 5, random: random)
        saro = try Conversation(seeds.initiator, in: &step)
        try saro.perform(.send(first), as: ContentID(1), in: &step)
        guard step.openings.count == 1, step.sends.isEmpty, step.events.isEmpty else { throw Mistake() }
        opening = step.openings[0].payload
        step.clear()
        raya = try Conversation(seeds.responder(opening), in: &step)
        begun = step.events
    }

    struct Mistake: Error {}
}

/// Draws on from test to test, so that no two steps draw the same key.
private let everybody = SeededRandom(2)

let now = Timestamp(milliseconds: 1_700_000_000_000)

/// Two seeds that belong together.
struct Seeds {
    let initiator: ConversationSeed
    private let secret: Secret
    private let pair: KeyPair

    init(secret: Secret? = nil, responder: KeyPair? = nil, random: any RandomSource = SeededRandom(1)) {
        var random = random
        self.secret = secret ?? random.secret(32, for: .secret)
        pair = responder ?? X25519.generate(using: &random, for: .introEphemeralPrivate)
        initiator = ConversationSeed(
            type: "test", side: .inviting(), secret: self.secret, remoteKeys: [pair.publicKey],
            peers: [PublicKey([UInt8](repeating: 7, count: 32))])
    }

    func responder(_ opening: Payload) -> ConversationSeed {
        ConversationSeed(
            type: "test", side: .invited(opening: opening), secret: secret, ownKeys: [pair],
            peers: [PublicKey([UInt8](repeating: 8, count: 32))])
    }
}

extension SimpleConversation {
    /// Sends content in a turn of its own and gives what is to be published.
    mutating func send(_ content: Content, random: (any RandomSource)? = nil) throws -> Routed {
        var step = Step(now: now, headRoom: 5, random: random ?? everybody)
        try perform(.send(content), as: ContentID(2), in: &step)
        guard step.sends.count == 1, step.openings.isEmpty, step.events.isEmpty else { throw Mistake() }
        return step.sends[0].routed
    }

    /// Receives a payload in a turn of its own and gives what the application hears.
    mutating func hear(_ routed: Routed) throws -> [Event] {
        var step = Step(now: now, random: SeededRandom(3))
        do {
            try receive(routed, in: &step)
        } catch {
            guard step.events.isEmpty else { throw Mistake() }
            throw error
        }
        guard step.sends.isEmpty else { throw Mistake() }
        return step.events
    }

    /// The same after having been stored and restored.
    func restored(_ store: inout [String: Record], taking changed: inout Self) throws -> Self {
        for record in changed.takeChanges() { store[record.key] = record.bytes == nil ? nil : record }
        return try Self(restoring: Array(store.values))
    }
}

private struct Mistake: Error {}

extension Bytes: ExpressibleByStringLiteral {
    /// The UTF-8 form of a literal.
    public init(stringLiteral text: String) {
        self.init(text)
    }
}

/// The contents among events.
func contents(_ events: [Event]) -> [Content] {
    events.compactMap { if case .content(let received) = $0 { received.content } else { nil } }
}
