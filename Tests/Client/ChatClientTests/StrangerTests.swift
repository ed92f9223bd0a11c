import ChatStorage
import ChatConversation
import ChatCrypto
import ChatDeliveryService
import ChatDiscovery
import ChatFraming
import ChatInitialization
import ChatModel
import StorageTestSupport
import TestSupport
import Testing

@testable import ChatClient

private let start = Timestamp(milliseconds: 1_700_000_000_000)
private let limits = DeliveryLimits(maximumPayload: 2_000)

/// Somebody who begins a conversation by a single-use link, and stops before a large content is whole.
private struct Stranger {
    var core: ChatCore

    init(_ number: UInt8, seed: UInt64) throws {
        let identity = try X25519.keyPair(Secret(count: 32) { $0[1] = number })
        core = try ChatCore(
            InboxV1(identity: identity), conversations: [PrivateV1.Compact.type], framing: EnvelopeV1(),
            delivery: limits, random: SeededRandom(seed), now: start)
    }

    /// The payloads of a conversation that begins with a content, all or the first of them.
    mutating func begin(
        with bundle: IntroductionBundle, saying content: Bytes, first count: Int = .max
    ) throws -> [Addressed] {
        _ = try core.begin(PrivateV1.Compact.type.name, with: bundle, saying: content, now: start)
        _ = core.takeRecords()
        var payloads: [Addressed] = []
        while payloads.count < count {
            let taken = core.takeOutbox(now: start)
            guard !taken.isEmpty else { break }
            core.settle(taken, taken.map { _ in .success(Receipt()) }, now: start)
            payloads += taken.map(\.addressed)
        }
        return Array(payloads.prefix(count))
    }
}

/// Raya, whose records are stored after each step.
private struct Host {
    var core: ChatCore
    private(set) var stored: [String: Bytes] = [:]
    private(set) var events: [ChatClient.ClientEvent] = []

    private var runs: UInt64 = 0

    private static func core(_ limits: CoreLimits, _ records: [Record], seed: UInt64) throws -> ChatCore {
        let identity = try X25519.keyPair(Secret(count: 32) { $0[31] = 1 })
        return try ChatCore(
            InboxV1(identity: identity), conversations: [PrivateV1.Compact.type], framing: EnvelopeV1(),
            delivery: DeliveryLimits(maximumPayload: 2_000), random: SeededRandom(seed), limits: limits,
            restoring: records, now: start)
    }

    init(_ limits: CoreLimits) throws { core = try Self.core(limits, [], seed: 9_000) }

    mutating func store() {
        for record in core.takeRecords() { stored[record.key] = record.bytes }
        while let batch = core.nextBatch {
            events += batch.events
            core.confirm(batchesUpTo: batch.number)
        }
        for record in core.takeRecords() { stored[record.key] = record.bytes }
    }

    mutating func receive(_ payloads: [Addressed]) {
        core.receive(payloads.map { Delivery($0) }, now: start)
        store()
    }

    mutating func introduce(_ count: Int) throws -> [IntroductionBundle] {
        defer { store() }
        return try core.introduce(count, now: start)
    }

    mutating func restart() throws {
        runs += 1
        let records = stored.map { Record($0.key, $0.value) }.sorted { $0.key < $1.key }
        core = try Self.core(core.limits, records, seed: 9_000 + runs)
        store()
    }

    /// Bytes of the records of all conversations' machines.
    var held: Int { stored.filter { $0.key.hasPrefix("machine/") }.values.reduce(0) { $0 + $1.count } }

    var failed: [ConversationID: String] {
        Dictionary(
            uniqueKeysWithValues: events.compactMap { event in
                guard case .failed(let id, let report) = event else { return nil }
                return (id, report.code)
            })
    }

    var contents: [String] {
        events.compactMap { event in
            guard case .conversation(_, .content(let received)) = event else { return nil }
            return String(decoding: received.content.array.prefix(20), as: UTF8.self)
        }
    }
}

/// A content of about so many segments.
private func content(of segments: Int) -> Bytes { Bytes([UInt8](repeating: 7, count: 695 * segments)) }

@Test func `strangers who begin very many conversations push out their own, and no friend (CORE-17)`() throws {
    var few = CoreLimits()
    few.strangerConversations = 4
    var raya = try Host(few)
    let bundles = try raya.introduce(12)
    var saro = try Stranger(100, seed: 100)
    raya.receive(try saro.begin(with: bundles[0], saying: Bytes("I am Saro")))
    let friend = try #require(raya.core.conversations.first).id
    _ = try raya.core.send(Bytes("hello Saro"), in: friend, now: start)
    raya.store()
    var before: Set<ConversationID> = [friend]
    var order: [ConversationID] = []
    for number in 1...8 {
        var stranger = try Stranger(UInt8(number), seed: UInt64(number))
        raya.receive(try stranger.begin(with: bundles[number], saying: Bytes("hello \(number)")))
        #expect(raya.core.conversations.count <= 5)
        let new = raya.core.conversations.map(\.id).filter { !before.contains($0) }
        order += new
        before.formUnion(new)
    }
    #expect(raya.contents == ["I am Saro"] + (1...8).map { "hello \($0)" }, "who comes now is heard")
    #expect(Set(raya.core.conversations.map(\.id)) == Set([friend] + order.suffix(4)))
    #expect(Set(raya.failed.keys) == Set(order.prefix(4)) && order.count == 8)
    try raya.restart()
    var pax = try Stranger(101, seed: 101)
    raya.receive(try pax.begin(with: bundles[9], saying: Bytes("I am Pax")))
    #expect(raya.core.conversations.count == 5 && raya.core.conversations.contains { $0.id == friend })
}

@Test func `thirty strangers who never finish give way, the largest first, and everybody else is heard (CORE-17)`()
    throws
{
    var budget = CoreLimits()
    (budget.strangerBytes, budget.strangersBytes) = (120_000, 140_000)
    var raya = try Host(budget)
    let bundles = try raya.introduce(33)
    // Two who say something small, before and in the middle of all that.
    var saro = try Stranger(100, seed: 100)
    raya.receive(try saro.begin(with: bundles[30], saying: Bytes("I am Saro")))
    for number in 0..<30 {
        var stranger = try Stranger(UInt8(1 + number), seed: UInt64(1 + number))
        // The fifth is the largest.
        let segments = number == 4 ? 120 : 45
        raya.receive(try stranger.begin(with: bundles[number], saying: content(of: segments), first: segments - 5))
        #expect(raya.held <= 140_000, "\(number)")
        let isHere = raya.core.conversations.contains { $0.peers.first == stranger.identity }
        if number <= 4 { #expect(isHere == (number != 4), "\(number)") }
        if number == 15 {
            var pax = try Stranger(101, seed: 101)
            raya.receive(try pax.begin(with: bundles[31], saying: Bytes("I am Pax")))
            try raya.restart()
        }
    }
    #expect(raya.contents == ["I am Saro", "I am Pax"])
    #expect(raya.failed.count >= 20 && raya.failed.values.allSatisfy { $0 == "no_room" })
    #expect(raya.core.conversations.count == 32 - raya.failed.count)
    // Saro is still there, and is answered.
    let first = try #require(raya.core.conversations.first { $0.peers.first == saro.identity }).id
    _ = try raya.core.send(Bytes("hello Saro"), in: first, now: start)
    for id in raya.failed.keys { #expect(!raya.stored.keys.contains { $0.contains(id.text) }, "nothing is left of it") }
}

@Test func `one stranger with many links is one stranger; who was answered is none (CORE-17)`() throws {
    var budget = CoreLimits()
    (budget.strangerBytes, budget.strangersBytes) = (120_000, 10_000_000)
    var raya = try Host(budget)
    let bundles = try raya.introduce(12)
    var friend = try Stranger(200, seed: 1)
    raya.receive(try friend.begin(with: bundles[10], saying: content(of: 150), first: 140))
    let known = try #require(raya.core.conversations.first).id
    _ = try raya.core.send(Bytes("go on"), in: known, now: start)
    raya.store()
    let own = raya.held
    for number in 0..<10 {
        // The same identity each time.
        var stranger = try Stranger(7, seed: UInt64(10 + number))
        raya.receive(try stranger.begin(with: bundles[number], saying: content(of: 50), first: 45))
        #expect(raya.held - own <= 120_000)
    }
    #expect(raya.failed.count >= 5 && raya.failed[known] == nil)
    try raya.restart()
    #expect(raya.core.conversations.contains { $0.id == known })
    for _ in 0..<2 {
        var stranger = try Stranger(7, seed: 30)
        let bundle = try raya.introduce(1)[0]
        raya.receive(try stranger.begin(with: bundle, saying: content(of: 50), first: 45))
    }
    #expect(raya.failed[known] == nil, "that it was answered is stored")
}

@Test func `beyond the room of all conversations the large ones take nothing more (CORE-17)`() throws {
    var budget = CoreLimits()
    (budget.machineBytes, budget.roomyBytes) = (150_000, 100_000)
    var raya = try Host(budget)
    let bundles = try raya.introduce(2)
    var (saro, pax) = (try Stranger(1, seed: 1), try Stranger(2, seed: 2))
    let whole = try saro.begin(with: bundles[0], saying: content(of: 240))
    for first in stride(from: 0, to: whole.count, by: 8) {
        raya.receive(Array(whole[first..<min(first + 8, whole.count)]))
        #expect(raya.held < 160_000)
    }
    #expect(raya.contents.isEmpty && raya.held > 100_000)
    raya.receive(try pax.begin(with: bundles[1], saying: Bytes("I am Pax")))
    #expect(raya.contents == ["I am Pax"])
}

@Test(.timeLimit(.minutes(30)))
func `a batch that cannot be stored does not stop what comes after it (CORE-18)`() async throws {
    let bench = StorageBench(limits: small)
    let service = InMemoryDeliveryService(limits: limits)
    let identity = try X25519.keyPair(Secret(count: 32) { $0[31] = 1 })
    let suite = try ChatSuite(
        discovery: IntroLinks(), initialization: InboxV1(identity: identity), conversations: [PrivateV1.Compact.type],
        delivery: service, framing: EnvelopeV1())
    let raya = try await Client(suite, storage: try bench.open(), random: SeededRandom(5))
    let links = try await raya.introduce(count: 9)
    var bundles: [IntroductionBundle] = []
    for link in links {
        let found = try await raya.find(link)
        var answers = found.makeAsyncIterator()
        bundles += try await answers.next()?.first?.bundles ?? []
    }
    for number in 0..<8 {
        var stranger = try Stranger(UInt8(1 + number), seed: UInt64(number))
        // As large as one batch of the mailbox, and then another.
        let payloads = try stranger.begin(with: bundles[number], saying: content(of: 100), first: 95)
        _ = await service.publish(payloads)
    }
    var saro = try Stranger(100, seed: 100)
    _ = await service.publish(try saro.begin(with: bundles[8], saying: Bytes("I am Saro")))
    #expect(await contents(1, of: raya) == ["I am Saro"])
    await raya.close()
}

/// A journal that holds about three of the strangers.
private var small: StorageLimits {
    var limits = StorageLimits()
    limits.live = 250_000
    return limits
}

extension Stranger {
    fileprivate var identity: PublicKey? {
        guard let inbox = core.initialization as? InboxV1 else { return nil }
        return inbox.identity.publicKey
    }
}
