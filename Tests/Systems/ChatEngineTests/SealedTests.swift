import ChatConversation
import ChatCrypto
import ChatEngine
import ChatModel
import TestSupport
import Testing

/// One side of a conversation between a client and a backend that the engine is not part of.
private struct Inner {
    var machine: any Conversation
    private var random: any RandomSource

    init(_ seed: ConversationSeed, random: any RandomSource, heard: inout [String]) throws {
        self.random = random
        var step = Step(now: .zero, random: random)
        machine = try PrivateV1.Libchat.type.begin(seed, in: &step)
        self.random = step.random
        heard += Self.texts(step.events)
    }

    private static func texts(_ events: [Event]) -> [String] {
        events.compactMap { event in
            guard case .content(let received) = event else { return nil }
            return String(decoding: received.content.array, as: UTF8.self)
        }
    }

    mutating func seal(_ text: String, _ number: UInt64) throws -> String {
        var step = Step(now: .zero, random: random)
        try machine.perform(.send(Bytes(text)), as: ContentID(number), in: &step)
        random = step.random
        let payload = step.openings.first?.payload ?? step.sends.first?.routed.payload
        return SealedText.text(of: try #require(payload))
    }

    mutating func open(_ text: String) throws -> String? {
        var step = Step(now: .zero, random: random)
        let place = try #require(machine.listening.first)
        let payload = try SealedText.payload(of: text)
        try machine.receive(Routed(place.address, place.route, payload: payload), in: &step)
        random = step.random
        return Self.texts(step.events).first
    }
}

struct SealedTests {
    @Test func `an engine keeps and streams what only client and backend can read`() throws {
        var random: any RandomSource = SeededRandom(4)
        let secret = random.secret(32, for: .secret)
        let pair = X25519.generate(using: &random, for: .introEphemeralPrivate)
        let peers = [PublicKey([UInt8](repeating: 7, count: 32))]
        var heard: [String] = []
        var saro = try Inner(
            ConversationSeed(
                type: PrivateV1.Libchat.type.name, side: .inviting(), secret: secret, remoteKeys: [pair.publicKey],
                peers: peers), random: SeededRandom(5), heard: &heard)

        var both = try Both()
        try both.carry()
        try both.act(client: true, .send(Bytes(try saro.seal("Compare the two quotes", 1))))
        try both.carry()
        let question = try SealedText.payload(of: try #require(both.questions.last))
        var pax = try Inner(
            ConversationSeed(
                type: PrivateV1.Libchat.type.name, side: .invited(opening: question), secret: secret, ownKeys: [pair],
                peers: peers), random: SeededRandom(6), heard: &heard)
        #expect(heard == ["Compare the two quotes"])

        let answer = try pax.seal("Quote A is cheaper", 1)
        for piece in [answer.prefix(40), answer.dropFirst(40)] {
            try both.act(client: false, .send(Bytes(String(piece)), part: .delta))
        }
        try both.act(client: false, .send(Bytes(), part: .whole))
        try both.carry()
        #expect(try saro.open(try #require(both.answers.last)) == "Quote A is cheaper")

        try both.act(client: true, .send(Bytes(try saro.seal("And the third?", 2))))
        try both.carry()
        #expect(try pax.open(try #require(both.questions.last)) == "And the third?")

        // Nothing that the engine stores says a word of it.
        let stored = both.records[1].values.map { String(decoding: $0.array, as: UTF8.self) }.joined()
        #expect(stored.contains("sealed:"))
        for word in ["Compare", "quotes", "cheaper", "third"] { #expect(!stored.contains(word)) }
    }

    @Test(arguments: ["", "hello", "sealed:=", "sealed:a", "SEALED:aaaa"])
    func `a text that is not sealed is refused`(text: String) {
        #expect(throws: Violation.self) { try SealedText.payload(of: text) }
    }
}
