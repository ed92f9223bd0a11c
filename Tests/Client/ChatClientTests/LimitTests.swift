import ChatModel
import Testing

@testable import ChatClient

/// Every limit of a client is met at its number, and not before (CORE-10).
@Suite struct LimitTests {
    /// Saro and Raya have met, and nothing waits.
    private func pair(_ change: (inout CoreLimits) -> Void) throws -> (CorePeer, CorePeer, ConversationID) {
        var limits = CoreLimits()
        change(&limits)
        var (saro, raya) = (try CorePeer("saro", limits: limits), try CorePeer("raya"))
        let id = try saro.begin(with: try raya.introduce())
        raya.receive(saro.publish())
        return (saro, raya, id)
    }

    private func text(_ count: Int) -> String { String(repeating: "x", count: count) }

    @Test func `bytes that wait for the service are bounded`() throws {
        var (saro, _, id) = try pair { $0.outboxBytes = 100 }
        let cause = CommonCause.tooLarge("outbox", bytes: 101, limit: 100)
        #expect(throws: Refusal(.unable, cause)) { try saro.send(text(101), in: id) }
        try saro.send(text(100), in: id)
        #expect(throws: Refusal.self) { try saro.send("", in: id) }
        _ = saro.publish()
        try saro.send(text(100), in: id)
    }

    @Test func `payloads and bytes that wait for one address are bounded, the first may be of any size`() throws {
        var (saro, raya, id) = try pair { $0.lanePayloads = 2 }
        for _ in 0..<3 {
            try saro.send("one", in: id)
            try saro.send("two", in: id)
            let cause = ClientCause.tooMany("payloads wait for one address", limit: 2)
            #expect(throws: Refusal(.unable, cause)) { try saro.send("three", in: id) }
            raya.receive(saro.publish())
        }
        (saro, raya, id) = try pair { $0.laneBytes = 10 }
        try saro.send("first", in: id)
        raya.receive(saro.publish())
        try saro.send(text(100), in: id)
        #expect(throws: Refusal.self) { try saro.send("", in: id) }
        raya.receive(saro.publish())
        #expect(raya.contents == ["hello", "first", text(100)])
    }

    @Test func `conversations are bounded, one's own and those of others`() throws {
        var (saro, raya, _) = try pair { $0.conversations = 2 }
        _ = try saro.begin(with: try raya.introduce())
        let cause = ClientCause.tooMany("conversations", limit: 2)
        let bundle = try raya.introduce()
        #expect(throws: Refusal(.unable, cause)) { _ = try saro.begin(with: bundle) }
        #expect(saro.core.conversations.count == 2)
    }

    @Test func `a core is full when as many events wait as it may keep, and not before`() throws {
        var limits = CoreLimits()
        limits.waitingEvents = 4
        var (saro, raya) = (try CorePeer("saro"), try CorePeer("raya", limits: limits))
        let id = try saro.begin(with: try raya.introduce())
        // The application reads nothing: what it is told is that a conversation began, and its contents.
        raya.core.receive(saro.publish().map { Delivery($0) }, now: raya.now)
        _ = raya.core.takeRecords()
        #expect(raya.core.load.waitingEvents == 2 && !raya.core.isFull)
        for (index, text) in ["one", "two"].enumerated() {
            try saro.send(text, in: id)
            raya.core.receive(saro.publish().map { Delivery($0) }, now: raya.now)
            _ = raya.core.takeRecords()
            #expect(raya.core.isFull == (index == 1), "\(raya.core.load.waitingEvents) events wait")
        }
    }
}
