import AgentChat
import ChatClient
import ChatCodec
import ChatDeliveryService
import ChatModel
import ChatStorage
import TestSupport
import Testing

/// What is stored, and what comes of it after a restart.
struct RestartTests {
    private let memory = InMemoryDeliveryService()
    private let account = InMemoryAccount("raya")

    private func client(_ storage: any Storage) async throws -> Client {
        let suite = try ChatSuite(
            discovery: AgentChats(account), initialization: AgentReady(), conversations: [AgentChat()],
            delivery: memory, framing: AgentFraming())
        return try await Client(suite, storage: storage)
    }

    /// Reads events of a client one by one, so that none is lost between two questions.
    private struct Heard {
        var events: Client.Events.Iterator
        var rest: [ChatClient.ClientEvent] = []

        init(_ client: Client) { events = client.events.makeAsyncIterator() }

        mutating func first<Found>(_ find: (ChatClient.ClientEvent) -> Found?) async throws -> Found {
            while true {
                while !rest.isEmpty { if let found = find(rest.removeFirst()) { return found } }
                guard let batch = await events.next() else { throw Violation(.ready, "the client ended too early") }
                rest = batch.events
            }
        }
    }

    private func submitted(_ event: ChatClient.ClientEvent) -> ConversationID? {
        guard case .conversation(let id, .frame(let kind, let bytes, _)) = event,
            case .submitted? = AgentChatEvent(.frame(kind: kind, bytes: bytes))
        else { return nil }
        return id
    }

    private func text(_ event: ChatClient.ClientEvent, _ isPart: (Part) -> Bool) -> String? {
        guard case .conversation(_, .content(let received)) = event, isPart(received.part) else { return nil }
        return String(decoding: received.content.array, as: UTF8.self)
    }

    @Test(.timeLimit(.minutes(30)))
    func `after a restart of either side a job goes on, or is told to have ended (AC-37)`() async throws {
        let (persons, services) = (InMemoryStorage(), InMemoryStorage())
        var (person, service) = (try await client(persons), try await client(services))
        let title = try #require(try await service.introduce(as: "Tables").first)
        let (id, _) = try await person.accept(title, saying: Bytes("hello"))
        var (atPerson, atService) = (Heard(person), Heard(service))
        let agents = try await atService.first(submitted)
        _ = try await service.perform(.send(Bytes("Look"), part: .delta), in: agents)
        _ = try await atPerson.first { text($0) { $0 == .delta || $0 == .snapshot } }

        await person.close()
        person = try await client(persons)
        atPerson = Heard(person)
        _ = try await service.perform(.send(Bytes("ing"), part: .delta), in: agents)
        _ = try await service.perform(AgentChatAction.finish.action, in: agents)
        let answer = try await atPerson.first { text($0, \.isLast) }
        #expect(answer == "Looking")

        _ = try await person.send(Bytes("again"), in: id)
        _ = try await atService.first(submitted)
        _ = try await service.perform(.send(Bytes("Half"), part: .delta), in: agents)
        _ = try await atPerson.first { text($0) { $0 == .delta || $0 == .snapshot } }
        await service.close()
        service = try await client(services)
        let cut = try await atPerson.first { event -> String? in
            guard case .conversation(_, .content(let received)) = event, case .cut(.failed) = received.part else {
                return nil
            }
            return String(decoding: received.content.array, as: UTF8.self)
        }
        #expect(cut == "Half")
        await person.close()
        await service.close()
    }

    @Test func `pieces of text store nothing, and what is stored comes back (AC-37)`() throws {
        let type = AgentChat()
        let bundle = AgentReady.bundle(for: "chat_1")
        var step = Step(now: .zero, random: SeededRandom(3))
        var client = try type.begin(
            ConversationSeed(type: type.name, side: .inviting(), bundle: bundle), in: &step)
        let opening = try #require(step.takeOutput().openings.first?.payload)
        var agent = try type.begin(
            ConversationSeed(type: type.name, side: .invited(opening: opening), bundle: bundle), in: &step)
        var stored: [[String: Bytes]] = [[:], [:]]
        func store() {
            for record in client.takeChanges() { stored[0][record.key] = record.bytes }
            for record in agent.takeChanges() { stored[1][record.key] = record.bytes }
        }
        /// Hands what one side sent to the other, until nobody says anything.
        func exchange() throws {
            var sends = step.takeOutput().sends
            while !sends.isEmpty {
                for send in sends {
                    if send.routed.route.id == "agent" {
                        try agent.receive(send.routed, in: &step)
                    } else {
                        try client.receive(send.routed, in: &step)
                    }
                }
                store()
                sends = step.takeOutput().sends
            }
        }
        try exchange()
        try client.perform(.send(Bytes("hello")), as: ContentID(1), in: &step)
        try exchange()
        try agent.perform(.send(Bytes("Look"), part: .delta), as: ContentID(1), in: &step)
        #expect(agent.takeChanges().isEmpty)
        let piece = try #require(step.takeOutput().sends.first?.routed)
        try client.receive(piece, in: &step)
        #expect(client.takeChanges().isEmpty)
        for index in 0...1 {
            _ = try type.restore(stored[index].map { Record($0.key, $0.value) })
        }
        try agent.perform(.send(Bytes(""), part: .cut(.complete)), as: ContentID(1), in: &step)
        try exchange()
        for (index, machine) in [client, agent].enumerated() {
            let records = stored[index].map { Record($0.key, $0.value) }
            let restored = try #require(try type.restore(records) as? AgentChatConversation)
            let original = try #require(machine as? AgentChatConversation)
            #expect(restored.chat.shown == original.chat.shown && restored.id == original.id)
            #expect(restored.listening == original.listening)
            var broken = records
            broken[0] = Record(records[0].key, [9, 9])
            #expect(throws: Refusal.self) { try type.restore(broken) }
            #expect(throws: Refusal.self) { try type.restore([]) }
        }
    }

    @Test func `a framing tells by the direction whose a frame is, and refuses what breaks a rule`() throws {
        var framing = AgentFraming()
        let (client, agent) = (
            Owner.conversation(ConversationID("client")), Owner.conversation(ConversationID("agent"))
        )
        func unwrap(_ text: String) throws(Refusal) -> Unwrapped {
            try framing.unwrap(Addressed("chat_1", payload: Bytes(text)))
        }
        framing.listen([Listening("chat_1", Route("client"))], for: client)
        framing.listen([Listening("chat_1", Route("agent"))], for: agent)
        func owner(_ text: String) throws -> Owner? {
            if case .payload(_, for: let owner) = try unwrap(text) { owner } else { nil }
        }
        #expect(try owner(#"{"type":"done"}"#) == client)
        #expect(try owner(#"{"type":"get_chat","data":{"id":"chat_1"}}"#) == agent)
        #expect(try owner("{}") == agent)
        for bad in ["", "[]", #"{"type":"done","job_id":7}"#, "nonsense"] {
            let refusal = #expect(throws: Refusal.self) { try unwrap(bad) }
            #expect(refusal?.outcome == .invalid && refusal?.cause is Violation)
        }
        // One's own server message comes back from a service that echoes.
        framing.listen([], for: client)
        #expect(try unwrap(#"{"type":"done"}"#) == .foreign)
    }
}
