import AgentChat
import ChatClient
import ChatCodec
import ChatConversation
import ChatCrypto
import ChatDeliveryService
import ChatDiscovery
import ChatFraming
import ChatInitialization
import ChatModel
import ChatStorage
import TestSupport
import Testing

/// Agent chat as five choices: the same person and the same agent over every composition, by name.
struct ConversationTests {
    /// The last is end-to-end encrypted: the conversation is the same, and four names differ from the second.
    static let compositions = [
        "agent-chats/agent-ready/agent-chat/memory/agent-json", "agent-chats/agent-ready/agent-chat/udp/agent-json",
        "links/open-invite/agent-chat/udp/plain", "links/inbox-v1/agent-chat;in=private-v1/memory/envelope-v1",
        "links/inbox-v1/agent-chat;in=private-v1/udp/envelope-v1",
    ]

    @Test(.timeLimit(.minutes(30)), arguments: compositions)
    func `a table is booked with an approval, whatever the five choices are`(name: String) async throws {
        let name = try SuiteName(parsing: name)
        let relay = name.delivery == "udp" ? try UDPRelay(listen: "127.0.0.1:0") : nil
        defer { relay?.close() }
        let (memory, account) = (InMemoryDeliveryService(), InMemoryAccount("raya"))
        func client() async throws -> Client {
            var random: any RandomSource = SystemRandom()
            let identity = X25519.generate(using: &random, for: .secret)
            var registry = Registry()
            registry.discovery("agent-chats") { _ in AgentChats(account) }
            registry.discovery("links") { _ in IntroLinks() }
            registry.initialization("agent-ready") { AgentReady() }
            registry.initialization("open-invite") { OpenInvite() }
            registry.initialization("inbox-v1") { try InboxV1(identity: identity) }
            registry.conversation(AgentChat())
            registry.conversation(AgentChat(inside: PrivateV1.type))
            registry.delivery("memory") { memory }
            registry.delivery("udp") { try await UDPDeliveryService(relay: relay?.address ?? "") }
            registry.framing("agent-json") { AgentFraming() }
            registry.framing("plain") { PlainFraming() }
            registry.framing("envelope-v1") { EnvelopeV1(.reference) }
            return try await Client(try await registry.suite(name), storage: InMemoryStorage(), random: SystemRandom())
        }
        let (person, service) = (try await client(), try await client())
        let text = try #require(try await service.introduce(as: "Tables").first)
        let agent = Task { try await Self.serve(service) }
        let (id, _) = try await person.accept(text, saying: Bytes("Book a table for two"))
        #expect(try await Self.talk(person, in: id) == "LookingTable 7 is yours.")
        agent.cancel()
        await person.close()
        await service.close()
    }

    /// The agent: it looks, asks for approval, and books.
    private static func serve(_ client: Client) async throws {
        for await batch in client.events {
            for case .conversation(let id, .frame(let kind, let bytes, _)) in batch.events {
                guard case .submitted(let message, _, _)? = AgentChatEvent(.frame(kind: kind, bytes: bytes)) else {
                    continue
                }
                func say(_ action: AgentChatAction) async throws { _ = try await client.perform(action.action, in: id) }
                var tool = ToolPart(name: .fixed("book"), callID: "c1", state: .inputAvailable(input: ["seats": 2]))
                let answered = message.parts.compactMap { part -> ToolPart.Approval? in
                    if case .tool(let tool) = part { tool.state.approval } else { nil }
                }
                if let approval = answered.first {
                    tool.state = .outputAvailable(input: ["seats": 2], output: 7, approval, preliminary: nil)
                    try await say(.write(.tool(tool), consolidated: false))
                    _ = try await client.perform(.send(Bytes("Table 7 is yours."), part: .delta), in: id)
                } else {
                    _ = try await client.perform(.send(Bytes("Looking"), part: .delta), in: id)
                    try await say(.write(.tool(tool), consolidated: false))
                    tool.state = .approvalRequested(input: ["seats": 2], id: "p1")
                    try await say(.write(.tool(tool), consolidated: false))
                }
                try await say(.finish)
            }
        }
    }

    /// The person: approves what is asked, and gives the text of the answer.
    ///
    /// What it sees of a message may come whole, so far, or with the history, if it had to begin anew.
    private static func talk(_ client: Client, in id: ConversationID) async throws -> String {
        var approved: Set<Identifier> = []
        for await batch in client.events {
            for case .conversation(_, .frame(let kind, let bytes, _)) in batch.events {
                let messages: [Message] =
                    switch AgentChatEvent(.frame(kind: kind, bytes: bytes)) {
                    case .whole(let message)?, .snapshot(let message)?: [message]
                    case .history(let messages)?: messages
                    default: []
                    }
                for message in messages {
                    for case .tool(let tool) in message.parts {
                        if case .approvalRequested(_, let approval) = tool.state {
                            guard approved.insert(approval).inserted else { continue }
                            _ = try await client.perform(
                                AgentChatAction.approve(approval, true, reason: nil).action, in: id)
                        } else if tool.state.isFinal, message.text.hasSuffix("yours.") {
                            return message.text
                        }
                    }
                }
            }
        }
        return ""
    }

    @Test func `names with the carrier parse back (FW-01)`() throws {
        let type = AgentChat(inside: PrivateV1.type)
        #expect(type.name.name == "agent-chat;in=private-v1")
        #expect(type.name.base == "agent-chat" && type.name.parameters == ["in": "private-v1"])
    }

    @Test func `chats are found by id and by title, the newest first`() async throws {
        let account = InMemoryAccount("raya")
        let chats = AgentChats(account)
        var step = Step(now: .zero, random: SeededRandom(1))
        var ready = AgentReady()
        let bundles = try ready.introduce(2, in: &step)
        let ids = try await chats.publish(bundles, as: "Tables")
        #expect(try await account.whoami() == "raya" && ids.count == 2)
        for id in ids {
            var answers = try await chats.find(id).makeAsyncIterator()
            #expect(
                try await answers.next()?.first?.bundles == [
                    AgentReady.bundle(for: try #require(Identifier(checking: id)))
                ])
        }
        var answers = try await chats.find("Tables").makeAsyncIterator()
        #expect(try await answers.next()?.count == 2)
        await #expect(throws: DiscoveryError.notFound("Chairs")) { try await chats.find("Chairs") }
    }
}
