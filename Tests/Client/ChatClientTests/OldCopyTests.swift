import ChatConversation
import ChatCrypto
import ChatFraming
import ChatInitialization
import ChatModel
import TestSupport
import Testing

@testable import ChatClient

/// A client over a network that carries everything, on storage that can be copied.
private struct Talker {
    var core: ChatCore
    private(set) var stored: [String: Bytes] = [:]
    private(set) var events: [ChatClient.ClientEvent] = []
    private let number: UInt8
    private var runs: UInt64 = 0

    private static func core(_ number: UInt8, _ records: [Record], seed: UInt64, _ now: Timestamp) throws -> ChatCore {
        let identity = try X25519.keyPair(Secret(count: 32) { $0[1] = number })
        return try ChatCore(
            InboxV1(identity: identity), conversations: [PrivateV1.Compact.type], framing: EnvelopeV1(),
            delivery: DeliveryLimits(maximumPayload: 4_000), random: SeededRandom(UInt64(number) << 32 | seed),
            restoring: records, now: now)
    }

    init(_ number: UInt8, _ now: Timestamp) throws {
        self.number = number
        core = try Self.core(number, [], seed: 0, now)
    }

    mutating func store() {
        for record in core.takeRecords() { stored[record.key] = record.bytes }
        while let batch = core.nextBatch {
            events += batch.events
            core.confirm(batchesUpTo: batch.number)
        }
        for record in core.takeRecords() { stored[record.key] = record.bytes }
    }

    /// Starts again from a copy of the records.
    mutating func restart(from copy: [String: Bytes], _ now: Timestamp) throws {
        runs += 1
        stored = copy
        let records = copy.map { Record($0.key, $0.value) }.sorted { $0.key < $1.key }
        core = try Self.core(number, records, seed: runs, now)
        store()
    }

    mutating func publish(_ now: Timestamp) -> [Delivery] {
        let payloads = core.takeOutbox(now: now)
        core.settle(payloads, payloads.map { _ in .success(Receipt()) }, now: now)
        store()
        return payloads.map { Delivery($0.addressed) }
    }

    var broken: [String] {
        events.compactMap { if case .broken(_, let report) = $0 { report.code } else { nil } }
    }

    var refused: Int { events.count { if case .refused = $0 { true } else { false } } }

    var failures: [String] {
        events.compactMap { if case .conversation(_, .status(_, .failed(let reason))) = $0 { reason } else { nil } }
    }

    var heard: [String] {
        events.compactMap { event in
            guard case .conversation(_, .content(let received)) = event else { return nil }
            return String(decoding: received.content.array, as: UTF8.self)
        }
    }
}

/// Saro and Raya in one conversation, in virtual time.
private struct Walk {
    var now = Timestamp(milliseconds: 1_700_000_000_000)
    var saro, raya: Talker

    init() throws {
        (saro, raya) = (try Talker(1, now), try Talker(2, now))
        try meet()
    }

    mutating func meet() throws {
        let bundle = try raya.core.introduce(1, now: now)[0]
        _ = try saro.core.begin(PrivateV1.Compact.type.name, with: bundle, saying: Bytes("hello"), now: now)
        settle(for: .seconds(10))
    }

    /// Lets time pass, a second at a time at first; everything arrives.
    mutating func settle(for duration: Duration, by step: Duration = .seconds(1)) {
        let end = now + duration
        while now < end {
            now = now + step
            saro.core.wake(now: now)
            raya.core.wake(now: now)
            for _ in 0..<4 {
                let (ours, theirs) = (saro.publish(now), raya.publish(now))
                raya.core.receive(ours, now: now)
                saro.core.receive(theirs, now: now)
                saro.store()
                raya.store()
            }
        }
    }

    mutating func say(_ text: String, fromSaro: Bool) throws {
        if fromSaro, let id = saro.core.conversations.first?.id {
            _ = try saro.core.send(Bytes(text), in: id, now: now)
        } else if let id = raya.core.conversations.first?.id {
            _ = try raya.core.send(Bytes(text), in: id, now: now)
        }
        settle(for: .seconds(3))
    }

    /// Both talk for a while.
    mutating func talk(_ turns: Int) throws {
        for turn in 0..<turns {
            try say("saro \(turn)", fromSaro: true)
            try say("raya \(turn)", fromSaro: false)
        }
    }
}

@Test(arguments: [true, false])
func `after an old copy was put back both sides are told within minutes, once (CORE-20, STORE-11)`(
    saroSpeaks: Bool
) throws {
    var walk = try Walk()
    try walk.talk(2)
    let copy = walk.saro.stored
    try walk.talk(20)
    try walk.saro.restart(from: copy, walk.now)
    try walk.say("lost?", fromSaro: saroSpeaks)
    walk.settle(for: .seconds(600), by: .seconds(5))
    #expect(walk.saro.broken == ["keys_do_not_fit"], "Saro, whose copy it was")
    #expect(walk.raya.broken == ["keys_do_not_fit"], "Raya, who did nothing")
    // Restarted, it is not told again.
    try walk.raya.restart(from: walk.raya.stored, walk.now)
    walk.settle(for: .seconds(1_200), by: .seconds(20))
    #expect(walk.saro.broken.count == 1 && walk.raya.broken.count == 1)
    #expect(walk.saro.refused < 12 && walk.raya.refused < 12, "\(walk.saro.refused) \(walk.raya.refused) refusals told")
    // A new first contact is the way out.
    let before = walk.raya.heard.count
    try walk.meet()
    #expect(walk.raya.heard.count == before + 1)
    // What is never acknowledged fails with the reason.
    walk.settle(for: .seconds(10 * 86_400), by: .seconds(3_600))
    let failures = saroSpeaks ? walk.saro.failures : walk.raya.failures
    #expect(failures.count == 1 && failures.allSatisfy { $0.contains("fit no longer") || $0.contains("in a row") })
}

@Test func `payloads that a stranger made up break nothing: the next good one takes it back (CORE-20)`() throws {
    var walk = try Walk()
    try walk.talk(2)
    try walk.say("good", fromSaro: true)
    let id = try #require(walk.raya.core.conversations.first?.id)
    _ = try walk.saro.core.send(Bytes("late"), in: walk.saro.core.conversations[0].id, now: walk.now)
    let good = walk.saro.publish(walk.now)
    let one = try #require(good.first)
    for number in 0..<40 {
        walk.now = walk.now + .seconds(4)
        var forged = one.addressed
        forged.payload.withMutableSpan { $0[$0.count - 1] ^= UInt8(1 + number) }
        forged.id = PayloadID(high: 9, low: UInt64(number))
        walk.raya.core.receive([Delivery(forged)], now: walk.now)
        walk.raya.store()
    }
    #expect(walk.raya.broken.count == 1 && walk.raya.refused <= 4)
    #expect(walk.raya.core.troubles[id] != nil)
    walk.raya.core.receive(good, now: walk.now)
    walk.settle(for: .seconds(30))
    #expect(walk.raya.core.troubles.isEmpty && walk.raya.heard.last == "late")
    try walk.say("and on", fromSaro: false)
    #expect(walk.saro.heard.last == "and on")
}

@Test func `a type that sends again what is lost tells the other side of one trouble once (CORE-20)`() throws {
    var walk = try Walk()
    try walk.talk(2)
    walk.settle(for: .seconds(600), by: .seconds(20))
    let id = try #require(walk.raya.core.conversations.first?.id)
    walk.raya.core.doubt(id, "nothing opens", tellsOther: true)
    #expect(walk.raya.publish(walk.now).count == 1)
    walk.now = walk.now + .seconds(1_200)
    walk.raya.core.wake(now: walk.now)
    _ = walk.raya.publish(walk.now)
    walk.raya.core.doubt(id, "nothing opens", tellsOther: true)
    #expect(walk.raya.core.load.outboxPayloads == 0)
}

@Test func `refusals of one kind are folded, and told again with their number (CORE-19)`() {
    var log = RefusalLog()
    let start = Timestamp(milliseconds: 1_000_000)
    let refusal = Refusal(.invalid, CommonCause.malformed("frame", at: 0))
    let told = (0..<100).map { log.note(refusal, in: nil, at: start + .seconds($0)) }
    #expect(told.prefix(3) == [0, 0, 0] && told.dropFirst(3).allSatisfy { $0 == nil })
    #expect(log.note(Refusal(.invalid, ClientCause.noSuchOwner), in: nil, at: start) == 0, "another kind")
    #expect(log.note(refusal, in: ConversationID("a"), at: start) == 0, "another conversation")
    #expect(log.note(refusal, in: nil, at: start + .seconds(602)) == 97)
    #expect(log.note(refusal, in: nil, at: start + .seconds(603)) == nil)
    for number in 0..<2_000 { _ = log.note(refusal, in: ConversationID("\(number)"), at: start + .seconds(700)) }
    #expect(log.count <= RefusalLog.capacity)
}

@Test func `what a machine refuses of what it received is folded, too (CORE-19)`() throws {
    struct Picky: SimpleConversation {
        static let facts = Facts(name: "picky", summary: "refuses whatever it receives")
        private var toy: ToyConversation
        var id: ConversationID { toy.id }
        var listening: [Listening] { toy.listening }
        init(_ seed: ConversationSeed, in step: inout Step) throws(Refusal) { toy = try .init(seed, in: &step) }
        init(restoring records: [Record]) throws(Refusal) { toy = try ToyConversation(restoring: records) }
        mutating func takeChanges() -> [Record] { toy.takeChanges() }
        mutating func perform(_ action: Action, as id: ContentID, in step: inout Step) throws(Refusal) {
            try toy.perform(action, as: id, in: &step)
        }
        mutating func receive(_ routed: Routed, in step: inout Step) throws(Refusal) {
            step.report(.refused(Refusal(.unable, CommonCause.malformed("content", at: 0))))
        }
    }
    var (saro, raya) = (try CorePeer("saro", types: [Picky.type]), try CorePeer("raya"))
    let id = try saro.begin(with: try raya.introduce(), "picky")
    for number in 0..<100 as Range<UInt8> {
        saro.receive([Addressed("inbox", payload: Bytes([UInt8(id.text.utf8.count)] + Array(id.text.utf8) + [number]))])
    }
    #expect(saro.reports == Array(repeating: "unable malformed", count: 3))
}
