import ChatDeliveryService
import ChatModel
import Synchronization
import Testing

private let hall: DeliveryAddress = "hall"

@Test(.timeLimit(.minutes(30)))
func `every subscriber of an address gets a copy, the publisher too (DS-01, DS-02, DS-12)`() async throws {
    let service = InMemoryDeliveryService()
    let (saro, raya, pax) = (Mailbox(), Mailbox(), Mailbox())
    for mailbox in [saro, raya] { try await service.subscribe([hall: .now], into: mailbox) }
    try await service.subscribe(["elsewhere": .now], into: pax)
    let sent = texts("one", "two")
    #expect(await service.publish(sent).allSatisfy(\.isTaken))
    #expect(saro.texts(await saro.next()) == ["one", "two"])
    #expect(raya.texts(await raya.next()) == ["one", "two"])
    await service.publish(addressed("three", on: "elsewhere"))
    #expect(pax.texts(await pax.next()) == ["three"])
}

@Test(.timeLimit(.minutes(30))) func `payloads on several addresses in one batch keep their order`() async throws {
    let service = InMemoryDeliveryService()
    let mailbox = Mailbox()
    try await service.subscribe(["a": .now, "b": .now], into: mailbox)
    _ = await service.publish([
        addressed("1", on: "a"), addressed("2", on: "b"), addressed("3", on: "a"), addressed("4", on: "nobody"),
        addressed("5", on: "a"),
    ])
    #expect(mailbox.texts(await mailbox.next()) == ["1", "2", "3", "5"])
}

@Test(.timeLimit(.minutes(30)))
func `subscribing again delivers once, and unsubscribing ends it (DS-12, DS-13)`() async throws {
    let service = InMemoryDeliveryService()
    let mailbox = Mailbox()
    try await service.subscribe([hall: .now], into: mailbox)
    await service.publish(addressed("one"))
    try await service.subscribe([hall: .earliest], into: mailbox)
    await service.publish(addressed("two"))
    #expect(mailbox.texts(await mailbox.next()) == ["one", "two"])
    await service.unsubscribe([hall], from: mailbox)
    await service.unsubscribe([hall, "never"], from: mailbox)
    await service.publish(addressed("three"))
    mailbox.close()
    #expect(await mailbox.next() == nil)
}

@Test(.timeLimit(.minutes(30)))
func `a payload published again with its id is taken and not delivered twice`() async throws {
    let service = InMemoryDeliveryService(rememberedIDs: 4)
    let mailbox = Mailbox()
    try await service.subscribe([hall: .now, "other": .now], into: mailbox)
    let one = addressed("one", id: 1)
    let receipts = await service.publish([one, one])
    #expect(receipts[0].cursor != nil)
    #expect(receipts[0].cursor == receipts[1].cursor)
    await service.publish(addressed("one", on: "other", id: 1))
    #expect(mailbox.texts(await mailbox.next()) == ["one", "one"])
    _ = await service.publish((2...5).map { (id: Int) in addressed("\(id)", id: id) } + [one])
    #expect(mailbox.texts(await mailbox.next()) == ["2", "3", "4", "5", "one"], "four ids are remembered at most")
}

@Test(.timeLimit(.minutes(30))) func `payloads without an id are never repeats`() async throws {
    let service = InMemoryDeliveryService()
    let mailbox = Mailbox()
    try await service.subscribe([hall: .now], into: mailbox)
    await service.publish(Addressed(hall, payload: Bytes("a")))
    await service.publish(Addressed(hall, payload: Bytes("a")))
    #expect(mailbox.texts(await mailbox.next()) == ["a", "a"])
}

@Test(.timeLimit(.minutes(30)))
func `a payload too large is refused with numbers, and the others are taken (DS-06, DS-09)`() async throws {
    let service = InMemoryDeliveryService(limits: DeliveryLimits(maximumPayload: 3))
    let results = await service.publish(texts("abc", "abcd", "x"))
    #expect(results.map(\.isTaken) == [true, false, true])
    #expect(results[1] == .failure(.tooLarge(bytes: 4, limit: 3)))
}

@Test(.timeLimit(.minutes(30))) func `the quota of an epoch is refused with the time to wait (DS-10)`() async throws {
    let clock = TestClock()
    let rate = DeliveryLimits.Rate(payloads: 2, epoch: .seconds(600))
    let service = InMemoryDeliveryService(limits: DeliveryLimits(maximumPayload: 9, rate: rate), clock: clock.read)
    let other = service.publisher()
    let first = await service.publish(texts("1", "2", "3"))
    #expect(first.map(\.isTaken) == [true, true, false])
    #expect(first[2] == .failure(.rateLimited(limit: 2, retryAfter: .seconds(600))))
    #expect(await other.publish(texts("4"))[0].isTaken, "another publisher has a quota of its own")
    clock.advance(.seconds(599))
    #expect(await service.publish(texts("5"))[0] == .failure(.rateLimited(limit: 2, retryAfter: .seconds(1))))
    clock.advance(.seconds(1))
    #expect(await service.publish(texts("6", "7")).map(\.isTaken) == [true, true])
}

@Test(.timeLimit(.minutes(30)))
func `what was published before can be had from the start or after a cursor (DS-11)`() async throws {
    let service = InMemoryDeliveryService()
    #expect(service.limits.offers.isSuperset(of: [.offlineRetrieval, .ordering, .acknowledgement]))
    let receipts = await service.publish(texts("one", "two", "three"))
    let (all, some, none) = (Mailbox(), Mailbox(), Mailbox())
    try await service.subscribe([hall: .earliest], into: all)
    let cursor = try #require(receipts[0].cursor)
    try await service.subscribe([hall: .after(cursor)], into: some)
    try await service.subscribe([hall: .now], into: none)
    await service.publish(addressed("four"))
    #expect(all.texts(await all.next()) == ["one", "two", "three", "four"])
    #expect(some.texts(await some.next()) == ["two", "three", "four"])
    #expect(none.texts(await none.next()) == ["four"])
}

@Test(
    .timeLimit(.minutes(30)),
    arguments: [
        DeliveryLimits.Retention(payloads: 2, bytes: 1 << 20, age: .seconds(60)),
        DeliveryLimits.Retention(payloads: 100, bytes: 2 * (64 + 4 + 1), age: .seconds(60)),
    ])
func `retention is bounded in payloads and bytes, and a gap is told (DS-11)`(
    retention: DeliveryLimits.Retention
) async throws {
    let service = InMemoryDeliveryService(limits: DeliveryLimits(maximumPayload: 9, retention: retention))
    let first = await service.publish(addressed("0"))
    _ = await service.publish(texts("1", "2", "3"))
    let mailbox = Mailbox()
    try await service.subscribe([hall: .after(try #require(first.cursor))], into: mailbox)
    let batch = try #require(await mailbox.next())
    #expect(mailbox.texts(batch) == ["2", "3"])
    #expect(batch.notices == [.gone(hall)])
}

@Test(.timeLimit(.minutes(30)))
func `retention is bounded in time, and without loss nothing is told (DS-11)`() async throws {
    let clock = TestClock()
    let retention = DeliveryLimits.Retention(payloads: 9, bytes: 1 << 20, age: .seconds(60))
    let service = InMemoryDeliveryService(
        limits: DeliveryLimits(maximumPayload: 9, retention: retention), clock: clock.read)
    await service.publish(addressed("old"))
    clock.advance(.seconds(61))
    let receipt = await service.publish(addressed("known"))
    await service.publish(addressed("new"))
    let (early, late) = (Mailbox(), Mailbox())
    try await service.subscribe([hall: .earliest], into: early)
    try await service.subscribe([hall: .after(try #require(receipt.cursor))], into: late)
    #expect(early.texts(await early.next()) == ["known", "new"])
    let batch = try #require(await late.next())
    #expect(late.texts(batch) == ["new"])
    #expect(batch.notices.isEmpty)
}

@Test(
    .timeLimit(.minutes(30)),
    arguments: [Cursor(Bytes()), Cursor(Bytes("abc")), Cursor(Bytes([UInt8](repeating: 0xFF, count: 16)))])
func `a cursor that is not known means everything that is kept, and a gap (DS-11)`(cursor: Cursor) async throws {
    let service = InMemoryDeliveryService()
    await service.publish(addressed("one"))
    let mailbox = Mailbox()
    try await service.subscribe([hall: .after(cursor)], into: mailbox)
    let batch = try #require(await mailbox.next())
    #expect(mailbox.texts(batch) == ["one"])
    #expect(batch.notices == [.gone(hall)])
}

@Test(.timeLimit(.minutes(30))) func `a full mailbox gets the rest once it has stored what it holds`() async throws {
    let service = InMemoryDeliveryService()
    let mailbox = Mailbox(capacity: 2)
    try await service.subscribe([hall: .now, "other": .now], into: mailbox)
    _ = await service.publish(texts("1", "2", "3"))
    await service.publish(addressed("x", on: "other"))
    _ = await service.publish(texts("4", "5"))
    var received: [String] = []
    while received.count < 6, let batch = await mailbox.next() {
        #expect(batch.notices.isEmpty)
        received += mailbox.texts(batch)
    }
    #expect(received.filter { $0 != "x" } == ["1", "2", "3", "4", "5"])
    #expect(received.contains("x"))
    await service.publish(addressed("6"))
    #expect(mailbox.texts(await mailbox.next()) == ["6"], "it is not behind any more")
}

@Test(.timeLimit(.minutes(30))) func `what retention drops while a mailbox is full is told as gone`() async throws {
    let retention = DeliveryLimits.Retention(payloads: 2, bytes: 1 << 20, age: .seconds(60))
    let service = InMemoryDeliveryService(limits: DeliveryLimits(maximumPayload: 9, retention: retention))
    let mailbox = Mailbox(capacity: 1)
    try await service.subscribe([hall: .now], into: mailbox)
    _ = await service.publish(texts("1", "2", "3", "4"))
    #expect(mailbox.texts(await mailbox.next()) == ["1"])
    let second = try #require(await mailbox.next())
    #expect(mailbox.texts(second) == ["3"])
    #expect(second.notices == [.gone(hall)])
    let third = try #require(await mailbox.next())
    #expect(mailbox.texts(third) == ["4"])
    #expect(third.notices.isEmpty)
}

@Test(.timeLimit(.minutes(30))) func `without retention what a full mailbox refuses is gone at once`() async throws {
    let service = InMemoryDeliveryService(limits: DeliveryLimits(maximumPayload: 9))
    #expect(!service.limits.offers.contains(.offlineRetrieval))
    let mailbox = Mailbox(capacity: 1)
    try await service.subscribe([hall: .now], into: mailbox)
    _ = await service.publish(texts("1", "2"))
    let batch = try #require(await mailbox.next())
    #expect(mailbox.texts(batch) == ["1"])
    #expect(batch.notices == [.gone(hall)])
    #expect(batch.deliveries[0].cursor == nil)
}

@Test(.timeLimit(.minutes(30)))
func `many publishers and subscribers at once lose nothing and agree on the order (DS-02, DS-08)`() async throws {
    let service = InMemoryDeliveryService()
    let mailboxes = (0..<4).map { _ in Mailbox(capacity: 16) }
    for mailbox in mailboxes { try await service.subscribe([hall: .now], into: mailbox) }
    let received = await withTaskGroup(of: [String].self) { group in
        for publisher in 0..<4 {
            group.addTask {
                for number in 0..<100 { await service.publish(addressed("\(publisher).\(number)")) }
                return []
            }
        }
        for mailbox in mailboxes {
            group.addTask {
                var received: [String] = []
                while received.count < 400, let batch = await mailbox.next() { received += mailbox.texts(batch) }
                return received
            }
        }
        return await group.reduce(into: [[String]]()) { if !$1.isEmpty { $0.append($1) } }
    }
    #expect(received.count == 4)
    #expect(Set(received).count == 1, "all subscribers saw the same order")
    #expect(Set(received[0]).count == 400)
    for publisher in 0..<4 {
        let own = received[0].filter { $0.hasPrefix("\(publisher).") }
        #expect(own == (0..<100).map { "\(publisher).\($0)" })
    }
}
