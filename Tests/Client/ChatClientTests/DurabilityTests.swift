import ChatClient
import ChatConversation
import ChatDeliveryService
import ChatDiscovery
import ChatFraming
import ChatInitialization
import ChatModel
import TestSupport
import Testing
import ChatStorage

/// What is stored at once, and what can wait or is never stored (DURABLE).
@Suite struct DurabilityTests {
    /// Counts the transactions that reach a storage.
    final class CountingStorage: Storage {
        private let inner = InMemoryStorage()
        private let transactions = Lock(0)
        var count: Int { transactions.withLock { $0 } }

        func load() throws(StorageError) -> [Record] { try inner.load() }
        func commit(_ changes: [Record]) throws(StorageError) {
            transactions.withLock { $0 += 1 }
            try inner.commit(changes)
        }
    }

    @Test(.timeLimit(.minutes(30)), arguments: ["memory", "udp"])
    func `two hundred deltas cost no transaction each, and the last part is stored (DURABLE-1, DURABLE-2)`(
        service: String
    ) async throws {
        let relay = service == "udp" ? try UDPRelay(listen: "127.0.0.1:0") : nil
        defer { relay?.close() }
        let memory = InMemoryDeliveryService()
        let storages = [CountingStorage(), CountingStorage()]
        func client(_ side: Int) async throws -> Client {
            let delivery: any DeliveryService =
                if let relay { try await UDPDeliveryService(relay: relay.address) } else { memory }
            let suite = try ChatSuite(
                discovery: IntroLinks(), initialization: OpenInvite(), conversations: [ToyStream.type],
                delivery: delivery, framing: PlainFraming())
            return try await Client(suite, storage: storages[side])
        }
        let (asker, server) = (try await client(0), try await client(1))
        let link = try #require(try await server.introduce().first)
        let (_, _) = try await asker.accept(link, saying: Bytes("Tell me of the walrus"))
        var served: (ConversationID, String)?
        for await batch in server.events {
            for case .conversation(let id, .content(let received)) in batch.events {
                served = (id, try #require(received.reference))
            }
            if served != nil { break }
        }
        let (id, question) = try #require(served)
        let before = storages.map(\.count)
        var answer: ContentID?
        for number in 0..<200 {
            answer = try await server.send(
                Bytes("\(number) "), .delta, of: answer, about: .received(question), in: id)
        }
        let whole = (0..<200).map { "\($0) " }.joined()
        try await server.send(Bytes(whole), .cut(.complete), of: answer, in: id)
        var (deltas, last) = ("", "")
        reading: for await batch in asker.events {
            for case .conversation(_, .content(let received)) in batch.events {
                let text = String(decoding: received.content.array, as: UTF8.self)
                guard received.part == .delta else {
                    #expect(batch.number > 0)
                    last = text
                    break reading
                }
                deltas += text
            }
        }
        // UDP does not promise the order; the toy waits for the last part after a hole.
        #expect(last == whole && (service == "udp" || deltas == whole))
        let spent = zip(storages, before).map { $0.count - $1 }
        // The first part, two reservations of numbers, the last part, its status, and a flush after five seconds.
        #expect(spent[0] <= 10 && spent[1] <= 14, "\(spent) transactions")
        await asker.close()
        await server.close()
    }

    @Test func `what nothing depends on waits five seconds and is stored with the rest (DURABLE-3)`() throws {
        var saro = try CorePeer("saro", types: [ToyStream.type])
        var raya = try CorePeer("raya", types: [ToyStream.type])
        let id = try saro.begin(with: try raya.introduce(), "toy-stream")
        raya.receive(saro.publish())
        let serve = try #require(raya.core.conversations.first?.id)
        var answer: ContentID?
        func deltas(_ count: Int) throws -> [Addressed] {
            for _ in 0..<count {
                answer = try raya.core.perform(.send(Bytes("a"), part: .delta), in: serve, as: answer, now: raya.now)
            }
            let payloads = raya.core.takeOutbox(now: raya.now)
            raya.core.settle(payloads, payloads.map { _ in .success(Receipt()) }, now: raya.now)
            return payloads.map(\.addressed)
        }
        _ = saro.core.takeRecords()
        let first = try deltas(1)
        #expect(!raya.core.takeUrgentRecords().isEmpty, "a new content has a new number")
        saro.core.receive((first + (try deltas(3))).map { Delivery($0) }, now: saro.now)
        #expect(raya.core.takeUrgentRecords().isEmpty && saro.core.takeUrgentRecords().isEmpty)
        #expect(saro.core.waitingBatches.map(\.number) == [0] && saro.core.waitingBatches[0].events.count == 4)
        #expect(saro.core.nextFlush == saro.now + .seconds(5))
        saro.now = saro.now + .seconds(4)
        saro.core.wake(now: saro.now)
        #expect(saro.core.takeUrgentRecords().isEmpty)
        saro.now = saro.now + .seconds(1)
        saro.core.wake(now: saro.now)
        let records = saro.core.takeUrgentRecords()
        #expect(records.contains { $0.key.hasPrefix("machine/\(id)") } && saro.core.nextFlush == nil)
        // Numbers of parts are reserved: a delta whose machine has changed is stored before it leaves.
        _ = try deltas(97)
        #expect(!raya.core.takeUrgentRecords().isEmpty)
        _ = try raya.core.perform(.send(Bytes("all"), part: .whole), in: serve, as: answer, now: raya.now)
        #expect(!raya.core.takeUrgentRecords().isEmpty)
    }

    @Test func `events without a number are shown once and in their place (DURABLE-1)`() throws {
        var saro = try CorePeer("saro", types: [ToyStream.type])
        var raya = try CorePeer("raya", types: [ToyStream.type])
        _ = try saro.begin(with: try raya.introduce(), "toy-stream")
        raya.receive(saro.publish())
        let serve = try #require(raya.core.conversations.first?.id)
        let answer = try raya.core.perform(.send(Bytes("a"), part: .delta), in: serve, now: raya.now)
        for (text, part) in [("a", Part.snapshot), ("ab", .whole)] {
            _ = try raya.core.perform(.send(Bytes(text), part: part), in: serve, as: answer, now: raya.now)
        }
        _ = try raya.core.perform(.send(Bytes("b"), part: .delta), in: serve, now: raya.now)
        for payload in raya.publish() {
            saro.core.receive([Delivery(payload)], now: saro.now)
            _ = saro.core.takeUrgentRecords()
        }
        let numbers = saro.core.waitingBatches.map(\.number)
        #expect(numbers.map { $0 == 0 } == [true, true, false, true])
        saro.core.confirm(batchesUpTo: 0)
        #expect(saro.core.waitingBatches.map(\.number) == Array(numbers.dropFirst()))
        saro.core.confirm(batchesUpTo: numbers[2])
        #expect(saro.core.waitingBatches.map(\.number) == [0], "one that came later was not shown")
    }
}
