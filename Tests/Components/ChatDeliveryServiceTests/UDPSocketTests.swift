import ChatDeliveryService
import ChatModel
import Testing

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Real sockets, over loopback only; each test takes well under two seconds of work.
@Suite(.timeLimit(.minutes(30))) struct UDPSocketTests {
    /// Seeks a relay often, and is otherwise as patient as always: the machine may be busy.
    private static var eager: UDPConfiguration {
        var configuration = UDPConfiguration()
        configuration.seekingInterval = .milliseconds(20) ... .milliseconds(100)
        return configuration
    }

    /// For what is expected to fail.
    private static var impatient: UDPConfiguration {
        var configuration = eager
        configuration.deadline = .milliseconds(200)
        configuration.handshakeDeadline = .milliseconds(200)
        return configuration
    }

    private static func connect(_ relay: UDPRelay) async throws -> UDPDeliveryService {
        try await UDPDeliveryService(relay: relay.address, configuration: eager)
    }

    @Test(arguments: ["127.0.0.1:0", "[::1]:0", "localhost:0", "0.0.0.0:0", "[::]:0"])
    func `payloads go through a relay (DS-01, DS-02)`(listen: String) async throws {
        let relay = try UDPRelay(listen: listen)
        let port = try #require(relay.address.split(separator: ":").last)
        let host = listen.hasPrefix("[") ? "[::1]" : listen.hasPrefix("l") ? "localhost" : "127.0.0.1"
        let saro = try await UDPDeliveryService(relay: "\(host):\(port)", configuration: Self.eager)
        let raya = try await UDPDeliveryService(relay: "\(host):\(port)", configuration: Self.eager)
        let mailbox = Mailbox()
        try await raya.subscribe(["hall": .now], into: mailbox)
        let results = await saro.publish(texts("one", "two", long(3, bytes: 100_000)))
        #expect(results.map(\.isTaken) == [true, true, true])
        var received: [String] = []
        while received.count < 3, let batch = await mailbox.next() { received += mailbox.texts(batch) }
        #expect(received == ["one", "two", long(3, bytes: 100_000)])
        saro.close()
        raya.close()
        relay.close()
    }

    #if os(Linux)
        /// All of 127.0.0.0/8 is this host; the system would answer from 127.0.0.1.
        @Test(arguments: ["0.0.0.0:0", "[::]:0"])
        func `a relay on all addresses answers from the one that was written to (UDP-4)`(listen: String) async throws {
            let relay = try UDPRelay(listen: listen)
            let port = try #require(relay.address.split(separator: ":").last)
            let saro = try await UDPDeliveryService(relay: "127.0.0.2:\(port)", configuration: Self.eager)
            let mailbox = Mailbox()
            try await saro.subscribe(["hall": .now], into: mailbox)
            let text = long(1, bytes: 50_000)
            #expect(await saro.publish(addressed(text)).isTaken)
            #expect(mailbox.texts(await mailbox.next()) == [text])
            saro.close()
            relay.close()
        }
    #endif

    @Test func `connecting succeeds however fast the relay answers`() async throws {
        let relay = try UDPRelay(listen: "127.0.0.1:0")
        for _ in 0..<100 { try await Self.connect(relay).close() }
        #expect(relay.statistics.opened == 100)
    }

    @Test func `the relay says its limits, and what breaks them is refused with numbers (DS-09, DS-10)`() async throws {
        var limits = RelayLimits()
        limits.maximumPayload = 1_000
        limits.rate = .init(payloads: 2, epoch: .seconds(600))
        let relay = try UDPRelay(listen: "127.0.0.1:0", limits: limits)
        let saro = try await Self.connect(relay)
        #expect(saro.limits.maximumPayload == 1_000)
        #expect(saro.limits.rate == limits.rate)
        #expect(saro.limits.retention == limits.retention)
        #expect(saro.limits.offers == [.offlineRetrieval, .acknowledgement, .ordering])
        #expect(await saro.publish(addressed(long(1, bytes: 1_001))) == .failure(.tooLarge(bytes: 1_001, limit: 1_000)))
        let results = await saro.publish(texts("1", "2", "3"))
        #expect(results.map(\.isTaken) == [true, true, false])
        #expect(results[2] == .failure(.rateLimited(limit: 2, retryAfter: .seconds(60))), "no relay says for longer")
        #expect(await saro.publish(addressed("x", on: "")) == .failure(.badAddress("", reason: "empty")))
        let name = DeliveryAddress(String(repeating: "a", count: 256))
        let error = DeliveryError.badAddress(name.text, reason: "256 bytes; at most 255 allowed")
        #expect(await saro.publish(addressed("x", on: name)) == .failure(error))
        await #expect(throws: error) { try await saro.subscribe([name: .now], into: Mailbox()) }
    }

    /// A relay on an address whose socket another one is still closing, on its own thread.
    private static func listenAgain(_ address: String) async throws -> UDPRelay {
        for _ in 0..<200 {
            if let relay = try? UDPRelay(listen: address) { return relay }
            try await Task.sleep(for: .milliseconds(10))
        }
        return try UDPRelay(listen: address)
    }

    @Test func `without a relay the service does not start, or starts offline if it may (DS-13)`() async throws {
        let relay = try UDPRelay(listen: "127.0.0.1:0")
        let address = relay.address
        relay.close()
        await #expect(throws: DeliveryError.unreachable("relay \(address)", after: .milliseconds(200))) {
            try await UDPDeliveryService(relay: address, configuration: Self.impatient)
        }
        var configuration = Self.impatient
        configuration.startsOffline = true
        configuration.handshakeDeadline = .milliseconds(50)
        let offline = try await UDPDeliveryService(relay: address, configuration: configuration)
        let error = DeliveryError.unreachable("relay \(address)", after: .milliseconds(200))
        #expect(await offline.publish(addressed("x")) == .failure(error))
        await #expect(throws: error) { try await offline.subscribe(["hall": .now], into: Mailbox()) }
    }

    @Test func `a relay that is lost and comes back is noticed, and nothing with an answer is missed (DS-14)`()
        async throws
    {
        let relay = try UDPRelay(listen: "127.0.0.1:0")
        let (saro, raya) = (try await Self.connect(relay), try await Self.connect(relay))
        let mailbox = Mailbox()
        try await raya.subscribe(["hall": .now], into: mailbox)
        #expect(await saro.publish(addressed("before")).isTaken)
        #expect(mailbox.texts(await mailbox.next()) == ["before"])
        relay.close()
        guard case .interrupted = try #require(await mailbox.next()).notices.first else {
            Issue.record("no notice")
            return
        }
        let again = try await Self.listenAgain(relay.address)
        #expect(await saro.publish(addressed("after")).isTaken)
        var notices: [Notice] = []
        var received: [String] = []
        while received.isEmpty || !notices.contains(.resumed()), let batch = await mailbox.next() {
            notices += batch.notices
            received += mailbox.texts(batch)
        }
        #expect(received == ["after"])
        #expect(Set(notices) == [.resumed(), .gone("hall")], "another relay's history may lack what the old one had")
        again.close()
    }

    @Test func `a full mailbox makes the relay wait, and nothing is lost`() async throws {
        let relay = try UDPRelay(listen: "127.0.0.1:0")
        let (saro, raya) = (try await Self.connect(relay), try await Self.connect(relay))
        let mailbox = Mailbox(capacity: 8)
        try await raya.subscribe(["hall": .now], into: mailbox)
        let sent = (0..<200).map(String.init)
        #expect(await saro.publish(sent.map { addressed($0) }).allSatisfy(\.isTaken))
        var received: [String] = []
        while received.count < 200, let batch = await mailbox.next() {
            #expect(batch.deliveries.count <= 8)
            #expect(batch.notices.isEmpty)
            received += mailbox.texts(batch)
        }
        #expect(received == sent)
    }

    @Test func `a service that is closed says so (DS-13)`() async throws {
        let relay = try UDPRelay(listen: "127.0.0.1:0")
        let saro = try await Self.connect(relay)
        saro.close()
        saro.close()
        #expect(await saro.publish(addressed("x")) == .failure(.closed))
        await #expect(throws: DeliveryError.closed) { try await saro.subscribe(["hall": .now], into: Mailbox()) }
        await saro.unsubscribe(["hall"], from: Mailbox())
    }

    @Test func `an address in use is an error that says what to do`() async throws {
        let relay = try UDPRelay(listen: "127.0.0.1:0")
        await #expect {
            try await Self.listenAgain(relay.address)
        } throws: { error in
            "\(error)" == "listening on \(relay.address): Address already in use; choose another port, or 0 for any"
        }
    }

    @Test(arguments: ["", "host", ":1", "host:", "host:70000", "::1:5", "[::1]"])
    func `an address that is none says what is expected`(text: String) async {
        let error = DeliveryError.startup(
            "reading '\(text)'", reason: "expected HOST:PORT, such as 127.0.0.1:9220 or [::1]:9220")
        await #expect(throws: error) { try await UDPDeliveryService(relay: text) }
    }

    @Test func `a host that cannot exist is an error of the start`() async {
        let host = String(repeating: "x", count: 64) + ".invalid"
        await #expect {
            try await UDPDeliveryService(relay: "\(host):1")
        } throws: { error in
            "\(error)".hasPrefix("looking up '\(host)': ")
        }
    }
}
