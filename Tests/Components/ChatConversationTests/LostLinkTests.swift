import ChatModel
import ChatReliability
import TestSupport
import Testing

@testable import ChatConversation

/// What is said while the link is known to be lost (SDS-R13).
struct LostLinkTests {
    private func lines(_ count: Int) -> [Content] { (0..<count).map { Bytes("line \($0)") } }

    @Test(arguments: [false, true])
    func `without a link nothing is encrypted, and each content leaves once when it is back (SDS-R13)`(
        restarts: Bool
    ) throws {
        func check<Conversation: ReliableConversation>(_ type: Conversation.Type) throws {
            for side in 0..<2 {
                var pair = try LossyPair(type)
                if side == 0 { pair.sides[1].received.removeAll() }
                let before = pair.sides[side].sent
                pair.signal(.linkLost(on: nil), side)
                pair.isLost = [true, true]
                for index in 0..<200 { try pair.say("line \(index)", side) }
                pair.pass(.seconds(86_400))
                #expect(pair.sides[side].sent == before, "\(type.facts.name): payloads made without a link")
                pair.isLost = [false, false]
                if restarts {
                    pair.switchOff(side)
                    pair.pass(.seconds(9 * 86_400))
                    try pair.restart(side)
                } else {
                    pair.signal(.linkBack(on: nil), side)
                }
                pair.pass(.seconds(60))
                #expect(pair.sides[1 - side].received == lines(200), "\(type.facts.name)")
                #expect(pair.sides[side].statuses.values.allSatisfy { $0 == .delivered })
                let sent = pair.sides[side].sent - before
                #expect(sent < 220, "\(type.facts.name): \(sent) payloads for 200 lines")
            }
        }
        try forEachReliableType { try check($0) }
    }

    @Test func `what waits for a link leaves in order, a part at a time, before what is said later (SDS-R13)`() throws {
        var pair = try LossyPair(PrivateV1.Compact.self)
        pair.signal(.linkLost(on: nil), 0)
        let texts = (0..<40).map { String(repeating: "\($0 % 10)", count: 150_000) }
        for text in texts { try pair.say(text, 0) }
        let before = pair.sides[0].sent
        pair.signal(.linkBack(on: nil), 0)
        let first = pair.sides[0].sent - before
        #expect(first > 0 && first < 80, "\(first) payloads at once")
        try pair.say("later", 0)
        pair.pass(.seconds(60))
        #expect(pair.sides[1].received.dropFirst().map(\.count) == texts.map(\.utf8.count) + [5])
        #expect(pair.sides[1].received.dropFirst().elementsEqual(texts.map { Bytes($0) } + ["later"]))
        #expect(pair.sides[0].sent - before < 100)
    }

    @Test func `the first frame of an initiator does not wait for a link: the invite carries it (REL-10)`() throws {
        var turn = Step(now: now, random: SeededRandom(1))
        var saro = try PrivateV1.Compact(Seeds(random: SeededRandom(1)).initiator, in: &turn)
        saro.handle(.linkLost(on: nil), in: &turn)
        try saro.perform(.send("hello"), as: ContentID(1), in: &turn)
        #expect(turn.openings.count == 1)
    }

    @Test func `who hears something has a link, and says what waited for it (SDS-R13)`() throws {
        var pair = try LossyPair(PrivateV1.Compact.self)
        pair.signal(.linkLost(on: nil), 0)
        pair.isLost[1] = true
        try pair.say("waits", 0)
        pair.pass(.seconds(60))
        #expect(pair.sides[1].received == ["first"])
        pair.isLost[1] = false
        try pair.say("are you there?", 1)
        pair.pass(.seconds(1))
        #expect(pair.sides[1].received == ["first", "waits"])
    }
}
