import ChatDeliveryService
import ChatModel
import TestSupport
import Testing

@Test func `a client answers a few challenges at once and no more (UDP-19)`() {
    var lied = LiedTo()
    var answers = 0
    for number in 0..<100 as Range<UInt8> {
        lied.receive(Craft.header(2, session: lied.session) + [1, number])
        answers += lied.takeSent().count
    }
    #expect(answers == 3)
}

@Test func `only the relay's address and the session's number count (UDP-4)`() {
    var lied = LiedTo()
    let stranger = NetworkAddress(v4: 0x0A00_0109, port: 9_220)
    lied.receive(Craft.header(2, session: lied.session) + [1, 0], from: stranger)
    lied.receive(Craft.header(2, session: lied.session ^ 1) + [1, 0])
    #expect(lied.takeSent().isEmpty)
    lied.welcome()
    lied.receive(Craft.header(4, session: lied.session) + [1, 0], from: stranger)
    lied.receive(Craft.header(4, session: lied.session ^ 1) + [1, 0])
    lied.receive(Craft.data(session: lied.session, number: 0, Craft.ping), from: stranger)
    #expect(lied.client.notices == ["joined"])
    #expect(lied.client.core.statistics.foreign == 5)
    lied.receive(Craft.header(4, session: lied.session) + [1, 0])
    #expect(lied.client.notices == ["joined", "interrupted"])
}

@Test func `a relay that is full or speaks another version says so (UDP-2, DS-13)`() {
    var lied = LiedTo()
    lied.receive(Craft.header(4, session: lied.session) + [2, 0])
    lied.receive(Craft.header(4, session: lied.session) + [3, 2, 4, 5])
    #expect(
        lied.client.notices == [
            "turned away: relay has no room for another client; try again after 1.0 seconds",
            "turned away: the delivery service refused: relay speaks version 4, 5, not 1",
        ])
}

@Test(arguments: [[0], [5, 0], [99], [4, 200], []] as [[UInt8]])
func `a reset of any reason, also one that is cut short, ends the session on both sides (UDP-6)`(body: [UInt8]) throws {
    var lied = LiedTo()
    lied.welcome()
    lied.receive(Craft.header(4, session: lied.session) + body)
    #expect(lied.client.notices == ["joined", "interrupted"])
    #expect(lied.client.core.statistics.malformed == 0)
    guard case .reset = try Datagram((Craft.header(4, session: 1) + body).span) else {
        Issue.record("the relay reads it as something else")
        return
    }
}

@Test func `what waits from a session with a larger limit fails as too large, and is not sent (UDP-25)`() {
    var lied = LiedTo()
    lied.welcome(largest: 60_000)
    _ = lied.takeSent()
    let address = DeliveryAddress("hall")
    let large = Bytes([UInt8](repeating: 7, count: 40_000))
    lied.client.core.publish(Addressed(address, payload: large), token: 1, now: lied.now)
    lied.client.core.publish(Addressed(address, payload: [1, 2, 3]), token: 2, now: lied.now)
    _ = lied.takeSent()
    lied.receive(Craft.header(4, session: lied.session) + [1, 0])
    lied.follow(lied.wait(1).map(\.datagram))
    lied.welcome(largest: 16_000)
    #expect(lied.client.published == [1: .failure(.tooLarge(bytes: 40_000, limit: 16_000))])
    #expect(lied.takeSent().reduce(0) { $0 + $1.count } < 2_000, "the small one alone is sent again")
}

@Test(arguments: [0, 16 << 20 + 1] as [UInt64]) func `a welcome with an impossible largest payload is none (UDP-19)`(
    largest: UInt64
) {
    var lied = LiedTo()
    lied.welcome(largest: largest)
    #expect(lied.client.notices.isEmpty)
    #expect(lied.client.core.statistics.malformed == 1)
}

@Test func `what nobody asked for is ignored (UDP-19)`() {
    var lied = LiedTo()
    lied.subscribe()
    lied.say(Craft.deliver(77, sequence: 1, [0x61]))
    lied.say([0x83] + Craft.big(77, 4) + Craft.big(9, 8))
    lied.say([0x81] + Craft.big(1_234, 8) + [0] + Craft.big(9, 8) + Craft.big(0, 8))
    lied.say([0x42, 1, 2, 3])
    lied.say([0x82, 0])
    lied.say([0x81, 0])
    lied.say(Craft.publish([1], id: 1))
    lied.receive(Craft.hello(session: lied.session))
    #expect(lied.client.received.isEmpty)
    #expect(lied.client.notices == ["joined"])
    #expect(lied.client.core.statistics.malformed == 4)
    lied.say(Craft.deliver(1, sequence: 1, [0x61]))
    #expect(lied.client.received[1] == ["a"])
}

@Test func `a history that goes back is ignored (UDP-19)`() {
    var lied = LiedTo()
    lied.subscribe()
    for sequence in [5, 3, 5, 6, 0] as [UInt64] {
        lied.say(Craft.deliver(1, sequence: sequence, Array("\(sequence)".utf8)))
    }
    lied.say([0x83] + Craft.big(1, 4) + Craft.big(2, 8))
    #expect(lied.client.received[1] == ["5", "6"])
    #expect(lied.client.notices == ["joined"])
    #expect(lied.client.core.statistics.unexpected == 4)
}

@Test func `a payload larger than the relay promised is not taken (UDP-19)`() {
    var lied = LiedTo()
    lied.subscribe()
    let large = Craft.deliver(1, sequence: 1, [UInt8](repeating: 1, count: 3_000))
    lied.receive(
        Craft.data(
            session: lied.session, number: 90,
            Craft.message(9, total: large.count, index: 0, Array(large.prefix(1_120)))))
    #expect(lied.client.core.statistics.malformed == 1)
}

@Test func `a relay that acknowledges and never answers costs a deadline (UDP-19)`() throws {
    var lied = LiedTo()
    lied.welcome()
    let token = lied.client.publish(addressed("x"), now: lied.now)
    #expect(lied.takeSent().count == 1)
    lied.receive(Craft.data(session: lied.session, number: 0, Craft.acknowledgement([(0, 0)])))
    lied.now = lied.now + MicrosecondSpan(11_000_000)
    lied.client.core.tick(lied.now)
    lied.client.handleEvents()
    #expect(lied.client.published[token] == .failure(.unreachable("relay", after: .seconds(10))))
    #expect(lied.client.notices == ["joined"], "the relay lives, as far as one can see")
}

@Test func `a client with two addresses of a relay tries both`() {
    var batch = DatagramBatch()
    let relays = (1...2).map { NetworkAddress(v4: UInt32($0), port: 9_220) }
    var now = MonotonicInstant.zero
    var core = ClientCore(name: "relay", relays: relays, UDPConfiguration(), random: SeededRandom(1), now: now)
    var asked: [NetworkAddress] = []
    for _ in 0..<4 {
        batch.removeAll()
        core.write(into: &batch, now: now)
        asked.append(batch.peer(0))
        now = core.wake ?? now
    }
    #expect(asked == [relays[0], relays[1], relays[0], relays[1]])
}
