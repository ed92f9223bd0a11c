import AgentChat
import AgentChatServer
import AgentChatTalk
import ChatClient
import ChatCodec
import ChatModel
import ChatStorage
import Testing

/// The client of the framework against the service, over sockets of the loopback.
struct TalkTests {
    private static let script = """
        {"turns": [
          {"match": "long", "steps": [{"repeat": 2000, "steps": [{"text": "on ", "pause_ms": 2}]}],
           "injected": [{"text": "noted {injected}"}]},
          {"steps": [
            {"ask": [{"id": "when", "text": "When?", "options": [{"id": "fri", "label": "Friday"}]}]},
            {"tool": {"name": "book", "approval": true, "input": {"when": "{answer.when}"}, "output": 7, "pause_ms": 1}},
            {"text": "Booked for {input.when}", "pause_ms": 0}]}]}
        """

    private func service(_ house: House, port: Int = 0, token: Secret? = nil) async throws -> Server {
        try await Server.bind(house, port: port, gate: Gate(token: token))
    }

    private func house(_ storage: any Storage = InMemoryStorage()) throws -> House {
        try House(ScriptAgent(try Script(try JSON(parsing: Self.script))), storage: storage, log: Log { _ in })
    }

    /// What a terminal shows, and a way to wait for the next place where it shows something.
    private final class Screen: Sendable {
        private let text = Lock("")
        func write(_ piece: String) { text.withLock { $0 += piece } }
        func show(_ wanted: String) async throws {
            while !take(wanted) { try await Task.sleep(for: .milliseconds(5)) }
        }
        private func take(_ wanted: String) -> Bool {
            text.withLock { text in
                guard let place = text.firstRange(of: wanted) else { return false }
                text.removeSubrange(..<place.upperBound)
                return true
            }
        }
    }

    @Test(.timeLimit(.minutes(2)))
    func `a table is booked in a terminal by five choices over a WebSocket`() async throws {
        let server = try await service(try house())
        async let serving: Void = server.run()
        let screen = Screen()
        let address = try #require(ServiceAddress("http://127.0.0.1:\(server.port)/"))
        let talker = try await Talker.enter(address) { screen.write($0) }
        try await screen.show("agent-chats/agent-ready/agent-chat/websocket/agent-json")
        #expect(await talker.take("A table"))
        try await screen.show("? When? (1 Friday)")
        #expect(await talker.take("2"))
        try await screen.show("? a number from 1 to 1")
        #expect(await talker.take("1"))
        try await screen.show("y, or n and a reason")
        #expect(await talker.take("y"))
        try await screen.show("Booked for Friday")
        try await screen.show("[completed]")
        #expect(await talker.take("long"))
        try await screen.show("on on on")
        #expect(await talker.take("the moon"))
        try await screen.show("noted the moon")
        #expect(await talker.take("/stop"))
        try await screen.show("[cancelled]")
        #expect(await !talker.take("/quit"))
        await talker.close()
        await server.stop()
        try await serving
    }

    @Test(.timeLimit(.minutes(2)))
    func `a service with as many chats as it takes says so`() async throws {
        var limits = Limits()
        limits.chats = 1
        let server = try await service(try House(EchoAgent(), limits: limits, log: Log { _ in }))
        async let serving: Void = server.run()
        let account = HTTPAccount(try #require(ServiceAddress("http://127.0.0.1:\(server.port)/")))
        _ = try await account.create(nil, title: "Tables")
        await #expect(throws: DiscoveryError.unavailable("POST chats", reason: "at most 1 chats")) {
            try await account.create(nil, title: "Chairs")
        }
        await server.stop()
        try await serving
    }

    @Test(.timeLimit(.minutes(2)))
    func `a service that is stopped and comes back finds its client again`() async throws {
        let storage = InMemoryStorage()
        let first = try await service(try house(storage))
        async let serving: Void = first.run()
        let screen = Screen()
        let address = try #require(ServiceAddress("http://localhost:\(first.port)/"))
        let talker = try await Talker.enter(address) { screen.write($0) }
        #expect(await talker.take("long"))
        try await screen.show("on on on")
        await first.stop()
        try await serving
        try await screen.show("the service was stopped")
        let second = try await service(try house(storage), port: first.port)
        async let servingAgain: Void = second.run()
        #expect(await talker.take("A table"))
        try await screen.show("? When? (1 Friday)")
        await talker.close()
        await second.stop()
        try await servingAgain
    }

    @Test(.timeLimit(.minutes(2)))
    func `without its token a service lists no chats`() async throws {
        let server = try await service(try house(), token: Secret(copying: Array("0123456789abcdef".utf8).span))
        async let serving: Void = server.run()
        let text = "http://127.0.0.1:\(server.port)/"
        await #expect(throws: DiscoveryError.self) {
            try await HTTPAccount(try #require(ServiceAddress(text))).whoami()
        }
        let account = HTTPAccount(try #require(ServiceAddress(text, token: "0123456789abcdef")))
        #expect(try await account.whoami() == "saro")
        let made = try await account.create(nil, title: "Tables")
        #expect(try await account.chats(limit: 20, offset: 0, archived: false) == [made])
        await server.stop()
        try await serving
    }

    @Test func `addresses are read or refused`() {
        let address = ServiceAddress("http://[::1]:80/#chat=c1")
        #expect(address?.host == "::1" && address?.port == 80 && address?.chat == "c1")
        #expect(ServiceAddress("http://saro.example")?.port == 80)
        for bad in ["https://a/", "http://", "http://a:0/", "http://a:x/", "ws://a/"] {
            #expect(ServiceAddress(bad) == nil)
        }
    }
}
