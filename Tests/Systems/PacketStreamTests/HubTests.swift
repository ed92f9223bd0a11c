import ChatModel
import PacketStream
import TestSupport
import Testing

/// What a hub promises, one case at a time.
struct HubTests {
    @Test func `PS-14: with routes, a step that is back late after a restart of the hub misses nothing`() throws {
        var bench = HubFixture(["saro:raya", "saro:pax"])
        try bench.join("saro", "raya", "pax")
        _ = try bench.send("p1", from: "saro")
        try bench.settle()
        try bench.finish("raya")
        bench.restart()
        try bench.join("saro", "raya")
        try bench.settle()
        try bench.finish("raya")
        #expect(bench.unconfirmed(of: "saro") == 1, "pax is not done with it")
        try bench.join("pax")
        try bench.settle()
        #expect(bench.waiting(at: "pax") == ["p1"])
        try bench.finish("pax")
        #expect(bench.unconfirmed(of: "saro") == 0)
    }

    @Test func `PS-14: without routes, only steps that the hub knows hold up a receipt`() throws {
        var bench = HubFixture()
        try bench.join("saro", "raya", "pax")
        _ = try bench.send("p1", from: "saro")
        try bench.settle()
        try bench.finish("raya")
        #expect(bench.unconfirmed(of: "saro") == 1, "pax is known, and not done with it")
        bench.restart()
        try bench.join("saro", "raya")
        try bench.settle()
        #expect(bench.unconfirmed(of: "saro") == 0, "the hub that started again does not know pax")
        bench.forget("pax")
        try bench.join("pax")
        _ = try bench.send("p2", from: "saro")
        try bench.settle()
        #expect(bench.waiting(at: "pax") == ["p2"])
    }

    @Test func `PS-14: a packet that comes again does not go again to a step that is done with it`() throws {
        var bench = HubFixture(["saro:raya", "saro:pax"])
        try bench.join("saro", "raya", "pax")
        _ = try bench.send("p1", from: "saro")
        try bench.settle()
        try bench.finish("raya")
        try bench.join("saro")
        try bench.settle()
        let sent = bench.hub.statistics.map { $0.counters.sent }
        #expect(sent == [1, 1, 0, 0], "to pax, raya and saro, and to steps that left")
        try bench.finish("pax")
        #expect(bench.unconfirmed(of: "saro") == 0)
    }

    @Test(arguments: [PacketHub.Opening.control, .packets(carriesFlow: true)])
    func `SA-60: a session whose second stream does not come in time is ended`(first: PacketHub.Opening) throws {
        var hub = PacketHub()
        let session = try hub.join("saro", "one", first, now: .zero)
        _ = hub.takeEffects()
        hub.tick(now: .zero + (hub.settings.handshakeLimit - .milliseconds(1)))
        #expect(hub.takeEffects().isEmpty)
        hub.tick(now: .zero + hub.settings.handshakeLimit)
        guard case .end(session, let reason) = hub.takeEffects().first else {
            Issue.record("the session goes on")
            return
        }
        #expect(reason.violation?.rule == .handshake)
    }

    @Test func `PS-8: who has more than 64 MiB under way is not read, whatever its credits`() throws {
        var hub = PacketHub(HubFixture(["saro:raya"]).hub.settings)
        _ = try hub.join("saro", "one", .packets(carriesFlow: true), now: .zero)
        let session = try hub.join("saro", "one", .control, now: .zero)
        let bytes = Bytes([UInt8](repeating: 7, count: Bounds.maximumFrame))
        for number in 1...UInt64(7) {
            let packet = WirePacket(
                frame: .binary(BinaryFrame(payload: bytes, mimeType: "a/b")),
                stream: StreamEnvelope(stream: "s", sequence: number))
            let isFull = try hub.receive(ProcessMessage(packet: packet), from: session, now: .zero)
            #expect(isFull == (number == 7))
        }
    }

    @Test func `PS-9: after a hand-over, the next connector gets what the old one was not done with`() throws {
        var bench = HubFixture(["saro:raya"])
        try bench.join("saro", "raya")
        _ = try bench.send("p1", from: "saro")
        try bench.settle()
        let old = try bench.session("raya")
        _ = try bench.hub.receive(ControlMessage(.draining), from: old, now: bench.now)
        // The first next connector is replaced; that it leaves late ends nothing.
        let replaced = try bench.hub.join("raya", "two", .control, now: bench.now)
        _ = try bench.hub.join("raya", "three", .packets(carriesFlow: true), now: bench.now)
        let next = try bench.hub.join("raya", "three", .control, now: bench.now)
        bench.hub.leave(replaced)
        for action in [ControlAction.cutover, .handedOver] {
            _ = try bench.hub.receive(ControlMessage(action), from: next, now: bench.now)
        }
        let left = bench.hub.leaving(for: next, now: bench.now).compactMap(\.packet?.stream?.sequence)
        #expect(left == [1])
    }

    @Test func `PS-14: a canonical envelope leaves as it came, anything else is written anew`() throws {
        let mirrorless = #"{ "messageId":"m", "kind":"data", "payload":{"n": 1.50} }"#
        let reserved = "application/vnd.bubu.packet+json"
        func forwarded(_ frame: BinaryFrame, _ metadata: Metadata = [:]) throws -> WirePacket? {
            var hub = PacketHub()
            let sessions = try ["saro", "raya"].map { name in
                _ = try hub.join(name, name, .packets(carriesFlow: true), now: .zero)
                return try hub.join(name, name, .control, now: .zero)
            }
            let packet = WirePacket(
                metadata: metadata, frame: .binary(frame), stream: StreamEnvelope(stream: "s", sequence: 1))
            _ = try hub.receive(ProcessMessage(packet: packet), from: sessions[0], now: .zero)
            return hub.leaving(for: sessions[1], now: .zero).compactMap(\.packet).first
        }
        let exact = BinaryFrame(payload: Bytes(mirrorless), mimeType: reserved, timestamp: 0)
        #expect(try forwarded(exact)?.frame == .binary(exact))
        let loose = BinaryFrame(payload: Bytes(mirrorless), mimeType: reserved.uppercased(), timestamp: 0)
        let written = try #require(try forwarded(loose))
        #expect(written.frame != .binary(loose))
        #expect(try PacketV1().decode(written) == PacketV1().decode(try #require(try forwarded(exact))))
        #expect(try forwarded(exact, ["bubu.envelope.kind": "data"])?.metadata == [:])
        let bubu = #"{"kind":"data","metadata":{"bubu.x":"1"},"payload":{}}"#
        let refusal = #expect(throws: PacketHub.Refusal.self) {
            try forwarded(BinaryFrame(payload: Bytes(bubu), mimeType: reserved))
        }
        #expect(refusal?.violation?.code == "SA-26")
    }

    @Test(arguments: Seeds.all(200))
    func `SA-62: what a hub sends on decodes to what it got`(seed: UInt64) throws {
        var samples = PacketSamples(seed: seed)
        var hub = PacketHub()
        var sessions: [PacketHub.Session] = []
        for name in ["saro", "raya"] {
            _ = try hub.join(name, name, .packets(carriesFlow: true), now: .zero)
            sessions.append(try hub.join(name, name, .control, now: .zero))
        }
        var packet = samples.next()
        while !packet.isDelivered { packet = samples.next() }
        packet.stream = StreamEnvelope(stream: "s", sequence: 1)
        let wire = try PacketV1().wire(packet)
        _ = try hub.receive(ProcessMessage(packet: wire), from: sessions[0], now: .zero)
        let left = hub.leaving(for: sessions[1], now: .zero).compactMap(\.packet)
        #expect(try left.map { try PacketV1().decode($0) } == [try PacketV1().decode(wire)])
    }
}
