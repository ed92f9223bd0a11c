import ChatStorage
import ChatModel
import TestSupport
import Testing

@testable import ChatClient

/// A toy whose machines tell the application of every signal.
private struct ToyListener: SimpleConversation {
    static let facts = Facts(name: "toy-listener", summary: "tells of signals")
    private var toy: ToyConversation
    /// What waits for a link, if it says so itself.
    private var held: [(id: ContentID, content: Content)] = []

    init(_ seed: ConversationSeed, in step: inout Step) throws(Refusal) { toy = try ToyConversation(seed, in: &step) }
    init(restoring records: [Record]) throws(Refusal) { toy = try ToyConversation(restoring: records) }

    var id: ConversationID { toy.id }
    var listening: [Listening] { toy.listening }
    func takeChanges() -> [Record] { toy.takeChanges() }

    mutating func perform(_ action: Action, as id: ContentID, in step: inout Step) throws(Refusal) {
        switch action {
        // Whoever is added gets a word.
        case .add(let seeds): for seed in seeds { step.open(Bytes(toy.name + [1]), to: seed.contact) }
        case .send(let content, _, _) where content == Bytes("wait"): held.append((id, content))
        case .cancel(.own(let content)):
            held.removeAll { $0.id == content }
            step.report(.status(content, .cancelled))
        default: try toy.perform(action, as: id, in: &step)
        }
    }

    mutating func receive(_ routed: Routed, in step: inout Step) throws(Refusal) { try toy.receive(routed, in: &step) }

    mutating func handle(_ signal: Signal, in step: inout Step) {
        step.report(.frame(kind: "signal", bytes: Bytes("\(signal)")))
        guard case .linkBack = signal else { return }
        for one in held { try? toy.perform(.send(one.content), as: one.id, in: &step) }
        held = []
    }
}

extension CorePeer {
    /// The signals that conversations told of since something was said.
    fileprivate func signals(since count: Int = 0) -> [String] {
        events.dropFirst(count).compactMap {
            guard case .conversation(_, .frame(kind: "signal", let bytes, _)) = $0 else { return nil }
            return String(decoding: bytes.array, as: UTF8.self)
        }
    }
}

/// What happens around a client reaches its machines.
struct SignalTests {
    private func pair() throws -> (saro: CorePeer, raya: CorePeer, id: ConversationID) {
        var saro = try CorePeer("saro", types: [ToyListener.type])
        var raya = try CorePeer("raya", types: [ToyListener.type])
        let id = try saro.begin(with: try raya.introduce(), "toy-listener")
        raya.receive(saro.publish())
        return (saro, raya, id)
    }

    @Test func `a link that is lost and comes back reaches every machine once (CORE-23)`() throws {
        var (saro, raya, _) = try pair()
        _ = try saro.begin(with: try raya.introduce(), "toy-listener")
        let before = saro.events.count
        for notice: Notice in [.interrupted("no"), .interrupted("still no"), .resumed(), .resumed()] {
            saro.core.notice(notice, now: saro.now)
            saro.store()
        }
        #expect(
            saro.signals(since: before) == [
                "linkLost(on: nil)", "linkLost(on: nil)", "linkBack(on: nil)", "linkBack(on: nil)",
            ])
    }

    @Test func `a machine that begins without a link knows it, and so does one that went back (CORE-23)`() throws {
        var (saro, raya, _) = try pair()
        saro.core.notice(.interrupted("no"), now: saro.now)
        saro.store()
        var before = saro.events.count
        _ = try saro.begin(with: try raya.introduce(), "toy-listener")
        #expect(saro.signals(since: before) == ["linkLost(on: nil)"])
        try saro.restart()
        before = saro.events.count
        saro.core.interrupt()
        saro.store()
        #expect(saro.signals(since: before) == ["linkLost(on: nil)", "linkLost(on: nil)"])
    }

    @Test(.timeLimit(.minutes(30)))
    func `a client that goes back after a storage failure still knows that there is no link (CORE-23)`() async throws {
        let (service, storage) = (ToyService(), FailingStorage())
        func client(_ name: String, _ storage: any Storage = InMemoryStorage()) async throws -> Client {
            let suite = try ChatSuite(
                discovery: ToyDiscovery(), initialization: ToyInitialization(name),
                conversations: [ToyListener.type], delivery: service, framing: ToyFraming())
            return try await Client(suite, storage: storage)
        }
        let (saro, raya) = (try await client("saro", storage), try await client("raya"))
        let (id, _) = try await saro.accept(try await raya.introduce()[0], saying: Bytes("hello"))
        #expect(await saro.flush(within: .seconds(600)))
        try await saro.step { core, now in core.notice(.interrupted("no link"), now: now) }
        storage.fail(true)
        await #expect(throws: ClientError.self) { try await saro.send(Bytes("wait"), in: id) }
        storage.fail(false)
        try await saro.send(Bytes("wait"), in: id)
        #expect(await saro.waiting.payloads == 1, "it waits for the link")
        await saro.close()
        await raya.close()
    }

    @Test func `what a machine keeps without a link waits until it leaves or is taken back (CORE-23)`() throws {
        var (saro, _, id) = try pair()
        saro.core.notice(.interrupted("no"), now: saro.now)
        let contents = try (0..<3).map { _ in try saro.core.send(Bytes("wait"), in: id, now: saro.now) }
        #expect(saro.core.waiting == (3, 12))
        _ = try saro.core.perform(.cancel(.own(contents[1])), in: id, now: saro.now)
        #expect(saro.core.waiting == (2, 8), "one was taken back")
        saro.core.notice(.resumed(), now: saro.now)
        saro.store()
        #expect(saro.core.waiting.payloads == 2, "they wait for the service now, each once")
        #expect(saro.publish().count == 2 && saro.core.waiting == (0, 0))
    }

    @Test func `what waits for a link counts for the limits (CORE-10, CORE-23)`() throws {
        var limits = CoreLimits()
        limits.outboxPayloads = 2
        var saro = try CorePeer("saro", types: [ToyListener.type], limits: limits)
        var raya = try CorePeer("raya", types: [ToyListener.type])
        let id = try saro.begin(with: try raya.introduce(), "toy-listener")
        _ = saro.publish()
        saro.core.notice(.interrupted("no"), now: saro.now)
        for _ in 0..<2 { _ = try saro.core.send(Bytes("wait"), in: id, now: saro.now) }
        #expect(throws: Refusal.self) { try saro.core.send(Bytes("wait"), in: id, now: saro.now) }
    }

    @Test func `what the service takes or refuses for good reaches the machine, with content and reason`() throws {
        var (saro, _, id) = try pair()
        for error in [DeliveryError.rejected("no"), .tooLarge(bytes: 9, limit: 8), .badAddress("a", reason: "b")] {
            let before = saro.events.count
            let content = try saro.core.send(Bytes("word"), in: id, now: saro.now)
            saro.store()
            let payloads = saro.core.takeOutbox(now: saro.now)
            saro.core.settle(payloads, payloads.map { _ in .failure(error) }, now: saro.now)
            saro.store()
            #expect(saro.signals(since: before) == ["\(Signal.refused(content, error))"])
            #expect(saro.events.contains(.conversation(id, .status(content, .failed(error.description)))))
        }
        let before = saro.events.count
        let content = try saro.core.send(Bytes("word"), in: id, now: saro.now)
        _ = saro.publish()
        #expect(saro.signals(since: before) == ["\(Signal.published(content))"])
    }

    @Test func `a start, a restart and the end of a contact reach the machine`() throws {
        var (saro, raya, _) = try pair()
        #expect(saro.signals() == ["published(1)"])
        let before = saro.events.count
        try saro.restart()
        #expect(saro.signals(since: before) == ["restored"])
        let known = try #require(raya.core.conversations.first)
        try raya.send("hello", in: known.id)
        saro.receive(raya.publish())
        #expect(saro.contents == ["hello"])
    }

    @Test func `a bundle that is good once invites one member, and begins nothing beside it (CORE-21)`() throws {
        var (saro, raya, id) = try pair()
        let (first, second) = (try raya.introduce(), try raya.introduce())
        #expect(throws: Refusal(.unable, ClientCause.usedBundle(id)), "twice in one invitation") {
            try saro.core.add([first, first], to: id, now: saro.now)
        }
        try saro.core.add([first], to: id, now: saro.now)
        saro.store()
        for restarts in [false, true] {
            if restarts { try saro.restart() }
            #expect(throws: Refusal(.unable, ClientCause.usedBundle(id))) {
                try saro.core.add([first], to: id, now: saro.now)
            }
            #expect(throws: Refusal(.unable, ClientCause.usedBundle(id))) {
                try saro.core.begin("toy-listener", with: first, saying: Bytes("again"), now: saro.now)
            }
        }
        try saro.core.add([second], to: id, now: saro.now)
        try saro.core.forget(id, now: saro.now)
        saro.store()
        _ = try saro.begin(with: first, "toy-listener")
    }

    @Test func `who begins a conversation with a bundle cannot invite with it (CORE-21)`() throws {
        var (saro, raya, id) = try pair()
        let bundle = try raya.introduce()
        let other = try saro.begin(with: bundle, "toy-listener")
        #expect(throws: Refusal(.unable, ClientCause.usedBundle(other))) {
            try saro.core.add([bundle], to: id, now: saro.now)
        }
    }
}
