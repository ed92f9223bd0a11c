import AgentChat
import ChatClient
import ChatCodec
import ChatConformance
import ChatConversation
import ChatCrypto
import ChatDeliveryService
import ChatDiscovery
import ChatFraming
import ChatInitialization
import ChatModel
import ChatStorage
import PacketStream
import TestSupport
import Testing

/// The chat of the packet contract, and its framing, as two of five choices.
struct ChatTests {
    /// The fourth is end-to-end encrypted, in opaque packets; the last talks agent chat in chat messages.
    static let compositions = [
        "links/open-invite/packet-chat/memory/packet-v1", "links/open-invite/packet-chat/udp/packet-v1",
        "links/inbox-v1/packet-chat/udp/envelope-v1", "links/inbox-v1/private-v1-libchat/udp/packet-v1",
        "links/open-invite/agent-chat;in=packet-chat/memory/packet-v1",
        "links/packet-handshake/packet-chat/udp/packet-v1",
        "links/packet-handshake/private-v1-libchat/memory/packet-v1",
    ]

    @Test(.timeLimit(.minutes(30)), arguments: compositions)
    func `Saro and Raya talk, whatever the five choices are (PS-11, PS-12)`(name: String) async throws {
        let name = try SuiteName(parsing: name)
        let relay = name.delivery == "udp" ? try UDPRelay(listen: "127.0.0.1:0") : nil
        defer { relay?.close() }
        let memory = InMemoryDeliveryService()
        func client() async throws -> Client {
            var random: any RandomSource = SystemRandom()
            let identity = X25519.generate(using: &random, for: .secret)
            var registry = Registry()
            registry.discovery("links") { _ in IntroLinks() }
            registry.initialization("open-invite") { OpenInvite() }
            registry.initialization("packet-handshake") { PacketReady(capabilities: ["text": "utf-8"]) }
            registry.initialization("inbox-v1") { try InboxV1(identity: identity) }
            registry.conversation(PacketChat())
            registry.conversation(PrivateV1.Libchat.type)
            registry.conversation(AgentChat(inside: PacketChat()))
            registry.delivery("memory") { memory }
            registry.delivery("udp") { try await UDPDeliveryService(relay: relay?.address ?? "") }
            registry.framing("packet-v1") { PacketFraming() }
            registry.framing("envelope-v1") { EnvelopeV1(.reference) }
            return try await Client(try await registry.suite(name), storage: InMemoryStorage(), random: SystemRandom())
        }
        let (saro, raya) = (try await client(), try await client())
        let text = try #require(try await raya.introduce(as: "Raya").first)
        try await withThrowingTaskGroup { group in
            group.addTask { try await Self.answer(raya) }
            let (id, _) = try await saro.accept(text, saying: Bytes("The sun was shining on the sea"))
            #expect(try await Self.heard(saro, in: id) == "Shining with all his might")
            group.cancelAll()
        }
        await saro.close()
        await raya.close()
    }

    private static func answer(_ client: Client) async throws {
        for await batch in client.events {
            for event in batch.events {
                switch event {
                case .conversation(let id, .content):
                    _ = try await client.send(Bytes("Shining with all his might"), in: id)
                case .conversation(let id, .frame(let kind, let bytes, _)):
                    guard case .submitted? = AgentChatEvent(.frame(kind: kind, bytes: bytes)) else { continue }
                    _ = try await client.send(Bytes("Shining with all his might"), in: id)
                default: continue
                }
            }
        }
    }

    private static func heard(_ client: Client, in id: ConversationID) async throws -> String {
        for await batch in client.events {
            for event in batch.events {
                switch event {
                case .conversation(id, .content(let received)):
                    return String(decoding: received.content.array, as: UTF8.self)
                case .conversation(id, .frame(let kind, let bytes, _)):
                    switch AgentChatEvent(.frame(kind: kind, bytes: bytes)) {
                    case .whole(let message)?: return message.text
                    // After a delay the client begins anew, and what came meanwhile is in the history.
                    case .history(let messages)?:
                        if let answer = messages.last, answer.role == .assistant { return answer.text }
                    default: continue
                    }
                default: continue
                }
            }
        }
        return ""
    }

    @Test(arguments: PacketMode.allCases)
    func `the framing keeps the rules of framings (PS-12)`(mode: PacketMode) {
        let report = Conformance.check(framing: { PacketFraming(mode) })
        #expect(report.isPassed, "\(report)")
    }

    @Test(arguments: [[:], ["audio": "opus"]] as [Metadata])
    func `the handshake keeps the rules of initializations (PS-13)`(capabilities: Metadata) {
        let report = Conformance.check(initialization: { _ in PacketReady(capabilities: capabilities) })
        #expect(report.isPassed, "\(report)")
    }

    @Test(arguments: [false, true])
    func `the chat keeps the rules of conversations (PS-11)`(byApplication: Bool) {
        let report = Conformance.check(conversation: PacketChat(doneByApplication: byApplication), idBits: 128)
        #expect(report.isPassed, "\(report)")
    }

    @Test func `a hub cannot change a byte of an encrypted payload unnoticed (D5, PS-12)`() throws {
        var random: any RandomSource = SeededRandom(4)
        let key = random.secret(32, for: .secret)
        let (cipher, nonce) = (AEAD.chaChaPoly, [UInt8](repeating: 1, count: 12))
        let sealed = try cipher.seal(Bytes("Raya hears this"), nonce: nonce, key: key)
        var framing = PacketFraming()
        let owner = Owner.conversation(ConversationID("01"))
        framing.listen([Listening("a", Route("r"))], for: owner)
        let framed = try framing.wrap(Routed("a", Route("r"), payload: sealed), of: owner, random: &random)
        // What a hub reads and writes again comes out as it was.
        let relayed = try WirePacket(decoding: framed.payload, as: .dataPacket).encoded(as: .dataPacket)
        #expect(relayed == framed.payload)
        var opened = 0
        for index in 0..<framed.payload.count {
            var changed = framed.payload.array
            changed[index] ^= 1
            guard case .payload(let routed, _)? = try? framing.unwrap(Addressed("a", payload: Bytes(changed))),
                let plain = try? cipher.open(routed.payload, nonce: nonce, key: key)
            else { continue }
            // Only bytes around the payload were changed: numbers and names of the packet, which say nothing of it.
            opened += 1
            #expect(plain == Bytes("Raya hears this"))
        }
        #expect(opened < framed.payload.count - sealed.count)
    }
}
