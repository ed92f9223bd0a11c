import ChatModel
import TestSupport
import Testing

private func turn() -> Step { Step(now: Timestamp(milliseconds: 1_000), random: SeededRandom(1)) }
private func routed(_ byte: UInt8) -> Routed { Routed("address", Route("id"), payload: [byte]) }

/// One of everything that a machine can leave in a turn.
private func fill(_ turn: inout Step, _ byte: UInt8) {
    turn.send(routed(byte), for: ContentID(UInt64(byte)), until: ContactID(UInt64(byte)))
    turn.open([byte], to: ContactID(1))
    turn.start(ConversationSeed(type: "type", side: .invited(opening: [byte])))
    turn.finish(ContactID(UInt64(byte)))
    turn.report(.frame(kind: "kind", bytes: [byte]))
}

private struct Refused: Error {}

@Test func `a borrower that throws leaves nothing, and what was there before stays (STEP-2)`() {
    var turn = turn()
    fill(&turn, 9)
    #expect(throws: Refused.self) {
        _ = try turn.lend { (turn) throws(Refused) in
            fill(&turn, 2)
            throw Refused()
        }
    }
    #expect(turn.sends.map(\.content) == [ContentID(9)] && turn.openings.map(\.payload) == [[9]])
    #expect(turn.seeds.map(\.opening) == [[9]] && turn.events == [.frame(kind: "kind", bytes: [9])])
    #expect(turn.endings.map(\.contact) == [ContactID(9)])
}

@Test func `a lender gets what its borrower left and nothing older, and takes what it wants (STEP-4)`() {
    var turn = turn()
    fill(&turn, 1)
    var (result, left) = turn.lend { turn in
        #expect(turn.output.isEmpty)
        fill(&turn, 2)
        return 7
    }
    #expect(result == 7 && turn.sends.count == 1)
    #expect(left.sends.map(\.routed.payload) == [[2]] && left.openings.map(\.payload) == [[2]])
    #expect(left.seeds.map(\.opening) == [[2]] && left.events == [.frame(kind: "kind", bytes: [2])])
    left.events = []
    turn.take(left)
    #expect(turn.sends.map(\.routed.payload) == [[1], [2]] && turn.events.count == 1)
    #expect(turn.seeds.count == 2 && turn.openings.count == 2 && turn.endings.count == 2)
}

@Test func `who adds a header lends that much less room, and more in front (STEP-4)`() {
    var turn = Step(now: .zero, maximumPayload: 100, headRoom: 5, random: SeededRandom(1))
    _ = turn.lend(header: 8) { turn in
        #expect(turn.maximumPayload == 92 && turn.headRoom == 13)
        _ = turn.lend(header: 100) { turn in #expect(turn.maximumPayload == 0 && turn.headRoom == 113) }
    }
    #expect(turn.maximumPayload == 100 && turn.headRoom == 5)
}

@Test func `clearing forgets all but the time`() {
    var turn = turn()
    fill(&turn, 7)
    turn.clear()
    #expect(turn.output.isEmpty && turn.now == Timestamp(milliseconds: 1_000))
}

@Test func `two draws of one turn differ`() {
    var turn = turn()
    #expect(turn.random.bytes(12, for: .nonce) != turn.random.bytes(12, for: .nonce))
}
