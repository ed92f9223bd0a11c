import ChatModel
import ChatReliability
import TestSupport
import Testing

@testable import ChatConversation

/// What is said of every reliable type.
func forEachReliableType(_ body: (any ReliableConversation.Type) throws -> Void) rethrows {
    for type in [PrivateV1.self, PrivateV1.Compact.self, Reliable<PlainConversation>.self]
        as [any ReliableConversation.Type]
    {
        try body(type)
    }
}

private func lines(_ count: Int, _ who: String = "line") -> [Content] { (0..<count).map { Bytes("\(who) \($0)") } }

/// Honest loss, however long: the conversation goes on when payloads get through again.
struct LongLossTests {
    @Test(arguments: [1_001, 2_000])
    func `contents of one direction lost in a row all arrive after it heals (DR-7, PLAIN-3, SDS-11)`(count: Int) throws
    {
        func check<Conversation: ReliableConversation>(_ type: Conversation.Type) throws {
            var pair = try LossyPair(type)
            pair.isLost[0] = true
            for index in 0..<count { try pair.say("line \(index)", 0) }
            pair.pass(.seconds(30))
            pair.isLost[0] = false
            pair.pass(.seconds(1_800))
            #expect(pair.sides[1].received == ["first"] + lines(count), "\(type.facts.name)")
            #expect(pair.sides[0].statuses.values.allSatisfy { $0 == .delivered })
        }
        try forEachReliableType { try check($0) }
    }

    @Test func `64 lines while one direction is dead for five minutes are heard (DR-7)`() throws {
        func check<Conversation: ReliableConversation>(_ type: Conversation.Type) throws {
            var pair = try LossyPair(type)
            pair.isLost[0] = true
            for index in 0..<64 {
                try pair.say("line \(index)", 0)
                try pair.say("other \(index)", 1)
                pair.pass(.seconds(5))
            }
            pair.isLost[0] = false
            pair.pass(.seconds(1_800))
            #expect(pair.sides[1].received == ["first"] + lines(64), "\(type.facts.name)")
            #expect(pair.sides[0].received == lines(64, "other"), "\(type.facts.name)")
        }
        try forEachReliableType { try check($0) }
    }

    @Test func `both directions dead for six days, with restarts and a turn in between, are made up for (DR-2)`() throws
    {
        func check<Conversation: ReliableConversation>(_ type: Conversation.Type) throws {
            var pair = try LossyPair(type)
            for round in 0..<3 {
                (pair.isLost[0], pair.isLost[1]) = (round != 1, round != 0)
                for index in 0..<40 { try pair.say("line \(40 * round + index)", 0) }
                for index in 0..<40 { try pair.say("other \(40 * round + index)", 1) }
                pair.pass(.seconds(2 * 86_400))
                try pair.restart(round % 2)
            }
            (pair.isLost[0], pair.isLost[1]) = (false, false)
            pair.pass(.seconds(3_600))
            #expect(pair.sides[1].received == ["first"] + lines(120), "\(type.facts.name)")
            #expect(pair.sides[0].received == lines(120, "other"), "\(type.facts.name)")
            #expect(pair.sides[0].statuses.values.allSatisfy { $0 == .delivered }, "\(type.facts.name)")
        }
        try forEachReliableType { try check($0) }
    }

    @Test func `an old copy put back is reported on both sides within minutes (DR-14)`() throws {
        func check<Conversation: ReliableConversation>(_ type: Conversation.Type) throws {
            var pair = try LossyPair(type)
            try pair.say("before", 0)
            pair.pass(.seconds(5))
            let copy = pair.sides[0].store
            for round in 0..<3 {
                try pair.say("line \(round)", 0)
                pair.pass(.seconds(5))
                try pair.say("other \(round)", 1)
                pair.pass(.seconds(5))
            }
            pair.switchOff(0)
            try pair.restore(0, from: copy)
            try pair.say("from the copy", 0)
            try pair.say("to the copy", 1)
            pair.pass(.seconds(300))
            let causes = pair.sides.map { $0.causes["keys_do_not_fit"] ?? 0 }
            #expect(causes[0] > 0 && causes[1] > 0, "\(type.facts.name): \(pair.sides.map(\.causes))")
        }
        try check(PrivateV1.self)
        try check(PrivateV1.Compact.self)
    }

    @Test func `a few forgeries, repeats and old payloads are no reason to report that (DR-14)`() throws {
        var unopened = UnopenedPayloads()
        let refusal = Refusal(.invalid, ConversationCause.replay(number: 1))
        for second in 0..<100 {
            let time = now + .milliseconds(second * 100)
            #expect(unopened.note(refusal, now: time).cause.code == "replay")
        }
        unopened.wasOpened()
        #expect(unopened.note(refusal, now: now + .seconds(600)).cause.code == "replay")
    }
}
