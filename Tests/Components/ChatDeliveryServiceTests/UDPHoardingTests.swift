import ChatDeliveryService
import ChatModel
import TestSupport
import Testing

/// Clients that keep everything a relay bounds for one client, or for all, to themselves.
@Suite struct UDPHoardingTests {
    /// What asks for an acknowledgement: a DATA packet whose frames begin with a ping or a message.
    private static func elicitingNumber(_ datagram: [UInt8]) -> UInt64? {
        guard datagram[1] == 5 else { return nil }
        var place = 18
        if place < datagram.count, datagram[place] == 2 { place += 6 + 16 * Int(datagram[place + 5]) }
        guard place < datagram.count else { return nil }
        return datagram[10..<18].reduce(0) { $0 << 8 | UInt64($1) }
    }

    @Test func `who acknowledges the oldest packet alone does not make the relay remember more and more (UDP-10)`() {
        var relay = LoneRelay()
        relay.join()
        for number in 0..<40 as Range<UInt64> {
            let payload = [UInt8](repeating: 1, count: 1_000)
            let publish = Craft.message(number, Craft.publish(payload, id: number + 1))
            _ = relay.receive(Craft.data(session: relay.session, number: number, publish))
        }
        var waiting: [UInt64] = []
        var acknowledged: UInt64 = 0
        let subscribe = Craft.message(40, Craft.subscribe(1))
        waiting += relay.receive(Craft.data(session: relay.session, number: 40, subscribe))
            .compactMap(Self.elicitingNumber)
        for packet in 41..<2_041 as Range<UInt64> {
            relay.now = relay.now + MicrosecondSpan(60_000)
            relay.core.tick(relay.now)
            waiting += relay.takeSent().compactMap(Self.elicitingNumber)
            guard let oldest = waiting.first else { break }
            waiting.removeFirst()
            acknowledged += 1
            let lie = Craft.acknowledgement([(oldest, oldest)], delay: UInt64(UInt32.max))
            waiting += relay.receive(Craft.data(session: relay.session, number: packet, lie))
                .compactMap(Self.elicitingNumber)
        }
        #expect(acknowledged > 1_000)
        _ = relay.receive(Craft.header(4, session: relay.session) + [4, 0])
        let remembered = waiting.count - Int(relay.core.statistics.lostPackets)
        #expect(remembered < 1_000, "of \(waiting.count) that were not acknowledged")
    }

    private static func peer(_ host: UInt32, _ port: UInt16 = 40_000) -> NetworkAddress {
        NetworkAddress(v4: 0x0C00_0000 + host, port: port)
    }

    @Test func `the host with most sessions gives way to one with far fewer, and is not let in again (UDP-18)`() {
        var limits = RelayLimits()
        (limits.sessions, limits.sessionsPerHost) = (16, 8)
        var relay = LoneRelay(limits)
        for host in 1...2 as ClosedRange<UInt32> {
            for port in 1...8 as ClosedRange<UInt16> {
                relay.now = relay.now + MicrosecondSpan(1_000)
                relay.join(Self.peer(host, port))
            }
        }
        _ = relay.receive(Craft.data(session: relay.session, number: 0, Craft.ping), from: Self.peer(1, 1))
        relay.join(Self.peer(3))
        #expect(relay.core.statistics.turnedAway == 0 && relay.core.statistics.sessions == 16)
        let ping = Craft.padded(Craft.data(session: relay.session, number: 1, Craft.ping))
        #expect(relay.receive(ping, from: Self.peer(3)).first?[1] == 5)
        #expect(relay.receive(ping, from: Self.peer(1, 1)).first?[1] == 5, "it was heard lately")
        #expect(relay.receive(ping, from: Self.peer(1, 2)).first?[1] == 4, "it was silent longest")
        relay.join(Self.peer(1, 2))
        #expect(relay.core.statistics.turnedAway == 1)
        // As many as leave the others twice as many.
        for port in 1...8 as ClosedRange<UInt16> { relay.join(Self.peer(4, port)) }
        #expect(relay.core.statistics.sessions == 16)
        #expect((2...4).contains(9 - Int(relay.core.statistics.turnedAway)))
    }

    @Test func `one host that has all subscriptions shuts no other out (UDP-18)`() {
        var limits = RelayLimits()
        (limits.subscriptions, limits.subscriptionsPerSession) = (100, 30)
        var relay = LoneRelay(limits)
        func subscribe(_ peer: NetworkAddress, _ count: UInt64) {
            relay.join(peer)
            for number in 0..<count {
                let message = Craft.message(number, Craft.subscribe(number + 1))
                _ = relay.receive(Craft.data(session: relay.session, number: number, message), from: peer)
            }
        }
        for port in 1...3 as ClosedRange<UInt16> { subscribe(Self.peer(1, port), 30) }
        subscribe(Self.peer(1, 4), 12)
        #expect(relay.core.statistics.subscriptions == 100 && relay.core.statistics.refused == 2)
        subscribe(Self.peer(2), 1)
        #expect(relay.core.statistics.refused == 2)
        #expect(relay.core.statistics.subscriptions == 71 && relay.core.statistics.sessions == 4)
        _ = relay.receive(Craft.header(4, session: relay.session) + [4, 0], from: Self.peer(2))
        #expect(relay.core.statistics.subscriptions == 70)
    }

    @Test func `who publishes on very many addresses pushes out their own, and nobody else's mail (UDP-17)`() {
        var limits = RelayLimits()
        limits.addresses = 200
        var relay = LoneRelay(limits)
        func publish(_ peer: NetworkAddress, _ name: String, _ count: UInt64) {
            relay.join(peer)
            for number in 0..<count {
                let message = Craft.message(number, Craft.publish([1], id: number + 1, on: "\(name) \(number)"))
                let acknowledgement = number > 0 ? Craft.acknowledgement([(0, number - 1)]) : []
                let packet = Craft.data(session: relay.session, number: number, acknowledgement, message)
                _ = relay.receive(packet, from: peer)
            }
        }
        for host in 1...20 as ClosedRange<UInt32> { publish(Self.peer(host), "mail of \(host)", 3) }
        publish(Self.peer(99), "flood", 1_000)
        #expect(relay.core.statistics.published == 1_060 && relay.core.statistics.addresses <= 200)
        let raya = Self.peer(50)
        relay.join(raya)
        let wanted = (1...20).flatMap { host in (0..<3).map { "mail of \(host) \($0)" } }
        for (number, address) in wanted.enumerated() {
            let message = Craft.message(UInt64(number), Craft.subscribe(UInt64(number) + 1, on: address))
            _ = relay.receive(Craft.data(session: relay.session, number: UInt64(number), message), from: raya)
        }
        #expect(relay.core.statistics.delivered == 60)
    }
}
