import ChatCrypto
import ChatModel
import TestSupport
import Testing

@testable import ChatConversation

struct PlainTests {
    @Test(arguments: [
        ("", Refusal.Outcome.invalid), ("010100000000000000", .invalid), ("00010000000000000000", .unsupported),
        ("02010000000000000000", .unsupported), ("01020000000000000000", .unsupported),
        ("0101ffffffffffffffff", .invalid), ("01018000000000000000", .invalid),
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

    @Test func `any number may be missing, and of the ranges the lowest are given up (PLAIN-3)`() throws {
        var window = NumberWindow()
        #expect(window.take(try window.decide(1_000)) == 0..<1_000)
        #expect(window.take(try window.decide(1 << 40)) == 1_001..<1 << 40)
        // A forged number this high costs nothing: what is sent on is late, and in order takes no more room.
        for number in 1_001..<UInt64(9_000) { #expect(window.take(try window.decide(number)).isEmpty) }
        #expect(window.missing == [0..<1_000, 9_000..<1 << 40])
        #expect(throws: Refusal(.invalid, ConversationCause.replay(number: 1_001))) { try window.decide(1_001) }
        #expect(throws: Refusal.self) { try window.decide(1 << 63) }
        for number in 0..<UInt64(5_000) { _ = window.take(try window.decide(10_000 + 2 * number)) }
        #expect(window.missing.count == NumberWindow.maximumRanges)
        #expect(throws: Refusal(.invalid, ConversationCause.replay(number: 9))) { try window.decide(9) }
        #expect(window.take(try window.decide(19_997)).isEmpty)
        #expect(throws: Refusal(.invalid, ConversationCause.replay(number: 19_997))) { try window.decide(19_997) }
    }

    @Test func `a long gap is one event and those of its last thousand (CONVERSATION-9)`() throws {
        var pair = try Pair<PlainConversation>()
        let far = Bytes([UInt8](hex: "01010000000100000000"))
        let events = try pair.raya.hear(Routed("a", Route(pair.raya.id.text), payload: far))
        let names = events.compactMap { if case .gap(let gap) = $0 { gap.reference } else { nil } }
        #expect(names.count == 1_001 && names.first == "1-4294966295" && names.last == "4294967295")
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
