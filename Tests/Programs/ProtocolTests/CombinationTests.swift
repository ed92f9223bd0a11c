import ChatClient
import ChatCrypto
import ChatDeliveryService
import ChatModel
import ChatVariants
import TestSupport
import Testing
import ChatStorage

/// Every composition of the package's components, by name.
private let combinations: [SuiteName] = {
    var all: [SuiteName] = []
    for discovery in ["links", "directory"] {
        for initialization in ["inbox-v1", "inbox-v1-libchat", "open-invite"] {
            for conversation in ["private-v1", "private-v1-libchat", "plain"] {
                for delivery in ["memory", "udp"] {
                    for framing in ["envelope-v1", "envelope-v1-libchat", "plain", "rpi-v1"] {
                        all.append(
                            SuiteName(
                                discovery: discovery, initialization: initialization, conversations: [conversation],
                                delivery: delivery, framing: framing))
                    }
                }
            }
        }
    }
    return all
}()

@Test(.timeLimit(.minutes(30)), arguments: combinations)
func `any of the five can be swapped with the others unchanged (FW-01, FW-02)`(name: SuiteName) async throws {
    let relay = name.delivery == "udp" ? try UDPRelay(listen: "127.0.0.1:0") : nil
    defer { relay?.close() }
    let memory = InMemoryDeliveryService()
    func client(_ storage: any Storage) async throws -> Client {
        var random: any RandomSource = SystemRandom()
        let identity = X25519.generate(using: &random, for: .secret)
        let variants = Variants(identity: identity, memory: memory, relay: relay?.address ?? "127.0.0.1:9")
        return try await Client(try await variants.registry.suite(name), storage: storage, random: SystemRandom())
    }
    let (saro, raya) = (try await client(InMemoryStorage()), try await client(InMemoryStorage()))
    let text = try #require(try await raya.introduce(as: "raya").first)
    let (id, _) = try await saro.accept(text, saying: Bytes("hello"))
    for word in ["one", "two", "three"] { try await saro.send(Bytes(word), in: id) }

    var rayasEvents = raya.events.makeAsyncIterator()
    var heard: [String] = []
    while heard.count < 4, let batch = await rayasEvents.next() { heard += batch.contents }
    #expect(heard.sorted() == ["hello", "one", "three", "two"])

    let back = try #require(await raya.conversations.first)
    for word in ["four", "five"] { try await raya.send(Bytes(word), in: back.id) }
    var sarosEvents = saro.events.makeAsyncIterator()
    var answered: [String] = []
    while answered.count < 2, let batch = await sarosEvents.next() { answered += batch.contents }
    #expect(answered.sorted() == ["five", "four"])
    #expect(await saro.flush(within: .seconds(600)))
    await saro.close()
    await raya.close()
}

extension EventBatch {
    /// The contents of a batch, as text.
    var contents: [String] {
        events.compactMap {
            guard case .conversation(_, .content(let received)) = $0 else { return nil }
            return String(decoding: received.content.array, as: UTF8.self)
        }
    }
}
