import ChatCrypto
import ChatModel
import TestSupport
import Testing

@testable import ChatConversation

struct PlainTests {
    @Test(arguments: [
        ("", Refusal.Outcome.invalid), ("010100000000000000", .invalid), ("00010000000000000000", .unsupported),
        ("02010000000000000000", .unsupported), ("01020000000000000000", .unsupported),
        ("0101ffffffffffffffff", .invalid), ("010100000000000003ea", .early),
    ])
    func `bad payloads are refused and change nothing (PLAIN-2, PLAIN-3)`(hex: String, outcome: Refusal.Outcome) throws
    {
        var pair = try Pair<PlainConversation>()
        let before = pair.raya
        let payload = Bytes([UInt8](hex: hex))
        let refusal = #expect(throws: Refusal.self) {
            try pair.raya.hear(Routed("address", Route(pair.raya.id.text), payload: payload))
        }
        #expect(refusal?.outcome == outcome && pair.raya == before)
    }

    @Test func `a thousand may be missing, and of all the oldest are given up (PLAIN-3)`() throws {
        var window = NumberWindow()
        #expect(window.take(try window.decide(1_000)) == 0..<1_000)
        #expect(throws: Refusal(.early, ConversationCause.tooManySkipped(1_001, limit: 1_000))) {
            try window.decide(2_002)
        }
        #expect(window.take(try window.decide(2_001)) == 1_001..<2_001)
        #expect(window.take(try window.decide(2_012)) == 2_002..<2_012)
        #expect(window.missing.count == NumberWindow.maximumMissing)
        #expect(throws: Refusal(.invalid, ConversationCause.replay(number: 9))) { try window.decide(9) }
        #expect(window.take(try window.decide(10)).isEmpty)
        #expect(throws: Refusal(.invalid, ConversationCause.replay(number: 10))) { try window.decide(10) }
        #expect(throws: Refusal(.invalid, ConversationCause.replay(number: 2_012))) { try window.decide(2_012) }
    }

    @Test func `200,000 hostile payloads deliver each number once at most (PLAIN-2)`() throws {
        var pair = try Pair<PlainConversation>()
        let valid = try (0..<4).map { try pair.saro.send(Bytes("\($0)")).payload.array }
        var inputs = HostileInputs(seed: 10, valid: valid, longest: 24)
        var numbers: Set<UInt64> = [0]
        var (delivered, twice) = (0, 0)
        inputs.forEach { bytes in
            var step = Step(now: now, random: SystemRandom())
            guard (try? pair.raya.receive(Routed("a", Route("b"), payload: Bytes(bytes)), in: &step)) != nil,
                let frame = try? PlainFrame(decoding: Bytes(bytes))
            else { return }
            delivered += 1
            if !numbers.insert(frame.number).inserted { twice += 1 }
        }
        #expect(delivered > 3 && twice == 0)
    }

    @Test func `facts say plainly what is missing (CONV-02)`() {
        let lacking = Set(PlainConversation.facts.claims.filter { !$0.holds }.map(\.property))
        #expect(lacking.isSuperset(of: [.confidentiality, .integrity, .authentication, .forwardSecrecy]))
        #expect(PlainConversation.type.name == "plain" && PrivateV1.Libchat.type.name == "private-v1-libchat")
    }
}
