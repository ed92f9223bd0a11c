import ChatModel
import TestSupport
import Testing

private func turn() -> Step { Step(now: Timestamp(milliseconds: 1_000), random: SeededRandom(1)) }
private func routed(_ byte: UInt8) -> Routed { Routed("address", Route("id"), payload: [byte]) }

/// One of everything that a machine can leave in a turn.
private func fill(_ turn: inout Step, _ byte: UInt8) {
    turn.send(routed(byte), for: ContentID(UInt64(byte)))
    turn.open([byte], member: 1)
    turn.start(ConversationSeed(type: "type", role: .responder, opening: [byte]))
    turn.report(.frame(kind: "kind", bytes: [byte]))
}

@Test func `a refused step leaves nothing in its turn`() {
    var turn = turn()
    fill(&turn, 9)
    let mark = turn.mark
    fill(&turn, 2)
    #expect(turn.sends.count == 2 && turn.events.count == 2)
    turn.rollBack(to: mark)
    #expect(turn.sends.map(\.content) == [ContentID(9)] && turn.openings.map(\.payload) == [[9]])
    #expect(turn.seeds.map(\.opening) == [[9]] && turn.events == [.frame(kind: "kind", bytes: [9])])
}

@Test func `a stage takes back what its inner machine left and nothing older`() {
    var turn = turn()
    fill(&turn, 1)
    let mark = turn.mark
    fill(&turn, 2)
    #expect(turn.takeSends(since: mark).map(\.routed.payload) == [[2]] && turn.sends.count == 1)
    #expect(turn.takeOpenings(since: mark).map(\.payload) == [[2]] && turn.openings.count == 1)
    #expect(turn.takeSeeds(since: mark).map(\.opening) == [[2]] && turn.seeds.count == 1)
    #expect(turn.takeEvents(since: mark) == [.frame(kind: "kind", bytes: [2])] && turn.events.count == 1)
    #expect(turn.takeSends(since: mark).isEmpty)
    turn.rollBack(to: mark)
    #expect(turn.sends.count == 1)
}

@Test func `clearing forgets all but the time`() {
    var turn = turn()
    fill(&turn, 7)
    turn.clear()
    #expect(turn.sends.isEmpty && turn.openings.isEmpty && turn.seeds.isEmpty && turn.events.isEmpty)
    #expect(turn.now == Timestamp(milliseconds: 1_000))
}

@Test func `two draws of one turn differ`() {
    var turn = turn()
    #expect(turn.random.bytes(12, for: .nonce) != turn.random.bytes(12, for: .nonce))
}
