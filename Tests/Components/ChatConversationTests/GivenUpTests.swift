import ChatModel
import ChatReliability
import TestSupport
import Testing

@testable import ChatConversation

/// A type that gives up after two copies in vain, of the oldest message only.
private struct Hasty: ReliableConversation {
    static let facts = Facts(name: "hasty", summary: "gives up soon")
    static var constants: ReliableConstants {
        var constants = ReliableConstants.compact
        (constants.sds.resend.most, constants.sds.resend.window) = (2, 1)
        return constants
    }
    var stage: ReliableStage<PlainConversation>

    init(_ stage: ReliableStage<PlainConversation>) { self.stage = stage }
}

/// What is given up, when, and what the other side learns of it.
struct GivenUpTests {
    @Test func `copies nobody answers become few: six days of silence cost less than 3,000 payloads (SDS-R9)`() throws {
        var pair = try LossyPair(PrivateV1.Compact.self)
        pair.isLost[0] = true
        for index in 0..<64 {
            try pair.say("line \(index)", 0)
            try pair.say("other \(index)", 1)
        }
        pair.pass(.seconds(6 * 86_400))
        #expect(pair.sides[0].sent < 3_000 + 128, "\(pair.sides[0].sent) payloads")
    }

    @Test func `after 512 copies in silence only the eight oldest are sent again, later one (SDS-R9)`() throws {
        var pair = try LossyPair(PrivateV1.Compact.self)
        pair.isLost = [true, true]
        let before = pair.sides[0].sent
        for index in 0..<64 { try pair.say("line \(index)", 0) }
        pair.pass(.seconds(3 * 3_600))
        #expect(pair.sides[0].sent - before < 900, "\(pair.sides[0].sent - before) payloads in three hours")
    }

    @Test func `an absence before a content was said does not lengthen its time, over a restart (SDS-R10)`() throws {
        var pair = try LossyPair(PrivateV1.Compact.self)
        pair.switchOff(0)
        pair.pass(.seconds(20 * 86_400))
        try pair.restart(0)
        pair.isLost[0] = true
        let old = try pair.say("old", 0)
        pair.pass(.seconds(7_200))
        try pair.restart(0)
        pair.pass(.seconds(7 * 86_400))
        guard case .failed = pair.sides[0].statuses[old] else {
            Issue.record("\(String(describing: pair.sides[0].statuses[old])) after seven days")
            return
        }
    }

    @Test func `a device off for eight days tries before it gives up, and is heard at once (SDS-11, SDS-R10)`() throws {
        func check<Conversation: ReliableConversation>(_ type: Conversation.Type) throws {
            var pair = try LossyPair(type)
            pair.isLost[0] = true
            let old = try pair.say("old", 0)
            pair.pass(.seconds(60))
            pair.switchOff(0)
            pair.pass(.seconds(8 * 86_400))
            pair.isLost[0] = false
            try pair.restart(0)
            try pair.say("new", 0)
            pair.pass(.seconds(60))
            #expect(pair.sides[1].received == ["first", "old", "new"], "\(type.facts.name)")
            #expect(pair.sides[0].statuses[old] == .delivered)
        }
        try forEachReliableType { try check($0) }
    }

    @Test func `a clock that jumps by 7.1 days gives nothing up (SDS-R10)`() throws {
        var pair = try LossyPair(PrivateV1.Compact.self)
        pair.isLost[0] = true
        let old = try pair.say("old", 0)
        pair.pass(.seconds(60))
        pair.jump(.seconds(613_440))
        pair.isLost[0] = false
        pair.pass(.seconds(60))
        try pair.say("new", 0)
        pair.pass(.seconds(60))
        #expect(pair.sides[1].received == ["first", "old", "new"])
        #expect(pair.sides[0].statuses[old] == .delivered)
    }

    @Test func `time without a link does not count, and nothing is encrypted in it (SDS-R10)`() throws {
        var pair = try LossyPair(PrivateV1.Compact.self)
        pair.signal(.linkLost(on: nil), 0)
        pair.isLost = [true, true]
        let old = try pair.say("old", 0)
        let before = pair.sides[0].sent
        pair.pass(.seconds(9 * 86_400))
        #expect(pair.sides[0].sent == before, "\(pair.sides[0].sent - before) payloads without a link")
        pair.isLost = [false, false]
        pair.signal(.linkBack(on: nil), 0)
        pair.pass(.seconds(10))
        #expect(pair.sides[1].received == ["first", "old"])
        #expect(pair.sides[0].statuses[old] == .delivered)
    }

    @Test(arguments: [false, true])
    func `what is given up is told, over a restart, and what follows is heard at once (SDS-R11)`(restarts: Bool) throws
    {
        func check<Conversation: ReliableConversation>(_ type: Conversation.Type) throws {
            var pair = try LossyPair(type)
            pair.isLost[0] = true
            let old = try pair.say("old", 0)
            pair.pass(.seconds(7 * 86_400 - 60))
            let new = try pair.say("new", 0)
            pair.pass(.seconds(3_600))
            guard case .failed = pair.sides[0].statuses[old] else {
                Issue.record("\(type.facts.name): not given up")
                return
            }
            if restarts { try pair.restart(0) }
            pair.isLost[0] = false
            pair.pass(.seconds(1_200))
            #expect(pair.sides[1].received == ["first", "new"], "\(type.facts.name)")
            #expect(pair.sides[0].statuses[new] == .delivered && pair.sides[1].finalGaps == 1)
        }
        try forEachReliableType { try check($0) }
    }

    @Test(arguments: [false, true])
    func `of a content that failed nothing is sent again, and it is not delivered later (REL-8)`(restarts: Bool) throws
    {
        var pair = try LossyPair(Hasty.self, maximumPayload: 60_000)
        pair.isLost[0] = true
        let large = try pair.say(String(repeating: "x", count: 66_000), 0)
        for index in 0..<40 where pair.sides[0].statuses[large] == nil {
            try pair.say("line \(index)", 1)
            pair.pass(.seconds(1))
        }
        guard case .failed = pair.sides[0].statuses[large] else {
            Issue.record("not given up: \(String(describing: pair.sides[0].statuses[large]))")
            return
        }
        if restarts { try pair.restart(0) }
        pair.isLost[0] = false
        try pair.say("next", 0)
        pair.pass(.seconds(120))
        #expect(pair.sides[1].received == ["first", "next"])
        guard case .failed = pair.sides[0].statuses[large] else {
            Issue.record("\(String(describing: pair.sides[0].statuses[large])) after failed")
            return
        }
    }

    @Test func `a device that is on for an hour a day gives up after seven days of such hours (SDS-R10)`() throws {
        var pair = try LossyPair(PrivateV1.Compact.self)
        pair.isLost[0] = true
        let old = try pair.say("old", 0)
        for _ in 0..<20 {
            pair.pass(.seconds(3_600))
            pair.switchOff(0)
            pair.pass(.seconds(23 * 3_600))
            try pair.restart(0)
        }
        pair.isLost[0] = false
        pair.pass(.seconds(60))
        #expect(pair.sides[0].statuses[old] == .delivered && pair.sides[1].received == ["first", "old"])
    }

    @Test func `a content that its sender has lost with its records is waited for a minute at most (SDS-R11)`() throws {
        var pair = try LossyPair(Reliable<PlainConversation>.self)
        let early = pair.sides[0].store
        pair.isLost[0] = true
        try pair.say("lost with the records", 0)
        pair.pass(.seconds(1))
        pair.isLost[0] = false
        try pair.say("names it", 0)
        pair.isLost[0] = true
        pair.pass(.seconds(1))
        try pair.restore(0, from: early)
        pair.isLost[0] = false
        for index in 0..<8 {
            try pair.say("after \(index)", 0)
            pair.pass(.seconds(20))
        }
        #expect(pair.sides[1].received.suffix(1) == ["after 7"])
        #expect(pair.sides[1].received.contains("names it"))
    }

    @Test func `what the service refuses as too large is cut anew, and what follows is heard at once (REL-12)`() throws
    {
        func check<Conversation: ReliableConversation>(_ type: Conversation.Type) throws {
            var pair = try LossyPair(type, maximumPayload: 60_000)
            pair.serviceLimit = 9_000
            let text = String(repeating: "a large text ", count: 4_000)
            let large = try pair.say(text, 0)
            let next = try pair.say("next", 0)
            pair.pass(.seconds(10))
            #expect(pair.sides[1].received == ["first", Bytes(text), "next"], "\(type.facts.name)")
            #expect(pair.sides[0].statuses[large] == .delivered)
            #expect(pair.sides[0].statuses[next] == .delivered)
            #expect(pair.sides[1].finalGaps == 0, "\(type.facts.name): nothing is lost")
        }
        try forEachReliableType { try check($0) }
    }

    @Test(arguments: [false, true])
    func `of a content that is cut anew, old pieces that came are no gap, over a restart (REL-12, SEG-R8)`(
        restarts: Bool
    ) throws {
        func check<Conversation: ReliableConversation>(_ type: Conversation.Type) throws {
            var pair = try LossyPair(type, maximumPayload: 60_000)
            // The last piece is small enough to be taken; all copies of it are too, and come later.
            pair.serviceLimit = 30_000
            let text = String(repeating: "x", count: 66_000)
            let large = try pair.say(text, 0)
            if restarts { for side in 0..<2 { try pair.restart(side) } }
            pair.pass(.seconds(30))
            try pair.say("next", 0)
            pair.pass(.seconds(9 * 86_400))
            #expect(pair.sides[1].received == ["first", Bytes(text), "next"], "\(type.facts.name)")
            #expect(pair.sides[0].statuses[large] == .delivered)
            #expect(pair.sides[1].finalGaps == 0, "\(type.facts.name): \(pair.sides[1].finalGaps) gaps")
        }
        try forEachReliableType { try check($0) }
    }

    @Test func `what is refused and cannot be cut is failed, and what follows is heard at once (REL-12)`() throws {
        var pair = try LossyPair(PrivateV1.Compact.self, maximumPayload: 60_000)
        (pair.serviceLimit, pair.refusal) = (3, .rejected("no"))
        try pair.say("refused", 0)
        pair.refusal = nil
        try pair.say("refused as well", 0)
        pair.serviceLimit = .max
        try pair.say("next", 0)
        pair.pass(.seconds(10))
        #expect(pair.sides[1].received.last == "next")
    }
}
