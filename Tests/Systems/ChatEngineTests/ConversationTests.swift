import ChatClient
import ChatCodec
import ChatConversation
import ChatCrypto
import ChatDeliveryService
import ChatDiscovery
import ChatEngine
import ChatFraming
import ChatInitialization
import ChatModel
import ChatStorage
import TestSupport
import Testing

/// Chat Engine as five choices: the same client and the same backend over every composition, by name.
struct ConversationTests {
    /// The last two are end-to-end encrypted: the conversation is the same.
    static let compositions = [
        "engine-types/engine-session/engine-tree/memory/engine-ndjson",
        "engine-types/engine-session/engine-tree/udp/engine-ndjson",
        "links/open-invite/engine-tree/memory/plain",
        "links/inbox-v1/engine-tree;in=private-v1/memory/envelope-v1",
        "links/inbox-v1/engine-tree;in=private-v1/udp/envelope-v1",
    ]

    @Test(.timeLimit(.minutes(30)), arguments: compositions)
    func `a question is answered, asked again and branched, whatever the five choices are`(name: String) async throws {
        let name = try SuiteName(parsing: name)
        let relay = name.delivery == "udp" ? try UDPRelay(listen: "127.0.0.1:0") : nil
        defer { relay?.close() }
        let (memory, catalog) = (InMemoryDeliveryService(), EngineCatalog())
        func client() async throws -> Client {
            var random: any RandomSource = SystemRandom()
            let identity = X25519.generate(using: &random, for: .secret)
            var registry = Registry()
            registry.discovery("engine-types") { _ in EngineTypes(catalog) }
            registry.discovery("links") { _ in IntroLinks() }
            registry.initialization("engine-session") { EngineSession() }
            registry.initialization("open-invite") { OpenInvite() }
            registry.initialization("inbox-v1") { try InboxV1(identity: identity) }
            registry.conversation(EngineTree())
            registry.conversation(EngineTree(inside: PrivateV1.type))
            registry.delivery("memory") { memory }
            registry.delivery("udp") { try await UDPDeliveryService(relay: relay?.address ?? "") }
            registry.framing("engine-ndjson") { EngineFraming() }
            registry.framing("plain") { PlainFraming() }
            registry.framing("envelope-v1") { EnvelopeV1(.reference) }
            return try await Client(try await registry.suite(name), storage: InMemoryStorage(), random: SystemRandom())
        }
        let (saro, raya) = (try await client(), try await client())
        let text = try #require(try await raya.introduce(as: "Quotes").first)
        let backend = Task { try await Self.serve(raya) }
        let (id, _) = try await saro.accept(text, saying: Bytes("Compare the two quotes"))
        let said = try await Self.talk(saro, in: id)
        #expect(said.answers == ["1: Compare the two quotes", "2: ", "3: And the third?"])
        #expect(said.list.map(\.role) == [.user, .assistant, .assistant, .user, .assistant])
        #expect(said.list.map { $0.place?.isActive } == [true, true, false, true, true])
        #expect(said.list[1].variant?.total == 2 && said.list[2].place?.index == 1)
        backend.cancel()
        await saro.close()
        await raya.close()
    }

    /// The backend: says which answer it is, in two pieces, and what it was asked.
    private static func serve(_ client: Client) async throws {
        var count = 0
        for await batch in client.events {
            for case .conversation(let id, .frame(let kind, let bytes, _)) in batch.events {
                let webhook = EngineTreeAction.webhook(in: .frame(kind: kind, bytes: bytes))
                let asked: (MessageID, String)
                switch webhook?.event {
                case .messageNew(let event)?: asked = (event.message, event.draft.content.map(\.content).joined())
                case .messageRecreate(let event)?: asked = (event.message, "")
                default: continue
                }
                count += 1
                let about = Target.received(asked.0.text)
                _ = try await client.perform(.send(Bytes("\(count): "), part: .delta, about: about), in: id)
                let rest = EngineTreeAction.line(.chunk(asked.0, .piece(.text, asked.1)))
                _ = try await client.perform(rest.action, in: id)
                _ = try await client.perform(EngineTreeAction.line(.complete(asked.0, nil)).action, in: id)
            }
        }
    }

    /// The client: wants the first answer again, branches from the first one, and lists all.
    private static func talk(_ client: Client, in id: ConversationID) async throws -> (
        answers: [String], list: [Message]
    ) {
        var answers: [String] = []
        var first: MessageID?
        for await batch in client.events {
            for event in batch.events {
                switch event {
                case .conversation(_, .content(let received)) where received.part == .whole:
                    answers.append(String(decoding: received.content.array, as: UTF8.self))
                    switch answers.count {
                    case 1:
                        first = received.reference.flatMap { MessageID($0) }
                        let again = EngineTreeAction.operation(.recreateMessage, id: first)
                        _ = try await client.perform(again.action, in: id)
                    case 2:
                        let about = Target.received(try #require(first).text)
                        _ = try await client.perform(.send(Bytes("And the third?"), about: about), in: id)
                    default:
                        _ = try await client.perform(EngineTreeAction.operation(.listMessages).action, in: id)
                    }
                case .conversation(_, .frame(let kind, let bytes, _)):
                    guard let frame = EngineTreeAction.answer(in: .frame(kind: kind, bytes: bytes)),
                        case .answer(200, let body) = frame.saying,
                        let list = try? MessageList(body, .strict)
                    else { continue }
                    return (answers, list.messages)
                default: continue
                }
            }
        }
        return (answers, [])
    }

    @Test func `session types are found by id and by name`() async throws {
        let types = EngineTypes(EngineCatalog())
        var session = EngineSession()
        var step = Step(now: .zero, random: SeededRandom(1))
        let ids = try await types.publish(try session.introduce(1, in: &step), as: "Quotes & more")
        #expect(ids == ["gts.hyperspot.chat_engine.session_types.quotes___more.v1~"])
        for text in ids + ["Quotes & more"] {
            var answers = try await types.find(text).makeAsyncIterator()
            #expect(try await answers.next()?.first?.bundles.first?.scheme == EngineSession.scheme)
        }
        await #expect(throws: DiscoveryError.notFound("Chairs")) { try await types.find("Chairs") }
    }
}
