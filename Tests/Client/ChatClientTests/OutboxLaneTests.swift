import ChatConversation
import ChatFraming
import ChatInitialization
import ChatModel
import ChatReliability
import TestSupport
import Testing

@testable import ChatClient

private let start = Timestamp(milliseconds: 1_700_000_000_000)

/// Saro writes to several people, each at an address of their own.
private struct Writer {
    var core: ChatCore
    var now = start
    var stored: [String: Bytes] = [:]
    private(set) var conversations: [ConversationID] = []
    private(set) var inboxes: [DeliveryAddress] = []
    private(set) var events: [ClientEvent] = []

    private static func core(_ records: [Record], _ limits: CoreLimits, _ seed: UInt64) throws -> ChatCore {
        try ChatCore(
            OpenInvite(), conversations: [PlainConversation.type], framing: PlainFraming(),
            delivery: DeliveryLimits(maximumPayload: 2_000), random: SeededRandom(seed), limits: limits,
            restoring: records, now: start)
    }

    init(to count: Int, limits: CoreLimits = CoreLimits()) throws {
        core = try Self.core([], limits, 1)
        for number in 0..<count {
            var other = try Self.core([], CoreLimits(), UInt64(100 + number))
            let bundle = try other.introduce(1, now: start)[0]
            inboxes.append(other.inboxes[0].address)
            conversations.append(try core.begin("plain", with: bundle, saying: Bytes("hello"), now: start).0)
        }
        store()
    }

    mutating func store() {
        for record in core.takeRecords() { stored[record.key] = record.bytes }
        while let batch = core.nextBatch {
            events += batch.events
            core.confirm(batchesUpTo: batch.number)
        }
    }

    mutating func restart() throws {
        let records = stored.map { Record($0.key, $0.value) }.sorted { $0.key < $1.key }
        core = try Self.core(records, core.limits, 2)
        store()
    }

    mutating func say(_ text: String, to number: Int) throws {
        _ = try core.send(Bytes(text), in: conversations[number], now: now)
        store()
    }

    /// Publishes what may leave now; each payload is taken, or gets the error of its address.
    mutating func publish(_ errors: [DeliveryAddress: DeliveryError] = [:]) -> [Addressed] {
        let payloads = core.takeOutbox(now: now)
        let results = payloads.map { payload -> Result<Receipt, DeliveryError> in
            errors[payload.addressed.address].map { .failure($0) } ?? .success(Receipt())
        }
        core.settle(payloads, results, now: now)
        store()
        return payloads.map(\.addressed)
    }
}

@Test func `one address that is to wait holds up no other (CORE-10)`() throws {
    var saro = try Writer(to: 2)
    let slow = saro.inboxes[0]
    let busy = DeliveryError.overloaded("too much on this address", retryAfter: .seconds(20))
    #expect(saro.publish([slow: busy]).map(\.address) == saro.inboxes)
    try saro.say("one", to: 0)
    try saro.say("two", to: 1)
    let sent = saro.publish()
    #expect(sent.count == 1 && sent.allSatisfy { $0.address != slow }, "what was said to the other leaves at once")
    #expect(saro.core.nextPublish == start + .seconds(20))
    saro.now = start + .seconds(20)
    #expect(saro.publish().map(\.address).first == slow, "the invite first")
    #expect(saro.publish().count == 1, "and then what was said after it")
    #expect(saro.core.waiting.payloads == 0)
}

@Test func `no service can make an address wait for more than a minute (CORE-10)`() throws {
    var saro = try Writer(to: 1)
    for wait in [Duration.seconds(61), .seconds(86_400), .seconds(Int64.max)] {
        _ = saro.publish([saro.inboxes[0]: .overloaded("come back later", retryAfter: wait)])
        #expect(saro.core.nextPublish == saro.now + .seconds(60), "\(wait)")
        saro.now = saro.now + .seconds(60)
    }
    #expect(saro.publish().count == 1)
}

@Test func `what a conversation says waits until its invite is with the service (CORE-16)`() throws {
    var saro = try Writer(to: 1)
    let busy = DeliveryError.unreachable("relay", after: .seconds(1))
    _ = saro.publish([saro.inboxes[0]: busy])
    try saro.say("one", to: 0)
    #expect(saro.publish().isEmpty, "the invite has not left")
    try saro.restart()
    saro.now = start + .seconds(60)
    let invite = saro.publish([saro.inboxes[0]: busy])
    #expect(invite.map(\.address) == saro.inboxes, "after a restart the invite still goes first")
    saro.now = start + .seconds(120)
    #expect(saro.publish().map(\.address) == saro.inboxes)
    #expect(saro.publish().count == 1)
}

@Test func `a quota that is used up and a closed service hold everything, and nothing fails (CORE-10)`() throws {
    for error in [DeliveryError.rateLimited(limit: 1, retryAfter: .seconds(7)), .closed] {
        var saro = try Writer(to: 2)
        _ = saro.publish([saro.inboxes[0]: error])
        try saro.say("one", to: 1)
        #expect(saro.publish().isEmpty, "\(error)")
        saro.now = start + .seconds(60)
        while saro.core.waiting.payloads > 0, !saro.publish().isEmpty {}
        #expect(saro.core.waiting.payloads == 0)
        let failed = saro.events.contains { if case .conversation(_, .status(_, .failed)) = $0 { true } else { false } }
        #expect(!failed, "\(error)")
    }
}

@Test func `the wait after attempts in vain doubles for its address from 250 ms to 30 s (CORE-10)`() throws {
    var saro = try Writer(to: 2)
    let silent = DeliveryError.unreachable("relay", after: .seconds(1))
    var waits: [Int64] = []
    for _ in 0..<10 {
        #expect(saro.publish([saro.inboxes[0]: silent]).contains { $0.address == saro.inboxes[0] })
        let next = try #require(saro.core.nextPublish)
        waits.append(Int64(next.milliseconds - saro.now.milliseconds))
        saro.now = next
    }
    #expect(waits == [250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000])
    // The link is back: at once, and from the beginning.
    _ = saro.publish([saro.inboxes[0]: silent])
    saro.core.notice(.interrupted("no answer"), now: saro.now)
    saro.core.notice(.resumed(), now: saro.now)
    #expect(saro.publish([saro.inboxes[0]: silent]).count == 1)
    #expect(saro.core.nextPublish == saro.now + .milliseconds(250))
    // A payload that was taken ends the row.
    saro.now = saro.now + .seconds(1)
    #expect(saro.publish().count == 1)
    try saro.say("one", to: 0)
    let own = saro.core.takeOutbox(now: saro.now)
    saro.core.settle(own, [.failure(silent)], now: saro.now)
    #expect(saro.core.nextPublish == saro.now + .milliseconds(250))
}

@Test func `one address takes no more than its share of what leaves together, and of what waits (CORE-10)`() throws {
    var limits = CoreLimits()
    limits.publishBatch = 8
    var saro = try Writer(to: 2, limits: limits)
    _ = saro.publish()
    for number in 0..<20 { try saro.say("\(number)", to: 0) }
    try saro.say("hi", to: 1)
    let first = saro.publish()
    #expect(first.count == 8 && Set(first.map(\.address)).count == 2, "the twenty do not keep the one waiting")
    var rest = first
    while case let more = saro.publish(), !more.isEmpty { rest += more }
    #expect(rest.count == 21)
    #expect(rest.filter { $0.address == first[0].address }.map(\.id).count == 20)
}

@Test func `the invite leaves before the other segments of a large first content (CORE-16)`() throws {
    var raya = try ChatCore(
        OpenInvite(), conversations: [Reliable<PlainConversation>.type], framing: PlainFraming(),
        delivery: DeliveryLimits(maximumPayload: 2_000), random: SeededRandom(3), now: start)
    var saro = try ChatCore(
        OpenInvite(), conversations: [Reliable<PlainConversation>.type], framing: PlainFraming(),
        delivery: DeliveryLimits(maximumPayload: 2_000), random: SeededRandom(4), now: start)
    let bundle = try raya.introduce(1, now: start)[0]
    let content = Bytes([UInt8](repeating: 1, count: 10_000))
    _ = try saro.begin("plain-reliable", with: bundle, saying: content, now: start)
    let invite = saro.takeOutbox(now: start)
    #expect(invite.map(\.addressed.address) == raya.inboxes.map(\.address))
    #expect(saro.takeOutbox(now: start).isEmpty && saro.nextPublish == nil, "until the service has it")
    saro.settle(invite, [.success(Receipt())], now: start)
    let rest = saro.takeOutbox(now: start)
    #expect(rest.count > 5)
    raya.receive((invite + rest).map { Delivery($0.addressed) }, now: start)
    #expect(raya.load.deferredPayloads == 0)
    let heard = raya.takeRecords().isEmpty ? [] : raya.waitingBatches.flatMap(\.events)
    #expect(
        heard.contains {
            if case .conversation(_, .content(let received)) = $0 { received.content == content } else { false }
        })
}
