import ChatClient
import ChatDeliveryService
import ChatDiscovery
import ChatFraming
import ChatInitialization
import ChatModel
import TestSupport
import Testing
import ChatStorage

/// Replies that stream at an address of their own and end, headers, and the order of an address (DS-16 to DS-18).
@Suite struct ReplyTests {
    private func client(_ memory: InMemoryDeliveryService, _ storage: InMemoryStorage) async throws -> Client {
        let suite = try ChatSuite(
            discovery: IntroLinks(), initialization: OpenInvite(),
            conversations: [ToyQuestions.type, ToyHall.type], delivery: memory, framing: PlainFraming())
        return try await Client(suite, storage: storage)
    }

    /// Reads one client's events, each once.
    private final class Reader {
        private var iterator: Client.Events.Iterator
        private var waiting: ArraySlice<ChatClient.ClientEvent> = []

        init(_ client: Client) { iterator = client.events.makeAsyncIterator() }

        /// The first event of a conversation that a condition picks.
        func next<Value>(_ pick: (ConversationID, Event) -> Value?) async throws -> Value {
            while true {
                while let event = waiting.popFirst() {
                    if case .conversation(let id, let event) = event, let value = pick(id, event) { return value }
                }
                waiting = try #require(await iterator.next()).events[...]
            }
        }

        func content() async throws -> (ConversationID, ReceivedContent) {
            try await next { id, event in if case .content(let received) = event { (id, received) } else { nil } }
        }
    }

    /// Saro has greeted Raya and asked a question, which Raya has read.
    private func asked() async throws -> (
        clients: [Client], readers: [Reader], own: ConversationID, content: ContentID, id: ConversationID,
        question: String
    ) {
        let memory = InMemoryDeliveryService()
        let clients = [try await client(memory, InMemoryStorage()), try await client(memory, InMemoryStorage())]
        let readers = clients.map { Reader($0) }
        let link = try #require(try await clients[1].introduce().first)
        let (own, _) = try await clients[0].accept(link, saying: Bytes("Good morning"))
        let (id, _) = try await readers[1].content()
        let content = try await clients[0].send(Bytes("When is tea?"), in: own)
        let question = try #require(try await readers[1].content().1.reference)
        return (clients, readers, own, content, id, question)
    }

    @Test(.timeLimit(.minutes(30)), arguments: [Ending.complete, .cancelled, .failed("out of paper")])
    func `a reply streams, and who asked learns how it ended, behind its last part (DS-17)`(ending: Ending) async throws
    {
        let (clients, readers, _, _, id, question) = try await asked()
        let reply = try await clients[1].send(Bytes("At "), .delta, about: .received(question), in: id)
        try await clients[1].send(Bytes("At four."), .cut(ending), of: reply, about: .received(question), in: id)
        #expect(try await readers[0].content().1.part == .delta)
        // The toy shows the last part once it knows that nothing follows.
        #expect(try await readers[0].content().1.part == .cut(ending))
        for client in clients { await client.close() }
    }

    @Test(.timeLimit(.minutes(30))) func `who serves learns that nobody listens any more (DS-17)`() async throws {
        let (clients, readers, own, content, id, question) = try await asked()
        let reply = try await clients[1].send(Bytes("At "), .delta, about: .received(question), in: id)
        _ = try await readers[0].content()
        _ = try await clients[0].perform(.cancel(.own(content)), in: own)
        let target = try await readers[1].next { _, event in
            if case .cancelled(let target) = event { target } else { Target?.none }
        }
        #expect(target == .own(reply))
        await #expect(throws: ClientError.self) {
            try await clients[1].send(Bytes("four"), .delta, of: reply, about: .received(question), in: id)
        }
        for client in clients { await client.close() }
    }

    @Test func `a question does not leave before its reply can be heard (DS-17)`() throws {
        var saro = try CorePeer("saro", types: [ToyQuestions.type], offers: [.replies])
        var raya = try CorePeer("raya", types: [ToyQuestions.type], offers: [.replies])
        let id = try saro.begin(with: try raya.introduce(), "toy-questions")
        raya.receive(saro.publish())
        try saro.send("And supper?", in: id)
        #expect(saro.core.takeOutbox(now: saro.now).isEmpty && saro.core.waiting.payloads == 1)
        saro.core.subscribed(Set(saro.core.wanted.keys))
        #expect(saro.core.takeOutbox(now: saro.now).count == 1)
    }

    @Test func `who still listens after an ending is subscribed anew (REPLY-6)`() throws {
        var saro = try CorePeer("saro", types: [ToyQuestions.type], offers: [.replies])
        var raya = try CorePeer("raya", types: [ToyQuestions.type], offers: [.replies])
        let id = try saro.begin(with: try raya.introduce(), "toy-questions")
        try saro.send("And supper?", in: id)
        let (begun, _) = saro.core.takeSubscriptions()
        let reply = try #require(begun.keys.first { $0.text.hasPrefix("answers-") })
        // Anybody can say that an address has ended; the inbox is wanted nevertheless, the answer is not.
        for address in ["inbox", reply] as [DeliveryAddress] {
            saro.core.notice(.ended(address, .complete), now: saro.now)
        }
        #expect(Set(saro.core.takeSubscriptions().begun.keys) == ["inbox"])
    }

    @Test func `a reply that ended makes room for the next one (REPLY-3)`() throws {
        var limits = CoreLimits()
        limits.replies = 1
        var saro = try CorePeer("saro", types: [ToyQuestions.type], offers: [.replies])
        var raya = try CorePeer("raya", types: [ToyQuestions.type], limits: limits, offers: [.replies])
        let id = try saro.begin(with: try raya.introduce(), "toy-questions")
        saro.core.subscribed(Set(saro.core.wanted.keys))
        raya.receive(saro.publish())
        let serve = try #require(raya.core.conversations.first?.id)
        for question in ["2", "3"] {
            try saro.send("question \(question)", in: id)
            saro.core.subscribed(Set(saro.core.wanted.keys))
            let asked = saro.publish()
            raya.receive(asked)
            let part: Part = question == "2" ? .whole : .delta
            _ = try raya.core.perform(
                .send(Bytes("no"), part: part, about: .received(question)), in: serve, now: raya.now)
            raya.store()
            guard question == "3" else { continue }
            raya.core.notice(.ended(try #require(asked.first?.replyAddress), .cancelled), now: raya.now)
            raya.store()
        }
        #expect(raya.events.contains { if case .conversation(serve, .cancelled) = $0 { true } else { false } })
    }

    @Test func `over a service without replies, the last part is refused by name (DS-17)`() throws {
        var saro = try CorePeer("saro", types: [ToyQuestions.type])
        var raya = try CorePeer("raya", types: [ToyQuestions.type])
        let id = try saro.begin(with: try raya.introduce(), "toy-questions")
        raya.receive(saro.publish())
        try saro.send("And supper?", in: id)
        raya.receive(saro.publish())
        let serve = try #require(raya.core.conversations.first?.id)
        let content = try raya.core.perform(.send(Bytes("no"), about: .received("2")), in: serve, now: raya.now)
        raya.store()
        let reasons = raya.events.compactMap { event -> String? in
            if case .conversation(serve, .status(content, .failed(let reason))) = event { reason } else { nil }
        }
        #expect(reasons.count == 1 && reasons[0].contains("offers no replies"))
    }

    @Test(.timeLimit(.minutes(30)))
    func `members of a hall see one order, their own payloads in it, over a restart (DS-16)`() async throws {
        let memory = InMemoryDeliveryService()
        let storages = (0..<2).map { _ in InMemoryStorage() }
        var clients = [try await client(memory, storages[0]), try await client(memory, storages[1])]
        var readers = clients.map { Reader($0) }
        let link = try #require(try await clients[1].introduce().first)
        let (id, _) = try await clients[0].accept(link, as: "toy-hall", saying: Bytes("0"))
        let (other, _) = try await readers[1].content()
        var logs = [[String]](repeating: [], count: 2)
        for round in 0..<2 {
            let (saro, raya) = (clients[0], clients[1])
            async let first: Void = say(round, by: 0, saro, in: id)
            async let second: Void = say(round, by: 1, raya, in: other)
            _ = try await (first, second)
            for side in 0..<2 {
                let wanted = logs[side].count + 20
                while logs[side].count < wanted {
                    let text = String(decoding: try await readers[side].content().1.content.array, as: UTF8.self)
                    // What was not confirmed before the restart is shown again.
                    if text != "0", !logs[side].contains(text) { logs[side].append(text) }
                }
            }
            #expect(logs[0] == logs[1])
            guard round == 0 else { break }
            for side in 0..<2 {
                await clients[side].close()
                clients[side] = try await client(memory, storages[side])
            }
            readers = clients.map { Reader($0) }
        }
        for client in clients { await client.close() }
    }

    private func say(_ round: Int, by side: Int, _ client: Client, in id: ConversationID) async throws {
        for number in 0..<10 { try await client.send(Bytes("\(round) \(side) \(number)"), in: id) }
    }
}
