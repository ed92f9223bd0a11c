import ChatDeliveryService
import ChatModel
import TestSupport
import Testing

@Test func `a relay keeps nothing and sends no more than it got before it has seen its cookie (UDP-3)`() throws {
    var relay = LoneRelay()
    let hello = Craft.hello(session: relay.session)
    let challenge = try #require(relay.receive(hello).first)
    #expect(challenge.count == 31)
    #expect(challenge.prefix(2) == [1, 2])
    #expect(relay.core.statistics.sessions == 0)
    let short = Array(hello.dropLast())
    #expect(relay.receive(short).isEmpty, "a hello that does not fill the datagram is no hello")
    for size in [10, 17, 18, 40] {
        let data = Array(Craft.data(session: 9, number: 1, [UInt8](repeating: 1, count: 22)).prefix(size))
        #expect(relay.receive(data).reduce(0) { $0 + $1.count } <= size)
    }
}

@Test func `a cookie is good for its session, its address and a minute only (UDP-3)`() throws {
    var relay = LoneRelay()
    let cookie = LoneRelay.cookie(try #require(relay.receive(Craft.hello(session: relay.session)).first))
    let other = NetworkAddress(v4: 0x0A00_0103, port: 40_000)
    let otherPort = NetworkAddress(v4: 0x0A00_0102, port: 40_001)
    let start = relay.now
    func kind(_ bytes: [UInt8], from peer: NetworkAddress? = nil, after seconds: UInt64 = 0) -> UInt8? {
        var copy = relay
        copy.now = start + MicrosecondSpan(seconds * 1_000_000)
        return copy.receive(bytes, from: peer).first?[1]
    }
    let hello = Craft.hello(session: relay.session, cookie: cookie)
    let (welcome, challenge): (UInt8, UInt8) = (3, 2)
    #expect(kind(hello) == welcome)
    #expect(kind(hello, from: other) == challenge)
    #expect(kind(hello, from: otherPort) == challenge)
    #expect(kind(Craft.hello(session: 1, cookie: cookie)) == challenge)
    #expect(kind(hello, after: 28) == welcome)
    #expect(kind(hello, after: 61) == challenge)
    for index in cookie.indices {
        var wrong = cookie
        wrong[index] ^= 1
        #expect(kind(Craft.hello(session: relay.session, cookie: wrong)) == challenge)
    }
}

@Test func `a session belongs to the address that opened it (UDP-4)`() throws {
    var relay = LoneRelay()
    relay.join()
    let publish = Craft.data(session: relay.session, number: 0, Craft.message(0, Craft.publish([1], id: 1)))
    let stranger = NetworkAddress(v4: 0x0A00_0103, port: 40_000)
    #expect(relay.receive(publish, from: stranger).isEmpty, "shorter than a hello")
    let answer = try #require(relay.receive(Craft.padded(publish), from: stranger).first)
    #expect(answer == Craft.header(4, session: relay.session) + [1, 0])
    #expect(relay.core.statistics.published == 0)
    #expect(relay.core.statistics.unknownSessions == 2)
    #expect(!relay.receive(publish).isEmpty)
    #expect(relay.core.statistics.published == 1)
}

@Test func `another version is answered with ours, and never with more than came (UDP-2)`() throws {
    var relay = LoneRelay()
    let answer = try #require(relay.receive(Craft.hello(session: 7, version: 2)).first)
    #expect(answer == Craft.header(4, session: 7) + [3, 1, 1])
    for size in [12, 13, 40, 1_199] {
        #expect(relay.receive(Array(Craft.hello(session: 7, version: 2).prefix(size))).isEmpty)
    }
    #expect(relay.core.statistics.otherVersions == 5)
}

@Test(arguments: [0, 1, 2, 3, 255] as [UInt8]) func `a reset is never answered, whatever its version (UDP-2, UDP-4)`(
    version: UInt8
) {
    // Two relays of different versions would answer each other for ever.
    var relay = LoneRelay()
    let reset = Craft.header(4, session: 7, version: version) + [3, 1, 2]
    #expect(relay.receive(reset).isEmpty)
    #expect(relay.receive(Craft.padded(reset)).isEmpty)
}

@Test func `a packet that comes again is acknowledged again and has no second effect (UDP-8)`() throws {
    var relay = LoneRelay()
    relay.join()
    let publish = Craft.data(session: relay.session, number: 0, Craft.message(0, Craft.publish([1], id: 1)))
    for _ in 0..<3 {
        let answer = try #require(relay.receive(publish).first)
        #expect(answer.dropFirst(18).starts(with: [2]), "an acknowledgement comes first")
    }
    #expect(relay.core.statistics.published == 1)
    #expect(relay.core.statistics.repeated == 0, "the second packet was known, not only the second payload")
}

@Test func `a payload with a known id is taken and not kept again (UDP-14)`() throws {
    var relay = LoneRelay()
    relay.join()
    for number in 0..<3 as Range<UInt64> {
        let message = Craft.message(number, Craft.publish([1], id: 1))
        _ = relay.receive(Craft.data(session: relay.session, number: number, message))
    }
    #expect(relay.core.statistics.published == 1)
    #expect(relay.core.statistics.repeated == 2)
}

@Test func `pieces that contradict each other are refused and the first stand (UDP-9)`() throws {
    var relay = LoneRelay()
    relay.join()
    let publish = Craft.publish([UInt8](repeating: 7, count: 2_000), id: 1)
    let pieces = [Array(publish.prefix(1_120)), Array(publish.dropFirst(1_120))]
    func send(_ number: UInt64, _ frame: [UInt8]) -> Bool {
        !relay.receive(Craft.data(session: relay.session, number: number, frame)).isEmpty
    }
    #expect(send(0, Craft.message(0, total: publish.count, index: 0, pieces[0])))
    #expect(!send(1, Craft.message(0, total: publish.count - 1, index: 1, Array(pieces[1].dropLast()))))
    #expect(!send(2, Craft.message(0, after: 0, total: publish.count, index: 2, [])), "there is no third piece")
    #expect(!send(3, Craft.message(0, Craft.publish([1], id: 2))), "the message was said to be longer")
    #expect(relay.core.statistics.malformed == 3)
    #expect(send(4, Craft.message(0, total: publish.count, index: 1, pieces[1])))
    #expect(relay.core.statistics.published == 1)
}

@Test func `fragments of one packet that contradict each other are refused with it (UDP-7, UDP-9)`() {
    var relay = LoneRelay()
    relay.join()
    let pieces = [
        Craft.message(0, total: 1_121, index: 1, [1]), Craft.message(0, total: 11_201, index: 10, [1]),
    ]
    let packet = Craft.data(session: relay.session, number: 0, pieces[0], pieces[1])
    #expect(packet.count == 58)
    #expect(relay.receive(packet).isEmpty)
    let turned = Craft.data(session: relay.session, number: 0, pieces[1], pieces[0])
    #expect(relay.receive(turned).isEmpty)
    let distances = [0, 1].map { Craft.message(1, after: $0, total: 1_121, index: 1, [1]) }
    #expect(relay.receive(Craft.data(session: relay.session, number: 0, distances[0], distances[1])).isEmpty)
    #expect(relay.core.statistics.malformed == 3)
    // Nothing of them stayed: message 0 may still be anything.
    let publish = Craft.message(0, Craft.publish([1], id: 1))
    #expect(!relay.receive(Craft.data(session: relay.session, number: 0, publish, publish)).isEmpty)
    #expect(relay.core.statistics.published == 1)
}

@Test func `a packet whose pieces find no room together is refused with all of them (UDP-7, UDP-18)`() {
    var limits = RelayLimits()
    limits.heldBytes = 30_000
    var relay = LoneRelay(limits)
    relay.join()
    // Each costs its byte and 128 + 16 * 900 bytes, so there is room for two.
    let pieces = (0..<59).map { Craft.message($0, total: 899 * 1_120 + 1, index: 899, [1]) }
    func send(_ number: UInt64, _ pieces: ArraySlice<[UInt8]>) -> Bool {
        let packet = Craft.header(5, session: relay.session) + Craft.big(number, 8) + pieces.flatMap(\.self)
        return !relay.receive(packet).isEmpty
    }
    #expect(!send(0, pieces[...]))
    #expect(relay.core.statistics.noRoom == 1)
    #expect(send(0, pieces[..<2]), "nothing of the refused packet is held")
    #expect(!send(1, pieces[2..<3]))
    #expect(send(1, pieces[..<2]), "what is held already needs no room")
}

@Test(arguments: [
    Craft.message(4_096, Craft.publish([1], id: 1)),
    Craft.message(0, total: 3 << 20, index: 0, [UInt8](repeating: 0, count: 1_120)),
    Craft.message(1, after: 2, Craft.publish([1], id: 1)),
    Craft.message(0, total: 0, []),
    Craft.acknowledgement([(1_000, 1_000)]),
    Craft.acknowledgement([]),
    Craft.acknowledgement([(2, 1)]),
    Craft.acknowledgement([(1, 1), (2, 2)]),
    Craft.acknowledgement([(2, 2), (1, 1)]),
    [9], [2], [3],
])
func `a frame that breaks a rule is counted, not acknowledged, and changes nothing (UDP-7)`(frame: [UInt8]) {
    var relay = LoneRelay()
    relay.join()
    #expect(relay.receive(Craft.data(session: relay.session, number: 0, Craft.ping, frame)).isEmpty)
    #expect(relay.core.statistics.malformed == 1)
    #expect(!relay.receive(Craft.data(session: relay.session, number: 0, Craft.ping)).isEmpty)
}

@Test(arguments: [
    [], [9], [1, 2], [2], [3], [2, 0, 0, 0, 1, 7] + [UInt8](repeating: 0, count: 16) + [1, 97],
    Craft.publish([1], id: 1, on: ""), [1] + [UInt8](repeating: 0, count: 16) + [2, 0xFF, 0xFE, 0],
    Craft.subscribe(1) + [0],
])
func `a request that makes no sense is answered with an error (UDP-15)`(request: [UInt8]) throws {
    guard !request.isEmpty else { return }
    var relay = LoneRelay()
    relay.join()
    let answer = try #require(
        relay.receive(Craft.data(session: relay.session, number: 0, Craft.message(0, request))).first)
    let results = answer.dropFirst(18 + 22 + 19)
    #expect(results.first == 0x81)
    #expect([3, 5].contains(results.dropFirst(9).first))
    #expect(relay.core.statistics.refused == 1)
}

@Test func `sessions and subscriptions are bounded, in all and for each host (UDP-18)`() throws {
    var limits = RelayLimits()
    (limits.sessions, limits.sessionsPerHost, limits.subscriptionsPerSession) = (3, 2, 2)
    var relay = LoneRelay(limits)
    func peer(_ host: UInt32, _ port: UInt16) -> NetworkAddress { NetworkAddress(v4: host, port: port) }
    for port in 1...3 as ClosedRange<UInt16> { relay.join(peer(1, port)) }
    #expect(relay.core.statistics.sessions == 2)
    for host in 2...4 as ClosedRange<UInt32> { relay.join(peer(host, 1)) }
    #expect(relay.core.statistics.sessions == 3)
    #expect(relay.core.statistics.turnedAway == 2, "the third host got one of the first one's")
    let left = peer(1, 2)
    for number in 0..<3 as Range<UInt64> {
        let message = Craft.message(number, Craft.subscribe(number + 1, on: "room \(number)"))
        _ = relay.receive(Craft.data(session: relay.session, number: number, message), from: left)
    }
    #expect(relay.core.statistics.subscriptions == 2)
    #expect(relay.core.statistics.refused == 1)
    _ = relay.receive(Craft.header(4, session: relay.session) + [4, 0], from: left)
    #expect(relay.core.statistics.sessions == 2)
    #expect(relay.core.statistics.subscriptions == 0)
}

@Test func `incomplete messages of all clients are bounded, and come again later (UDP-18)`() {
    var limits = RelayLimits()
    limits.heldBytes = 10_000
    var relay = LoneRelay(limits)
    relay.join()
    for number in 0..<20 as Range<UInt64> {
        let piece = Craft.message(number, total: 100_000, index: 0, [UInt8](repeating: 1, count: 1_120))
        _ = relay.receive(Craft.data(session: relay.session, number: number, piece))
    }
    #expect(relay.core.statistics.noRoom == 17, "each costs its piece and 128 + 90 × 16 bytes")
}

@Test func `what is kept is bounded over all addresses, and who floods loses there (UDP-17)`() {
    var limits = RelayLimits()
    limits.maximumPayload = 1_000
    limits.totalBytes = 100_000
    limits.addresses = 100
    var relay = LoneRelay(limits)
    relay.join()
    var number: UInt64 = 0
    func publish(_ address: String, _ bytes: Int) {
        let message = Craft.message(
            number, Craft.publish([UInt8](repeating: 1, count: bytes), id: number + 1, on: address))
        let acknowledgement = number > 0 ? Craft.acknowledgement([(0, number - 1)]) : []
        _ = relay.receive(Craft.data(session: relay.session, number: number, acknowledgement, message))
        number += 1
    }
    for quiet in 0..<10 { publish("quiet \(quiet)", 10) }
    for _ in 0..<500 { publish("loud", 900) }
    #expect(relay.core.statistics.retainedBytes <= 100_000)
    #expect(relay.core.statistics.addresses == 11, "the quiet ones kept their payloads")
    for one in 0..<500 { publish("address \(one)", 1) }
    #expect(relay.core.statistics.addresses <= 100)
}
