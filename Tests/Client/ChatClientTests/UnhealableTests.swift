import ChatConversation
import ChatCrypto
import ChatFraming
import ChatInitialization
import ChatModel
import TestSupport
import Testing

@testable import ChatClient

/// Saro and Raya speak as libchat does: nothing is sent again, and eleven payloads lost in a row close a direction.
private struct Libchat {
    var cores: [ChatCore]
    var events: [[ClientEvent]] = [[], []]
    /// Payloads of a side that are still to be lost.
    var toLose = [0, 0]
    private(set) var now = Timestamp(milliseconds: 1_700_000_000_000)
    private(set) var payloads: [[Addressed]] = [[], []]

    init() throws {
        cores = try (1...2).map { number in
            try ChatCore(
                InboxV1(identity: try X25519.keyPair(Secret(count: 32) { $0[1] = UInt8(number) }), profile: .libchat),
                conversations: [PrivateV1.Libchat.type], framing: EnvelopeV1(.libchat),
                delivery: DeliveryLimits(maximumPayload: 4_000), random: SeededRandom(UInt64(number)),
                now: Timestamp(milliseconds: 1_700_000_000_000))
        }
        let bundle = try cores[1].introduce(1, now: now)[0]
        _ = try cores[0].begin(PrivateV1.Libchat.type.name, with: bundle, saying: Bytes("hello"), now: now)
        pass(.seconds(5))
    }

    mutating func say(_ text: String, _ side: Int) throws {
        let id = try #require(cores[side].conversations.first?.id)
        _ = try cores[side].send(Bytes(text), in: id, now: now)
        pass(.seconds(15))
    }

    mutating func pass(_ time: Duration) {
        let end = now + time
        while now < end {
            now = now + .seconds(1)
            for side in 0..<2 {
                cores[side].wake(now: now)
                let taken = cores[side].takeOutbox(now: now)
                cores[side].settle(taken, taken.map { _ in .success(Receipt()) }, now: now)
                payloads[side] += taken.map(\.addressed)
                for payload in taken {
                    guard toLose[side] == 0 else {
                        toLose[side] -= 1
                        continue
                    }
                    cores[1 - side].receive([Delivery(payload.addressed)], now: now)
                }
                for index in 0..<2 { keep(index) }
            }
        }
    }

    private mutating func keep(_ side: Int) {
        _ = cores[side].takeRecords()
        while let batch = cores[side].nextBatch {
            events[side] += batch.events
            cores[side].confirm(batchesUpTo: batch.number)
            _ = cores[side].takeRecords()
        }
    }

    func broken(_ side: Int) -> [String] {
        events[side].compactMap { event in
            guard case .broken(_, let report) = event else { return nil }
            return "\(report.code): \(report.text)"
        }
    }
}

struct UnhealableTests {
    @Test func `a direction of libchat that eleven lost payloads close is told in words on both sides (PVL-9, PVL-10)`()
        throws
    {
        var world = try Libchat()
        try world.say("hi", 1)
        world.toLose[0] = 11
        for number in 0..<11 { try world.say("lost \(number)", 0) }
        for number in 0..<8 { try world.say("not opened \(number)", 0) }
        #expect(world.broken(1).count == 1 && world.broken(1)[0].hasPrefix("keys_do_not_fit"))
        #expect(
            world.broken(0) == [
                "keys_do_not_fit: the other side cannot open what is sent to it: keys fit no longer"
            ])
    }

    @Test func `a notice that is lost is sent again after ten minutes, and none is sent for nothing (PVL-10)`() throws {
        var world = try Libchat()
        try world.say("hi", 1)
        world.toLose[0] = 11
        for number in 0..<11 { try world.say("lost \(number)", 0) }
        world.toLose[1] = 2
        let before = world.payloads[1].count
        for number in 0..<130 { try world.say("not opened \(number)", 0) }
        #expect(world.broken(1).count == 1 && world.broken(0).count == 1)
        let notices = world.payloads[1].count - before
        #expect(notices == 3 || notices == 4, "\(notices) notices in half an hour")
        // Both can still say something the other way.
        try world.say("I cannot read you", 1)
        #expect(world.broken(1).count == 1)
    }

    @Test func `ten lost payloads are no reason to say anything (PVL-9)`() throws {
        var world = try Libchat()
        try world.say("hi", 1)
        world.toLose[0] = 10
        for number in 0..<20 { try world.say("line \(number)", 0) }
        #expect(world.broken(0).isEmpty && world.broken(1).isEmpty && world.payloads[1].count == 1)
    }

    @Test func `each trouble is told to the other side at once (PVL-10)`() throws {
        var world = try Libchat()
        try world.say("hi", 1)
        let id = try #require(world.cores[1].conversations.first?.id)
        for count in 1...3 {
            world.cores[1].doubt(id, "nothing opens", tellsOther: true)
            world.pass(.seconds(1))
            #expect(world.payloads[1].count == 1 + count)
            world.cores[1].trust(id, opened: true)
        }
    }
}
