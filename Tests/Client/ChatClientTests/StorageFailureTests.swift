import ChatClient
import ChatConversation
import ChatDeliveryService
import ChatDiscovery
import ChatFraming
import ChatInitialization
import ChatModel
import ChatReliability
import Testing
import ChatStorage

/// Storage that fails when it is told to.
final class FailingStorage: Storage {
    private let inner = InMemoryStorage()
    private let isFull = Lock(false)
    private let attempts = Lock(0)

    /// How many commits were refused.
    var refused: Int { attempts.withLock { $0 } }

    func fail(_ full: Bool) { isFull.withLock { $0 = full } }

    func load() throws(StorageError) -> [Record] { try inner.load() }

    func commit(_ changes: [Record]) throws(StorageError) {
        guard !isFull.withLock({ $0 }) else {
            attempts.withLock { $0 += 1 }
            throw .full(path: "journal", bytes: 100)
        }
        try inner.commit(changes)
    }
}

@Test(.timeLimit(.minutes(30)))
func `a full disk refuses with a typed error, nothing leaves, and all goes on once there is room`() async throws {
    let pair = Pair()
    let storage = FailingStorage()
    let (saro, raya) = (try await pair.client("saro", storage: storage), try await pair.client("raya"))
    let text = try #require(try await raya.introduce().first)
    let (id, _) = try await saro.accept(text, saying: Bytes("hello"))
    #expect(await contents(1, of: raya) == ["hello"])
    #expect(await saro.flush(within: .seconds(600)))
    storage.fail(true)
    await #expect(throws: ClientError.storage(.full(path: "journal", bytes: 100))) {
        try await saro.send(Bytes("lost?"), in: id)
    }
    #expect(await saro.waiting.payloads == 0, "the step did not happen")
    storage.fail(false)
    try await saro.send(Bytes("one"), in: id)
    // Strict order: a number used twice would have been refused.
    #expect(await contents(2, of: raya) == ["hello", "one"])
    await saro.close()
    await raya.close()
}

@Test(.timeLimit(.minutes(30)))
func `what arrives while the disk is full is received once there is room`() async throws {
    let pair = Pair()
    let storage = FailingStorage()
    let (saro, raya) = (try await pair.client("saro"), try await pair.client("raya", storage: storage))
    let text = try #require(try await raya.introduce().first)
    storage.fail(true)
    let (id, _) = try await saro.accept(text, saying: Bytes("hello"))
    try await saro.send(Bytes("one"), in: id)
    var events = raya.events.makeAsyncIterator()
    let trouble = await events.next()
    #expect(trouble?.number == 0)
    guard case .storageTrouble = trouble?.events.first else {
        Issue.record("expected news of the storage, got \(String(describing: trouble))")
        return
    }
    storage.fail(false)
    #expect(await contents(2, of: raya) == ["hello", "one"])
    await saro.close()
    await raya.close()
}

@Test(.timeLimit(.minutes(30)))
func `while the disk is full nothing that was dealt with is shown again, and nothing spins (CORE-12, CORE-18)`()
    async throws
{
    let pair = Pair()
    let storage = FailingStorage()
    let (saro, raya) = (try await pair.client("saro"), try await pair.client("raya", storage: storage))
    let text = try #require(try await raya.introduce().first)
    let shown = Lock<[UInt64: Int]>([:])
    let heard = Lock<[String]>([])
    let reader = Task {
        for await batch in raya.events {
            shown.withLock { $0[batch.number, default: 0] += 1 }
            for case .conversation(_, .content(let received)) in batch.events {
                heard.withLock { $0.append(String(decoding: received.content.array, as: UTF8.self)) }
                // What is dealt with from here on cannot be noted.
                storage.fail(true)
            }
        }
    }
    let (id, _) = try await saro.accept(text, saying: Bytes("hello"))
    while heard.withLock({ $0.isEmpty }) { try await Task.sleep(for: .milliseconds(5)) }
    try await saro.send(Bytes("one"), in: id)
    try await Task.sleep(for: .seconds(2))
    #expect(shown.withLock { $0.filter { $0.key > 0 && $0.value > 1 } } == [:])
    #expect(shown.withLock { $0[0] ?? 0 } < 5, "troubles are told as often as something is tried")
    storage.fail(false)
    while heard.withLock({ $0.count < 2 }) { try await Task.sleep(for: .milliseconds(5)) }
    #expect(heard.withLock { $0 } == ["hello", "one"])
    await saro.close()
    await raya.close()
    await reader.value
}

/// A service that counts what is published through it.
private final class CountingService: DeliveryService {
    let facts: Facts
    let limits: DeliveryLimits
    let published = Lock(0)
    private let inner: InMemoryDeliveryService

    init(_ inner: InMemoryDeliveryService) {
        (self.inner, facts, limits) = (inner, inner.facts, inner.limits)
    }

    func publish(_ payloads: [Addressed]) async -> [Result<Receipt, DeliveryError>] {
        published.withLock { $0 += payloads.count }
        return await inner.publish(payloads)
    }

    func subscribe(_ addresses: [DeliveryAddress: Since], into mailbox: Mailbox) async throws(DeliveryError) {
        try await inner.subscribe(addresses, into: mailbox)
    }

    func unsubscribe(_ addresses: [DeliveryAddress], from mailbox: Mailbox) async {
        await inner.unsubscribe(addresses, from: mailbox)
    }
}

@Test(.timeLimit(.minutes(30)))
func `what restoring asks for after a commit failed leaves only once it is stored (CORE-3, CORE-4)`() async throws {
    let (memory, storage) = (InMemoryDeliveryService(), FailingStorage())
    let service = CountingService(memory)
    func client(_ delivery: any DeliveryService, _ storage: any Storage) async throws -> Client {
        let suite = try ChatSuite(
            discovery: IntroLinks(), initialization: OpenInvite(), conversations: [Reliable<PlainConversation>.type],
            delivery: delivery, framing: EnvelopeV1())
        return try await Client(suite, storage: storage)
    }
    let (saro, raya) = (try await client(memory, InMemoryStorage()), try await client(service, storage))
    let text = try #require(try await raya.introduce().first)
    let (id, _) = try await saro.accept(text, saying: Bytes("hello"))
    let heard = Lock<[String]>([])
    let reader = Task {
        for await batch in raya.events {
            for case .conversation(_, .content(let received)) in batch.events {
                heard.withLock { $0.append(String(decoding: received.content.array, as: UTF8.self)) }
            }
        }
    }
    while heard.withLock({ $0.isEmpty }) { try await Task.sleep(for: .milliseconds(5)) }
    storage.fail(true)
    let before = service.published.withLock { $0 }
    for number in 1...20 { try await saro.send(Bytes("\(number)"), in: id) }
    try await Task.sleep(for: .seconds(3))
    #expect(service.published.withLock { $0 } - before < 10)
    #expect(storage.refused < 150, "tried again after pauses")
    storage.fail(false)
    while heard.withLock({ $0.count < 21 }) { try await Task.sleep(for: .milliseconds(5)) }
    #expect(heard.withLock { $0 } == ["hello"] + (1...20).map(String.init))
    await saro.close()
    await raya.close()
    await reader.value
}
