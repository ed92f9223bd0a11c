import ChatDeliveryService
import ChatModel
import TestSupport
import Testing

/// Clients that take and do not give, and what a relay spends on them.
@Suite struct UDPPressureTests {
    private static func peer(_ host: UInt32, _ port: UInt16 = 40_000) -> NetworkAddress {
        NetworkAddress(v4: 0x0B00_0000 + host, port: port)
    }

    /// A packet with requests that mean nothing, and with an acknowledgement.
    private static func nonsense(
        _ relay: LoneRelay, packet: UInt64, acknowledging range: (UInt64, UInt64)? = nil
    ) -> [UInt8] {
        let requests = (0..<57).map { Craft.message(packet * 57 + $0, [0x63]) }.flatMap(\.self)
        return Craft.data(session: relay.session, number: packet, requests)
            + (range.map { Craft.acknowledgement([$0]) } ?? [])
    }

    /// Asks until a packet is not taken; returns how many were.
    private static func askUntilRefused(_ relay: inout LoneRelay, _ peer: NetworkAddress) -> UInt64 {
        for packet in 0..<1_000 as Range<UInt64> {
            let before = relay.core.statistics.noRoom
            _ = relay.receive(nonsense(relay, packet: packet), from: peer)
            guard relay.core.statistics.noRoom == before else { return packet }
        }
        Issue.record("a relay that takes everything")
        return 0
    }

    @Test func `who takes no answers is not read from until it does (UDP-18)`() {
        var relay = LoneRelay()
        relay.join()
        let taken = Self.askUntilRefused(&relay, relay.peer)
        #expect(taken * 57 > 2_560, "which is what an honest client may leave open")
        #expect((512 << 10...600 << 10).contains(relay.core.statistics.owedAnswers))
        // An acknowledgement counts though its packet finds no room, or nothing would ever make room.
        let owed = relay.core.statistics.owedAnswers
        #expect(!relay.receive(Self.nonsense(relay, packet: taken, acknowledging: (0, 15))).isEmpty)
        #expect(relay.core.statistics.owedAnswers < owed)
        var rounds = 0
        while relay.core.statistics.owedAnswers > 0, rounds < 1_000 {
            rounds += 1
            for one in relay.takeSent() where one[1] == 5 {
                let number = one[10..<18].reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
                let acknowledgement = Craft.acknowledgement([(number, number)])
                let packet = Craft.data(session: relay.session, number: taken, acknowledgement)
                relay.core.receive(packet.span, from: relay.peer, now: relay.now)
            }
            relay.now = relay.now + MicrosecondSpan(30_000)
            relay.core.tick(relay.now)
        }
        #expect(relay.core.statistics.owedAnswers == 0)
        let noRoom = relay.core.statistics.noRoom
        _ = relay.receive(Self.nonsense(relay, packet: taken + 1))
        #expect(relay.core.statistics.noRoom == noRoom)
    }

    @Test func `the clients of one host together are owed a bounded number of bytes, and no others suffer (UDP-18)`() {
        var relay = LoneRelay()
        for port in 1...40 as ClosedRange<UInt16> {
            relay.join(Self.peer(1, port))
            _ = Self.askUntilRefused(&relay, Self.peer(1, port))
        }
        #expect((8 << 20...9 << 20).contains(relay.core.statistics.owedAnswers))
        let noRoom = relay.core.statistics.noRoom
        for other in [Self.peer(1, 99), Self.peer(2)] {
            relay.join(other)
            #expect(!relay.receive(Self.nonsense(relay, packet: 0), from: other).isEmpty)
        }
        #expect(relay.core.statistics.noRoom == noRoom)
    }

    @Test func `beyond the total the client that is owed most is sent away, and gives back what it cost (UDP-18)`() {
        var limits = RelayLimits()
        limits.owedAnswers = 600_000
        var relay = LoneRelay(limits)
        for host in 1...3 as ClosedRange<UInt32> { relay.join(Self.peer(host)) }
        _ = relay.receive(Self.nonsense(relay, packet: 0), from: Self.peer(3))
        _ = Self.askUntilRefused(&relay, Self.peer(1))
        #expect(relay.core.statistics.sessions == 3)
        for packet in 0..<60 as Range<UInt64> {
            _ = relay.receive(Self.nonsense(relay, packet: packet), from: Self.peer(2))
            #expect(relay.core.statistics.owedAnswers <= 600_000)
        }
        #expect(relay.core.statistics.sessions == 2)
        #expect(relay.receive(Craft.data(session: relay.session, number: 99, Craft.ping), from: Self.peer(1)).isEmpty)
        for host in [2, 3] as [UInt32] {
            let ping = Craft.data(session: relay.session, number: 99, Craft.ping)
            #expect(!relay.receive(ping, from: Self.peer(host)).isEmpty)
            _ = relay.receive(Craft.header(4, session: relay.session) + [4, 0], from: Self.peer(host))
        }
        #expect(relay.core.statistics.owedAnswers == 0)
    }

    @Test func `who sends and acknowledges nothing is gone after fifteen seconds (UDP-11)`() {
        var relay = LoneRelay()
        relay.join()
        _ = relay.receive(Craft.data(session: relay.session, number: 0, Craft.message(0, [0x63])))
        for second in 1...20 as ClosedRange<UInt64> {
            relay.now = relay.now + MicrosecondSpan(1_000_000)
            relay.core.tick(relay.now)
            _ = relay.receive(Craft.data(session: relay.session, number: second, Craft.ping))
            // Its timer runs every two seconds by then.
            if second <= 15 { #expect(relay.core.statistics.sessions == 1) }
            if second >= 17 { #expect(relay.core.statistics.sessions == 0) }
        }
        #expect(relay.core.statistics.expired == 1)
    }

    @Test func `a session that ends gives back what its pieces held (UDP-18)`() {
        var relay = LoneRelay()
        relay.join()
        for number in 0..<3 as Range<UInt64> {
            let piece = Craft.message(number, total: 2_000, index: 1, [UInt8](repeating: 1, count: 880))
            _ = relay.receive(Craft.data(session: relay.session, number: number, piece))
        }
        #expect(relay.core.statistics.heldBytes == 3 * (880 + 128 + 2 * 16))
        let first = Craft.message(0, total: 2_000, index: 0, [UInt8](repeating: 1, count: 1_120))
        _ = relay.receive(Craft.data(session: relay.session, number: 3, first))
        #expect(relay.core.statistics.heldBytes == 2 * (880 + 128 + 2 * 16), "a complete message is not held")
        _ = relay.receive(Craft.header(4, session: relay.session) + [4, 0])
        #expect(relay.core.statistics.heldBytes == 0)
    }

    @Test func `incomplete messages of one host do not shut others out (UDP-18)`() {
        var limits = RelayLimits()
        limits.heldBytes = 100_000
        var relay = LoneRelay(limits)
        let piece = { (number: UInt64) in
            Craft.message(number, total: 100_000, index: 0, [UInt8](repeating: 1, count: 1_120))
        }
        for port in 1...20 as ClosedRange<UInt16> {
            relay.join(Self.peer(1, port))
            for number in 0..<2 as Range<UInt64> {
                let packet = Craft.data(session: relay.session, number: number, piece(number))
                _ = relay.receive(packet, from: Self.peer(1, port))
            }
        }
        #expect(relay.core.statistics.noRoom == 3, "those of a host give nothing up for each other")
        #expect(relay.core.statistics.sessions == 20)
        // Raya's message is complete after some pieces were sent again.
        let raya = Self.peer(2)
        relay.join(raya)
        let publish = Craft.publish([UInt8](repeating: 7, count: 30_000), id: 1)
        var packet: UInt64 = 0
        for index in 0..<27 {
            let bytes = Array(publish.dropFirst(index * 1_120).prefix(1_120))
            let frame = Craft.message(0, total: publish.count, index: index, bytes)
            for _ in 0..<3 {
                let sent = relay.receive(Craft.data(session: relay.session, number: packet, frame), from: raya)
                packet += 1
                // What is not acknowledged comes again.
                if !sent.filter({ $0[1] == 5 }).isEmpty { break }
            }
        }
        #expect(relay.core.statistics.published == 1)
        #expect((1...19).contains(relay.core.statistics.sessions - 1), "only as many gave way as there was need for")
        #expect(relay.core.statistics.heldBytes <= 100_000)
    }

    @Test func `a quota outlives the last session of its host, and no longer than its epoch (UDP-16)`() {
        var limits = RelayLimits()
        limits.rate = .init(payloads: 2, epoch: .seconds(60))
        var relay = LoneRelay(limits)
        func publish(_ id: UInt64) {
            relay.join()
            let message = Craft.message(0, Craft.publish([1], id: id))
            _ = relay.receive(Craft.data(session: relay.session, number: 0, message))
            _ = relay.receive(Craft.header(4, session: relay.session) + [4, 0])
        }
        for id in 1...4 as ClosedRange<UInt64> { publish(id) }
        #expect(relay.core.statistics.published == 2)
        #expect(relay.core.statistics.rateLimited == 2)
        relay.now = relay.now + MicrosecondSpan(60_000_000)
        publish(5)
        #expect(relay.core.statistics.published == 3)
    }

    @Test func `the latest payload ids are remembered, at least half as many as said (UDP-14, UDP-18)`() {
        var limits = RelayLimits()
        limits.rememberedIDs = 8
        var relay = LoneRelay(limits)
        relay.join()
        var number: UInt64 = 0
        func publish(_ id: UInt64, on address: String = "hall") -> UInt64 {
            let before = relay.core.statistics.repeated
            let message = Craft.message(number, Craft.publish([1], id: id, on: address))
            _ = relay.receive(Craft.data(session: relay.session, number: number, message))
            number += 1
            return relay.core.statistics.repeated - before
        }
        for id in 1...20 as ClosedRange<UInt64> { #expect(publish(id) == 0) }
        for id in 17...20 as ClosedRange<UInt64> { #expect(publish(id) == 1, "\(id) is remembered") }
        #expect(publish(20, on: "yard") == 0, "an id counts on its own address only")
        for id in 1...4 as ClosedRange<UInt64> { #expect(publish(id) == 0, "\(id) is forgotten") }
    }

    @Test func `a payload published twice is delivered once, also after the window of ids moved (UDP-14)`() {
        var limits = RelayLimits()
        limits.rememberedIDs = 8
        var relay = LoneRelay(limits)
        relay.join()
        var (number, packets): (UInt64, Set<UInt64>) = (0, [])
        /// Asks for something in a packet of its own, and acknowledges all that has come; gives code and first number.
        func ask(_ request: [UInt8]) -> (code: UInt8, first: UInt64)? {
            let ranges = packets.sorted().suffix(1).map { (UInt64(0), $0) }
            let acknowledgement = ranges.isEmpty ? [] : Craft.acknowledgement(ranges)
            let message = Craft.message(number, request)
            let sent = relay.receive(Craft.data(session: relay.session, number: number, acknowledgement, message))
            number += 1
            var result: (UInt8, UInt64)?
            for datagram in sent where datagram[1] == 5 {
                packets.insert(datagram[10..<18].reduce(0) { $0 << 8 | UInt64($1) })
                // The answer follows an acknowledgement of one range and the head of a message.
                let answer = datagram.dropFirst(18 + 22 + 19)
                guard answer.first == 0x81, answer.count >= 26 else { continue }
                let entry = Array(answer.dropFirst(9))
                result = (entry[0], entry[1..<9].reduce(0) { $0 << 8 | UInt64($1) })
            }
            return result
        }
        #expect(ask(Craft.subscribe(1))?.code == 0)
        let first = (1...9).map { ask(Craft.publish([1], id: $0))?.first }
        #expect(first == (1...9).map { $0 })
        #expect(relay.core.statistics.delivered == 9)
        // With the ninth, the first four were forgotten, and five to eight are the older half.
        for id in (5...9).reversed() as [UInt64] { #expect(ask(Craft.publish([1], id: id))?.first == id, "\(id)") }
        #expect(relay.core.statistics.repeated == 5 && relay.core.statistics.delivered == 9)
        #expect(ask(Craft.publish([1], id: 1))?.first == 10, "what is forgotten is a new payload")
        #expect(relay.core.statistics.delivered == 10)
    }

    @Test func `one payload for many subscribers is told in turns, and reaches all of them (UDP-21)`() {
        var relay = LoneRelay()
        let hosts = 1...3 as ClosedRange<UInt32>
        for host in hosts {
            relay.join(Self.peer(host))
            for number in 0..<600 as Range<UInt64> {
                let message = Craft.message(number, Craft.subscribe(number + 1))
                let acknowledgement = number > 0 ? Craft.acknowledgement([(0, number - 1)]) : []
                let packet = Craft.data(session: relay.session, number: number, message, acknowledgement)
                _ = relay.receive(packet, from: Self.peer(host))
            }
        }
        #expect(relay.core.statistics.subscriptions == 1_800)
        relay.join()
        let publish = Craft.message(0, Craft.publish([1], id: 1))
        let packet = Craft.data(session: relay.session, number: 0, publish)
        relay.core.receive(packet.span, from: relay.peer, now: relay.now)
        // One turn does not do it all, and says so.
        var batch = DatagramBatch()
        relay.core.write(into: &batch, now: relay.now)
        #expect(relay.core.wake == .zero)
        #expect((1...600).contains(relay.core.statistics.delivered))
        // Another client is served meanwhile.
        let (other, begun) = (Self.peer(9), relay.core.statistics.delivered)
        relay.core.receive(Craft.hello(session: relay.session).span, from: other, now: relay.now)
        batch.removeAll()
        relay.core.write(into: &batch, now: relay.now)
        #expect(batch.peer(0) == other)
        #expect(relay.core.statistics.delivered < 1_800 && relay.core.statistics.delivered <= begun + 600)
        _ = relay.takeSent()
        #expect(relay.core.statistics.delivered == 1_800)
        #expect(relay.core.wake != .zero)
    }
}
