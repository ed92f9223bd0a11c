import ChatClient
import ChatModel
import Testing
import ChatStorage

/// Saro and Raya over the toys, with a service between them.
struct Pair {
    let service = ToyService()

    func client(_ name: String, storage: any Storage = InMemoryStorage()) async throws -> Client {
        let suite = try ChatSuite(
            discovery: ToyDiscovery(), initialization: ToyInitialization(name), conversations: [ToyConversation.type],
            delivery: service, framing: ToyFraming())
        return try await Client(suite, storage: storage)
    }
}

/// Reads events until a number of contents has come.
func contents(_ count: Int, of client: Client) async -> [String] {
    var found: [String] = []
    var events = client.events.makeAsyncIterator()
    while found.count < count, let batch = await events.next() {
        for case .conversation(_, .content(let received)) in batch.events {
            found.append(String(decoding: received.content.array, as: UTF8.self))
        }
    }
    return found
}

@Test(.timeLimit(.minutes(30)))
func `two clients meet through a text and exchange content both ways (INIT-01, CONV-03)`() async throws {
    let pair = Pair()
    let (saro, raya) = (try await pair.client("saro"), try await pair.client("raya"))
    let text = try #require(try await raya.introduce().first)
    let (id, _) = try await saro.accept(text, saying: Bytes("hello"))
    for word in ["one", "two", "three"] { try await saro.send(Bytes(word), in: id) }
    #expect(await contents(4, of: raya) == ["hello", "one", "two", "three"])
    let back = try #require(await raya.conversations.first)
    #expect(back.role == .responder)
    try await raya.send(Bytes("hi"), in: back.id)
    #expect(await contents(1, of: saro) == ["hi"])
    await saro.close()
    await raya.close()
}

@Test(.timeLimit(.minutes(30)))
func `a reader whose task is cancelled gets nothing, and the next one gets everything (CORE-12)`() async throws {
    let pair = Pair()
    let (saro, raya) = (try await pair.client("saro"), try await pair.client("raya"))
    let before = Task { await contents(1, of: raya) }
    try await Task.sleep(for: .milliseconds(50))
    before.cancel()
    #expect(await before.value.isEmpty)
    let at = Task {
        unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
        return await contents(1, of: raya)
    }
    #expect(await at.value.isEmpty)
    let text = try #require(try await raya.introduce().first)
    _ = try await saro.accept(text, saying: Bytes("hello"))
    #expect(await contents(1, of: raya) == ["hello"])
    await saro.close()
    await raya.close()
}
