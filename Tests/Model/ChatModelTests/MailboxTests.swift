import ChatModel
import TestSupport
import Testing

private func delivery(_ byte: UInt8, bytes: Int = 1) -> Delivery {
    Delivery(Addressed("address", payload: Bytes([UInt8](repeating: byte, count: bytes))))
}

private func firstBytes(_ batch: Mailbox.Batch?) -> [UInt8]? { batch?.deliveries.map { $0.addressed.payload[0] } }

@Test(.timeLimit(.minutes(30))) func `payloads come in batches, in order`() async {
    let mailbox = Mailbox()
    #expect(mailbox.offer([delivery(1), delivery(2)]) == 2)
    #expect(mailbox.offer([delivery(3)]) == 1)
    mailbox.notify(.resumed())
    let batch = await mailbox.next()
    #expect(firstBytes(batch) == [1, 2, 3] && batch?.notices == [.resumed()])
}

@Test(.timeLimit(.minutes(30)))
func `a full mailbox takes what fits and nothing more until the batch is stored`() async {
    let mailbox = Mailbox(capacity: 3)
    #expect(mailbox.offer([delivery(1), delivery(2)]) == 2)
    #expect(mailbox.offer([delivery(3), delivery(4)]) == 1)
    #expect(mailbox.offer([delivery(4)]) == 0)
    let first = await mailbox.next()
    #expect(firstBytes(first) == [1, 2, 3])
    #expect(mailbox.offer([delivery(4)]) == 0, "the batch is lent and not stored yet")
    let stored = Lock<[UInt8]>([])
    final class Service {}
    let service = Service()
    mailbox.whenStored(for: service) { deliveries in
        stored.withLock { $0 += deliveries.map { $0.addressed.payload[0] } }
        _ = mailbox.offer([delivery(4)])
    }
    let second = await mailbox.next()
    #expect(stored.withLock { $0 } == [1, 2, 3] && firstBytes(second) == [4])
}

@Test(.timeLimit(.minutes(30))) func `bytes are bounded, and one payload above the bound passes alone`() async {
    let mailbox = Mailbox(capacity: 10, byteCapacity: 100)
    #expect(mailbox.offer([delivery(1, bytes: 60), delivery(2, bytes: 41)]) == 1)
    #expect(mailbox.offer([delivery(2, bytes: 40)]) == 1)
    #expect(mailbox.offer([delivery(3, bytes: 1)]) == 0)
    _ = await mailbox.next()
    let waiting = Task { await mailbox.next() }
    while mailbox.offer([delivery(4, bytes: 500)]) == 0 { await Task.yield() }
    let batch = await waiting.value
    #expect(firstBytes(batch) == [4])
    #expect(mailbox.offer([delivery(5)]) == 0)
}

@Test(.timeLimit(.minutes(30))) func `a reader that waits gets what comes`() async {
    let mailbox = Mailbox()
    let reader = Task { await mailbox.next() }
    await Task.yield()
    #expect(mailbox.offer([delivery(7)]) == 1)
    #expect(firstBytes(await reader.value) == [7])
    let other = Task { await mailbox.next() }
    await Task.yield()
    mailbox.notify(.gone("address"))
    #expect(await other.value?.notices == [.gone("address")])
}

@Test(.timeLimit(.minutes(30))) func `the last of several notices about the link is the state of the link`() async {
    let mailbox = Mailbox()
    for notice in [Notice.interrupted("cable"), .resumed(), .interrupted("cable"), .gone("a"), .gone("a")] {
        mailbox.notify(notice)
    }
    let first = await mailbox.next()?.notices
    #expect(first == [.resumed(), .interrupted("cable"), .gone("a")])
    for attempt in 0..<1_000 { mailbox.notify(.interrupted("attempt \(attempt)")) }
    let second = await mailbox.next()?.notices
    #expect(second == [.interrupted("attempt 999")], "news of one link is bounded")
}

@Test(.timeLimit(.minutes(30))) func `closing ends the reader, and takes from then on without keeping`() async {
    let mailbox = Mailbox()
    let reader = Task { await mailbox.next() }
    await Task.yield()
    mailbox.close()
    let batch = await reader.value
    #expect(batch == nil)
    #expect(mailbox.offer([delivery(1)]) == 1)
    mailbox.notify(.resumed())
    let after = await mailbox.next()
    #expect(after == nil)
}

@Test(.timeLimit(.minutes(30))) func `closing drops what nobody read`() async {
    let mailbox = Mailbox()
    _ = mailbox.offer([delivery(1)])
    mailbox.close()
    let batch = await mailbox.next()
    #expect(batch == nil)
}

@Test(.timeLimit(.minutes(30))) func `a cancelled reader returns, before it waits and while it waits`() async {
    let mailbox = Mailbox()
    let waiting = Task { await mailbox.next() }
    await Task.yield()
    waiting.cancel()
    let first = await waiting.value
    #expect(first == nil)
    let late = Task {
        while !Task.isCancelled { await Task.yield() }
        return await mailbox.next()
    }
    late.cancel()
    let second = await late.value
    #expect(second == nil)
    #expect(mailbox.offer([delivery(1)]) == 1)
    let batch = await mailbox.next()
    #expect(firstBytes(batch) == [1], "a cancelled reader took nothing away")
}

@Test(.timeLimit(.minutes(30)))
func `a second reader sends the first one home instead of leaving it to wait for ever`() async {
    let mailbox = Mailbox()
    let first = Task { await mailbox.next() }
    await Task.yield()
    let second = Task { await mailbox.next() }
    await Task.yield()
    while mailbox.offer([delivery(1)]) == 0 { await Task.yield() }
    let batches = await [first.value, second.value]
    #expect(batches.compactMap(firstBytes) == [[1]])
}

@Test(.timeLimit(.minutes(30))) func `many services and one reader lose nothing`() async {
    let mailbox = Mailbox(capacity: 16)
    let total = await withTaskGroup(of: Int.self) { group in
        for service in 0..<4 as Range<UInt8> {
            group.addTask {
                for _ in 0..<250 {
                    while mailbox.offer([delivery(service)]) == 0 { await Task.yield() }
                }
                return 0
            }
        }
        group.addTask {
            var seen = 0
            while seen < 1_000, let batch = await mailbox.next() { seen += batch.deliveries.count }
            return seen
        }
        return await group.reduce(0, +)
    }
    #expect(total == 1_000)
}
