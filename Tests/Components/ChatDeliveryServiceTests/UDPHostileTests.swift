import ChatDeliveryService
import ChatModel
import TestSupport
import Testing

/// Datagrams of a real stream, with every kind of frame and message in them.
private func recordedDatagrams(session: UInt64) -> [[UInt8]] {
    [
        Craft.header(2, session: session) + [4, 1, 2, 3, 4],
        Craft.header(3, session: session) + Craft.big(5, 8) + Craft.big(1_000, 4) + Craft.big(1 << 20, 4)
            + Craft.big(9, 44),
        Craft.header(4, session: session ^ 1) + [1, 0],
        Craft.data(session: session, number: 0, Craft.message(0, Craft.publish([1, 2, 3], id: 1))),
        Craft.data(session: session, number: 1, Craft.message(1, Craft.subscribe(1)), Craft.ping),
        Craft.data(session: session, number: 2, Craft.message(2, after: 1, [3, 0, 0, 0, 1])),
        Craft.data(session: session, number: 3, Craft.acknowledgement([(2, 3), (0, 0)]), [0, 0, 0]),
        Craft.data(session: session, number: 4, Craft.message(3, Craft.deliver(1, sequence: 9, [7]))),
        Craft.data(session: session, number: 5, Craft.message(4, [0x83] + Craft.big(1, 4) + Craft.big(9, 8))),
        Craft.data(session: session, number: 6, Craft.message(5, [0x81] + Craft.big(0, 8) + [0] + Craft.big(1, 16))),
        Craft.data(
            session: session, number: 7, Craft.message(6, total: 2_000, index: 1, [UInt8](repeating: 1, count: 880))),
    ]
}

@Test func `no datagram, whatever its bytes, breaks the decoder (UDP-7)`() throws {
    let valid = recordedDatagrams(session: 1)
    for bytes in valid {
        _ = try Datagram(bytes.span)
        for count in bytes.indices {
            let part = Array(bytes.prefix(count))
            _ = try? Datagram(part.span)
        }
    }
    var (accepted, refused) = (0, 0)
    var inputs = HostileInputs(seed: 1, valid: valid.map { Array($0.prefix(200)) })
    inputs.forEach { (bytes: [UInt8]) in
        do throws(UDPError) {
            _ = try Datagram(bytes.span)
            accepted += 1
        } catch {
            refused += 1
        }
    }
    #expect(accepted + refused == HostileInputs.usualCount)
    #expect(accepted > HostileInputs.usualCount / 20 && refused > HostileInputs.usualCount / 20)
}

@Test func `no message, whatever its bytes, breaks the decoders (UDP-7)`() throws {
    let requests = [
        Craft.publish([1, 2, 3], id: 1), Craft.subscribe(1), Craft.subscribe(1, since: 2), [3, 0, 0, 0, 1],
    ]
    let answers = [
        Craft.deliver(1, sequence: 9, [7]), [0x83] + Craft.big(1, 4) + Craft.big(9, 8),
        [0x81] + Craft.big(0, 8) + [0] + Craft.big(1, 16) + Craft.big(0, 8) + [2] + Craft.big(1, 16),
    ]
    for bytes in requests { _ = try Request(Bytes(bytes)) }
    for bytes in answers { _ = try Answer(Bytes(bytes)) }
    var accepted = 0
    var inputs = HostileInputs(seed: 2, valid: requests + answers)
    inputs.forEach { (bytes: [UInt8]) in
        if (try? Request(Bytes(bytes))) != nil { accepted += 1 }
        if (try? Answer(Bytes(bytes))) != nil { accepted += 1 }
    }
    #expect(accepted > HostileInputs.usualCount / 20)
}

@Test func `no stream of datagrams breaks a relay, and its memory stays bounded (UDP-18)`() {
    var limits = RelayLimits()
    (limits.totalBytes, limits.maximumPayload, limits.subscriptionsPerSession) = (1 << 20, 10_000, 50)
    var relay = LoneRelay(limits)
    relay.join()
    // Short ones: what a long one says is at its beginning.
    var inputs = HostileInputs(seed: 3, valid: recordedDatagrams(session: relay.session).map { Array($0.prefix(200)) })
    var batch = DatagramBatch()
    var count = 0
    inputs.forEach { (bytes: [UInt8]) in
        relay.core.receive(bytes.span, from: relay.peer, now: relay.now)
        count += 1
        guard count % 64 == 0 else { return }
        relay.now = relay.now + MicrosecondSpan(10_000)
        relay.core.tick(relay.now)
        batch.removeAll()
        relay.core.write(into: &batch, now: relay.now)
        // It may be thrown out for what it says; then it comes back.
        if count % 4_096 == 0 { relay.join() }
    }
    #expect(count == HostileInputs.usualCount)
    #expect(relay.core.statistics.published > 0)
    #expect(relay.core.statistics.malformed > HostileInputs.usualCount / 20)
    #expect(relay.core.statistics.retainedBytes <= 1 << 20)
    #expect(relay.core.statistics.subscriptions <= 50)
}

@Test func `no stream of datagrams breaks a client (UDP-19)`() {
    var network = VirtualNetwork()
    let saro = network.addClient()
    network.clients[saro].core.subscribe("hall", .now, key: 1, now: network.now)
    network.wait { $0.clients[saro].subscribed[1] == true }
    var session: UInt64 = 0
    network.tamper = { bytes, _, _ in
        session = (2..<10).reduce(0) { $0 << 8 | UInt64(bytes[$1]) }
        return bytes
    }
    network.clients[saro].publish(["x"], now: network.now)
    network.run(0.1)
    var client = network.clients[saro]
    var now = network.now
    var inputs = HostileInputs(seed: 4, valid: recordedDatagrams(session: session).map { Array($0.prefix(200)) })
    var batch = DatagramBatch()
    var count = 0
    inputs.forEach { (bytes: [UInt8]) in
        client.core.receive(bytes.span, from: VirtualNetwork.relayAddress, now: now)
        count += 1
        guard count % 64 == 0 else { return }
        now = now + MicrosecondSpan(1_000)
        client.handleEvents()
        client.core.tick(now)
        batch.removeAll()
        client.core.write(into: &batch, now: now)
    }
    #expect(count == HostileInputs.usualCount)
    #expect(client.core.statistics.malformed > HostileInputs.usualCount / 20)
}
