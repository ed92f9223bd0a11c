import ChatModel
import ChatReliability
import TestSupport
import Testing

@testable import ChatConversation

/// What is said of every reliable type; generic, because machines are values of their type.
private func check<Conversation: ReliableConversation>(
    _ type: Conversation.Type, seed: UInt64, maximumPayload: Int = .max, largest: Int = 40
) throws {
    var walk = try ReliableWalk(type, seed: seed, maximumPayload: maximumPayload)
    try walk.run(contents: 60, over: .seconds(3_600), largest: largest)
    try walk.heal(for: .seconds(3_600))
    for side in 0..<2 {
        let expected = walk.sides[1 - side].sent.dropFirst(0)
        #expect(walk.sides[side].received == Array(expected), "\(type.facts.name), seed \(seed), side \(side)")
        let count = walk.sides[side].sent.count
        let delivered = walk.sides[side].statuses.values.filter { $0 == .delivered }.count
        #expect(delivered == count, "\(type.facts.name), seed \(seed): \(delivered) of \(count) delivered")
        #expect(walk.sides[side].gaps.filter { $0.isFinal }.isEmpty)
        // Of what has several segments, both sides hear how far it is.
        let own = walk.sides[side].progress.count { if case .own = $0 { true } else { false } }
        let others = walk.sides[side].progress.count - own
        #expect((own > 0) == (largest > maximumPayload) && (others > 0) == (largest > maximumPayload))
    }
}

struct ReliableTests {
    @Test(arguments: 1...8)
    func `everything arrives once and in order, over losses, repeats, forgeries and restarts (PV1-09, SDS-07)`(
        seed: UInt64
    ) throws {
        try check(PrivateV1.self, seed: seed)
        try check(PrivateV1.Compact.self, seed: seed)
    }

    @Test(arguments: 1...2)
    func `content larger than a payload arrives whole (SEG-02, SEG-08, PV1-10)`(seed: UInt64) throws {
        try check(PrivateV1.Compact.self, seed: seed, maximumPayload: 1_500, largest: 9_000)
        try check(PrivateV1.self, seed: seed, maximumPayload: 6_000, largest: 20_000)
    }

    @Test func `a conversation that says nothing sends less and less (SDS-12)`() throws {
        var walk = try ReliableWalk(PrivateV1.Compact.self, seed: 5)
        try walk.run(contents: 10, over: .seconds(60))
        try walk.heal(for: .seconds(3_600))
        let before = walk.payloads
        try walk.heal(for: .seconds(86_400))
        #expect(walk.payloads - before <= 2 * 24 * 2 + 10, "\(walk.payloads - before) payloads in a day of silence")
    }
}
