import ChatClient
import ChatDeliveryService
import ChatModel
import Testing
import ChatStorage
import StorageTestSupport

private let (composed, decomposed) = ("cursor/caf\u{E9}", "cursor/cafe\u{301}")

@Test func `records whose keys look alike and have other bytes are two records (STORE-4)`() throws {
    let changes = [Record(composed, [1]), Record(decomposed, [2])]
    let bench = StorageBench()
    do {
        let (memory, directory) = (InMemoryStorage(), try bench.open())
        for storage in [memory, directory] as [any Storage] {
            try storage.commit(changes)
            let found = Dictionary(grouping: storage.records, by: { Array($0.key.utf8) }).mapValues { $0.map(\.bytes) }
            #expect(found == [Array(composed.utf8): [[1]], Array(decomposed.utf8): [[2]]])
        }
    }
    // Read again, and with one of them removed.
    let storage = try bench.open()
    #expect(storage.records.count == 2)
    try storage.commit([Record(composed, nil)])
    #expect(storage.records.map(\.bytes) == [[2]])
}

@Test(.timeLimit(.minutes(30)))
func `what is published on an address does not reach one that only looks alike (DS-15)`() async throws {
    let service = InMemoryDeliveryService()
    let (mailbox, other) = (Mailbox(), Mailbox())
    try await service.subscribe([DeliveryAddress(composed): .now], into: mailbox)
    try await service.subscribe([DeliveryAddress(decomposed): .now], into: other)
    let id = { PayloadID(high: 1, low: $0) }
    let results = await service.publish([
        Addressed(DeliveryAddress(decomposed), payload: [2], id: id(2)),
        Addressed(DeliveryAddress(composed), payload: [1], id: id(1)),
    ])
    #expect(results.allSatisfy { (try? $0.get()) != nil })
    #expect(await mailbox.next()?.deliveries.map(\.addressed.payload) == [[1]])
    #expect(await other.next()?.deliveries.map(\.addressed.payload) == [[2]])
}
