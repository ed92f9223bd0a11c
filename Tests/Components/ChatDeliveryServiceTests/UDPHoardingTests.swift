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
            relay.now = relay.now + Micros(60_000)
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
}
