import ChatDeliveryService
import ChatModel
import TestSupport
import Testing

/// Waits that must grow, and refusals that must pass.
@Suite struct UDPBackOffTests {
    /// A client whose subscription the relay agreed to, after a restart of the relay.
    private static func again() -> LiedTo {
        var configuration = UDPConfiguration()
        // Only the subscription is watched, so nothing else goes out by itself.
        (configuration.patience, configuration.keepAlive) = (.seconds(1_000), .seconds(1_000))
        var lied = LiedTo(configuration)
        lied.subscribe()
        lied.receive(Craft.header(4, session: lied.session) + [4, 0])
        lied.follow(lied.wait(1).map(\.datagram))
        lied.welcome(epoch: 6, idle: 3_000_000)
        return lied
    }

    /// How many subscriptions are asked for within some seconds.
    private static func asked(_ lied: inout LiedTo, _ seconds: Double) -> Int {
        lied.wait(seconds).count { $0.datagram.dropFirst(18 + 19).first == 2 }
    }

    @Test func `a subscription that is refused for a while is asked for again after the named wait (UDP-22)`() {
        var lied = Self.again()
        #expect(Self.asked(&lied, 0.01) == 1)
        lied.receive(Craft.data(session: lied.session, number: 9, Craft.acknowledgement([(0, 0)])))
        lied.answer(0, 4, 0, 5_000)
        #expect(Self.asked(&lied, 4.9) == 0)
        #expect(Self.asked(&lied, 0.2) >= 1)
        #expect(lied.client.notices == ["joined", "interrupted", "joined", "resumed"], "nothing has ended")
        lied.answer(1, 0, 7)
        lied.say(Craft.deliver(2, sequence: 8, [0x61]))
        #expect(lied.client.received[1] == ["a"])
    }

    @Test(arguments: [(0, 1.0), (3_600_000, 60), (.max, 60)] as [(UInt64, Double)])
    func `no relay makes a client wait for more than a minute, nor ask at once (UDP-22)`(
        milliseconds: UInt64, seconds: Double
    ) {
        var lied = Self.again()
        #expect(Self.asked(&lied, 0.01) == 1)
        lied.receive(Craft.data(session: lied.session, number: 9, Craft.acknowledgement([(0, 0)])))
        lied.answer(0, 2, 5, milliseconds)
        #expect(Self.asked(&lied, seconds - 0.02) == 0)
        #expect(Self.asked(&lied, 0.04) >= 1)
    }

    @Test func `a subscription that is refused for good ends, and a new one is refused to its caller (UDP-22)`() {
        var lied = Self.again()
        _ = lied.takeSent()
        lied.answer(0, 3)
        #expect(lied.client.notices.last == "ended 1")
        lied.client.core.subscribe("yard", .now, key: 2, now: lied.now)
        _ = lied.takeSent()
        lied.answer(1, 4, 0, 5_000)
        #expect(lied.client.subscribed[2] == false)
        lied.receive(Craft.data(session: lied.session, number: 90, Craft.acknowledgement([(0, 1)])))
        #expect(Self.asked(&lied, 70) == 0)
    }

    /// A client that asked again in a new session and, before the relay answered, had no room and then room again:
    /// number 1 was asked for in message 0 and given up in message 1, number 2 was asked for in message 2.
    private static func renumbered() -> LiedTo {
        var lied = again()
        _ = lied.takeSent()
        lied.client.core.stall(1, at: HistoryPosition(epoch: 6, sequence: 4))
        lied.client.core.resume(1)
        _ = lied.takeSent()
        return lied
    }

    @Test func `a refusal of a number that was given up refuses nothing (UDP-22)`() {
        for code in [3, 4] as [UInt8] {
            var lied = Self.renumbered()
            lied.answer(0, code, 0, 5_000)
            lied.answer(2, 0, 4)
            lied.say(Craft.deliver(2, sequence: 5, [0x61]))
            #expect(lied.client.received[1] == ["a"], "code \(code)")
            #expect(lied.client.notices.last == "resumed", "nothing has ended")
        }
    }

    @Test func `an answer about a number that was given up says nothing about where the next one begins (UDP-22)`() {
        // What lies between is told as gone under the old number, which nobody listens to any more.
        var lied = Self.renumbered()
        lied.answer(0, 0, 20)
        lied.say([0x83] + Craft.big(1, 4) + Craft.big(20, 8))
        lied.answer(2, 0, 4)
        for sequence in [5, 21] as [UInt64] { lied.say(Craft.deliver(2, sequence: sequence, [UInt8(sequence)])) }
        #expect(lied.client.received[1]?.count == 2, "\(lied.client.received)")
        #expect(lied.client.core.statistics.unexpected == 0)
    }

    @Test func `a new subscription is agreed to though its number was given up meanwhile (UDP-22)`() {
        var lied = LiedTo()
        lied.welcome()
        lied.client.core.subscribe("hall", .now, key: 1, now: lied.now)
        _ = lied.takeSent()
        // A payload overtakes the answer, and finds no room.
        lied.say(Craft.deliver(1, sequence: 5, [0x61]))
        lied.client.core.stall(1, at: HistoryPosition(epoch: 5, sequence: 4))
        lied.answer(0, 0, 4)
        #expect(lied.client.subscribed[1] == true)
    }

    @Test func `a relay that welcomes and resets at once is sought less and less often (UDP-23)`() {
        var lied = LiedTo()
        var hellos: [UInt64] = []
        let start = lied.now
        for _ in 0..<8 {
            lied.welcome()
            lied.receive(Craft.header(4, session: lied.session) + [1, 0])
            let sent = lied.wait(0.001).isEmpty ? untilHello(&lied) : []
            lied.follow(sent)
            hellos.append(lied.now.since(start).milliseconds)
        }
        let gaps = zip(hellos, [0] + hellos).map { $0 - $1 }
        for (gap, least) in zip(gaps, [250, 500, 1_000, 2_000, 4_000, 4_000, 4_000, 4_000] as [UInt64]) {
            #expect((least...least + least / 4 + 2).contains(gap))
        }
        // A session that lasted makes the next one cheap again.
        lied.welcome()
        let packet = Craft.data(session: lied.session, number: 0, Craft.ping)
        lied.now = lied.now + MicrosecondSpan(30_000_000)
        lied.receive(packet)
        lied.receive(Craft.header(4, session: lied.session) + [1, 0])
        let lost = lied.now
        _ = untilHello(&lied)
        #expect((250...313).contains(lied.now.since(lost).milliseconds))
    }

    private func untilHello(_ lied: inout LiedTo) -> [[UInt8]] {
        for _ in 0..<100 {
            let sent = lied.takeSent()
            if sent.contains(where: { $0[1] == 1 }) { return sent }
            lied.now = max(lied.now, lied.client.core.wake ?? lied.now)
            lied.client.core.tick(lied.now)
        }
        return []
    }

    @Test func `with no answer pieces go out again though the window is full, twice as late each time (UDP-10)`() {
        var configuration = UDPConfiguration()
        (configuration.patience, configuration.deadline) = (.seconds(60), .seconds(60))
        var lied = LiedTo(configuration)
        lied.welcome(largest: 100_000)
        lied.client.publish(addressed(long(1, bytes: 50_000)), now: lied.now)
        #expect(lied.takeSent().count == 16)
        let probes = lied.wait(9)
        let times = probes.map(\.after)
        #expect(probes.allSatisfy { $0.datagram.count == 1_200 }, "a relay that does not know us may answer them")
        #expect(times.count == 2 * 6)
        let rounds = stride(from: 0, to: times.count, by: 2).map { times[$0] }
        #expect(rounds == [249, 747, 1_743, 3_735, 5_735, 7_735])
        // After three waits in vain the window is four datagrams.
        lied.receive(Craft.data(session: lied.session, number: 0, Craft.acknowledgement([(27, 27)])))
        #expect((1...4).contains(lied.takeSent().count))
    }

    @Test(.bothHops) func `a relay that was restarted is found again at the first probe (UDP-4, UDP-11)`() {
        var network = VirtualNetwork()
        let saro = network.addClient()
        network.clients[saro].publish(["before"], now: network.now)
        network.wait { $0.clients[saro].taken == 1 }
        network.startRelay()
        network.clients[saro].publish(["after"], now: network.now)
        network.wait(1) { $0.clients[saro].taken == 2 }
    }
}
