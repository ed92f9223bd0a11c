import ChatDeliveryService
import ChatModel
import TestSupport
import Testing

private let numbers = (0..<50).map(String.init)

@Test(.bothHops) func `a client joins after it has shown that it receives at its address (UDP-3)`() {
    var network = VirtualNetwork()
    let saro = network.addClient()
    network.wait(1) { $0.clients[saro].notices == ["joined"] }
    if network.key == nil {
        #expect(network.sent == 4, "hello, challenge, hello with the cookie, welcome")
    } else {
        #expect(network.sent == 3, "hello, welcome, and the first packet")
        network.run(0.1)
    }
    #expect(network.relay?.statistics.opened == 1)
}

@Test(.bothHops) func `what is published arrives at every subscriber, in order (DS-01, DS-02, DS-12)`() {
    var network = VirtualNetwork()
    let (saro, raya) = (network.addClient(), network.addClient())
    for client in [saro, raya] { network.clients[client].core.subscribe("hall", .now, key: 1, now: network.now) }
    network.wait(2) { $0.clients.allSatisfy { $0.subscribed[1] == true } }
    network.clients[saro].publish(numbers, now: network.now)
    network.wait(2) { $0.clients.allSatisfy { $0.received[1]?.count == 50 } }
    for client in network.clients { #expect(client.received[1] == numbers) }
    #expect(network.clients[saro].taken == 50)
}

@Test(.bothHops, arguments: [1, 2, 3])
func `with 30 % loss, repeats and reordering both ways everything with an answer arrives, in order (DS-04, UDP-10)`(
    seed: UInt64
) {
    var network = VirtualNetwork(seed: seed)
    network.faults = .init(loss: 0.3, duplication: 0.1, jitter: 3)
    var configuration = UDPConfiguration()
    configuration.deadline = .seconds(120)
    let (saro, raya) = (network.addClient(configuration), network.addClient(configuration))
    network.clients[raya].core.subscribe("hall", .earliest, key: 1, now: network.now)
    let texts = (0..<60).map { long($0, bytes: $0 % 7 == 0 ? 5_000 : 40) }
    network.clients[saro].publish(texts, now: network.now)
    network.wait(600) {
        $0.clients[saro].published.count == 60 && $0.clients[raya].received[1]?.count == 60
    }
    #expect(network.clients[saro].taken == 60)
    #expect(network.clients[raya].received[1] == texts)
}

@Test(.bothHops) func `every datagram twice and in any order is everything once (UDP-8)`() {
    var network = VirtualNetwork(seed: 4)
    network.faults = .init(duplication: 1, jitter: 5)
    let (saro, raya) = (network.addClient(), network.addClient())
    network.clients[raya].core.subscribe("hall", .earliest, key: 1, now: network.now)
    let texts = (0..<100).map { long($0, bytes: $0 % 10 == 0 ? 3_000 : 30) }
    network.clients[saro].publish(texts, now: network.now)
    network.wait { $0.clients[saro].taken == 100 && $0.clients[raya].received[1]?.count == 100 }
    network.run(5)
    #expect(network.clients[raya].received[1] == texts)
    #expect(network.relay?.statistics.published == 100)
    #expect(network.relay?.statistics.repeated == 0)
}

@Test(.bothHops, arguments: [1_120, 1_121, 65_536, 1 << 20]) func `a payload of many datagrams arrives whole (UDP-9)`(
    size: Int
) {
    var network = VirtualNetwork()
    network.faults = .init(loss: 0.02)
    let (saro, raya) = (network.addClient(), network.addClient())
    network.clients[raya].core.subscribe("hall", .earliest, key: 1, now: network.now)
    let text = long(1, bytes: size)
    network.clients[saro].publish([text], now: network.now)
    network.wait { $0.clients[raya].received[1] != nil }
    #expect(network.clients[raya].received[1] == [text])
}

@Test(.bothHops) func `a large payload does not flood the path (UDP-12)`() {
    var network = VirtualNetwork()
    let saro = network.addClient()
    network.wait { $0.clients[saro].notices == ["joined"] }
    let before = network.sent
    network.clients[saro].publish([long(1, bytes: 1 << 20)], now: network.now)
    network.run(0.005)
    #expect(network.sent - before == 16, "before anything was acknowledged")
    network.wait { $0.clients[saro].taken == 1 }
    network.clients[saro].publish([long(2, bytes: 1 << 20)], now: network.now)
    let later = network.sent
    network.run(0.005)
    #expect((17...300).contains(network.sent - later), "what the path has shown that it carries")
}

@Test(.bothHops) func `a payload too large is refused by the relay with numbers (DS-09)`() {
    var limits = RelayLimits()
    limits.maximumPayload = 1_000
    var network = VirtualNetwork(limits: limits)
    let saro = network.addClient()
    let token = network.clients[saro].publish(addressed(long(1, bytes: 1_001)), now: network.now)
    network.wait { $0.clients[saro].published.count == 1 }
    #expect(network.clients[saro].published[token] == .failure(.tooLarge(bytes: 1_001, limit: 1_000)))
}

@Test(.bothHops) func `a host that has used its quota is told when to come back, in a new session too (DS-10, UDP-16)`()
{
    var limits = RelayLimits()
    limits.rate = .init(payloads: 3, epoch: .seconds(60))
    var network = VirtualNetwork(limits: limits)
    let saro = network.addClient()
    let tokens = network.clients[saro].publish(["1", "2", "3", "4"], now: network.now)
    network.wait { $0.clients[saro].published.count == 4 }
    #expect(network.clients[saro].taken == 3)
    #expect(network.clients[saro].published[tokens[3]] == .failure(.rateLimited(limit: 3, retryAfter: .seconds(60))))
    let again = VirtualClient(saro, UDPConfiguration(), key: network.key?.publicKey, seed: 99, now: network.now)
    network.clients[saro] = again
    network.clients[saro].publish(["5"], now: network.now)
    network.wait { $0.clients[saro].published.count == 1 }
    #expect(network.clients[saro].taken == 0)
    network.run(61)
    network.clients[saro].publish(["6"], now: network.now)
    network.wait { $0.clients[saro].taken == 1 }
}

@Test(.bothHops) func `a subscriber that comes back gets what it missed after its cursor (DS-11)`() throws {
    var network = VirtualNetwork()
    let (saro, raya) = (network.addClient(), network.addClient())
    network.clients[raya].core.subscribe("hall", .now, key: 1, now: network.now)
    network.wait { $0.clients[raya].subscribed[1] == true }
    network.clients[saro].publish(["one", "two"], now: network.now)
    network.wait { $0.clients[raya].received[1]?.count == 2 }
    let cursor = try #require(network.clients[raya].cursors[1])
    network.clients[raya].core.close()
    network.run(1)
    #expect(network.relay?.statistics.sessions == 1, "it said goodbye")
    network.clients[saro].publish(["three", "four"], now: network.now)
    network.run(1)
    let again = network.addClient()
    network.clients[again].core.subscribe("hall", .after(cursor), key: 1, now: network.now)
    network.clients[again].core.subscribe("hall", .earliest, key: 2, now: network.now)
    network.wait { $0.clients[again].received[2]?.count == 4 }
    #expect(network.clients[again].received[1] == ["three", "four"])
    #expect(network.clients[again].notices == ["joined"], "nothing is gone")
}

@Test(.bothHops) func `what the relay no longer keeps is told as gone (DS-11)`() throws {
    var limits = RelayLimits()
    limits.retention = .init(payloads: 2, bytes: 1 << 20, age: .seconds(60))
    var network = VirtualNetwork(limits: limits)
    let (saro, raya) = (network.addClient(), network.addClient())
    let tokens = network.clients[saro].publish(["1", "2", "3", "4"], now: network.now)
    network.wait { $0.clients[saro].taken == 4 }
    let cursor = try #require(network.clients[saro].published[tokens[0]]?.cursor)
    network.clients[raya].core.subscribe("hall", .after(cursor), key: 1, now: network.now)
    network.wait { $0.clients[raya].received[1]?.count == 2 }
    #expect(network.clients[raya].received[1] == ["3", "4"])
    #expect(network.clients[raya].notices == ["joined", "gone 1"])
    network.run(70)
    network.clients[raya].core.subscribe("hall", .earliest, key: 2, now: network.now)
    network.run(2)
    #expect(network.clients[raya].received[2] == nil, "too old")
}

@Test(.bothHops) func `a full mailbox makes the relay wait, and nothing is lost or repeated (UDP-13)`() {
    var network = VirtualNetwork(seed: 3)
    network.faults = .init(loss: 0.1)
    let (saro, raya) = (network.addClient(), network.addClient())
    network.clients[raya].room = 5
    network.clients[raya].core.subscribe("hall", .now, key: 1, now: network.now)
    network.wait { $0.clients[raya].subscribed[1] == true }
    let texts = (0..<300).map(String.init)
    network.clients[saro].publish(texts, now: network.now)
    network.wait { $0.clients[saro].taken == 300 }
    network.run(3)
    #expect(network.clients[raya].received[1]?.count == 5)
    let quiet = network.sent
    network.run(3)
    #expect(network.sent - quiet < 8, "no retries at a full mailbox")
    for _ in 0..<59 {
        let had = network.clients[raya].received[1]?.count ?? 0
        network.clients[raya].makeRoom(5)
        network.wait { $0.clients[raya].received[1]?.count == had + 5 }
    }
    network.clients[raya].makeRoom(nil)
    network.run(2)
    #expect(network.clients[raya].received[1] == texts)
}

@Test(.bothHops) func `an idle client stays, a silent one is forgotten and comes back (UDP-11, DS-14)`() {
    var network = VirtualNetwork()
    let (saro, raya) = (network.addClient(), network.addClient())
    network.clients[raya].core.subscribe("hall", .now, key: 1, now: network.now)
    network.run(600)
    #expect(network.relay?.statistics.sessions == 2)
    #expect(network.relay?.statistics.expired == 0)
    let raysAddress = network.clients[raya].address
    network.tamper = { bytes, from, to in from == raysAddress || to == raysAddress ? nil : bytes }
    network.run(40)
    #expect(network.relay?.statistics.sessions == 1)
    #expect(network.relay?.statistics.subscriptions == 0)
    #expect(network.clients[raya].notices == ["joined", "interrupted"])
    network.clients[saro].publish(["missed"], now: network.now)
    network.wait { $0.clients[saro].taken == 1 }
    network.tamper = nil
    network.wait { $0.clients[raya].received[1] == ["missed"] }
    #expect(network.clients[raya].notices == ["joined", "interrupted", "joined", "resumed"])
}

@Test(.bothHops) func `without a relay a publish fails in time, and works once there is one (DS-13)`() {
    var network = VirtualNetwork()
    let relay = network.relay
    network.relay = nil
    let saro = network.addClient()
    let token = network.clients[saro].publish(addressed("lost"), now: network.now)
    network.clients[saro].core.subscribe("hall", .now, key: 1, now: network.now)
    network.run(9.9)
    #expect(network.clients[saro].published.isEmpty)
    network.run(0.2)
    #expect(network.clients[saro].published[token] == .failure(.unreachable("relay", after: .seconds(10))))
    #expect(network.clients[saro].subscribed[1] == false)
    #expect(network.sent < 12, "it asks less and less often")
    network.clients[saro].publish(["kept"], now: network.now)
    network.relay = relay
    network.wait(6) { $0.clients[saro].taken == 1 }
}

@Test(.bothHops, arguments: [1, 2, 3, 4, 5])
func `a relay that restarts in the middle of a stream loses nothing without an answer (DS-14, UDP-5)`(
    seed: UInt64
) {
    var network = VirtualNetwork(seed: seed)
    network.faults = .init(loss: 0.1)
    var configuration = UDPConfiguration()
    configuration.deadline = .seconds(60)
    let (saro, raya) = (network.addClient(configuration), network.addClient(configuration))
    network.clients[raya].core.subscribe("hall", .now, key: 1, now: network.now)
    network.wait { $0.clients[raya].subscribed[1] == true }
    let texts = (0..<400).map { long($0, bytes: 500) }
    network.clients[saro].publish(texts, now: network.now)
    network.run(0.05 + 0.02 * Double(seed))
    let answered = network.clients[saro].taken
    network.startRelay()
    network.wait(120) { $0.clients[saro].published.count == 400 }
    network.run(20)
    #expect(answered < 400, "the restart came in the middle")
    #expect(network.clients[saro].taken == 400)
    let received = network.clients[raya].received[1] ?? []
    let missing = Set(texts).subtracting(received)
    #expect(missing.count <= answered, "only what the first relay had answered for can be lost with it")
    #expect(network.clients[raya].notices == ["joined", "interrupted", "joined", "resumed", "gone 1"])
    for client in network.clients {
        #expect(client.notices.starts(with: ["joined", "interrupted", "joined", "resumed"]))
    }
}

@Test(.bothHops) func `a session that is lost while the relay lives repeats nothing (UDP-14)`() {
    var network = VirtualNetwork()
    let (saro, raya) = (network.addClient(), network.addClient())
    network.clients[raya].core.subscribe("hall", .now, key: 1, now: network.now)
    network.wait { $0.clients[raya].subscribed[1] == true && $0.clients[saro].notices == ["joined"] }
    let sarosAddress = network.clients[saro].address
    // The relay hears Saro, who hears nothing, until the session is given up.
    network.tamper = { bytes, _, to in to == sarosAddress ? nil : bytes }
    network.clients[saro].publish(["once", "only"], now: network.now)
    network.run(6)
    #expect(network.clients[saro].notices == ["joined", "interrupted"])
    network.tamper = nil
    network.wait { $0.clients[saro].taken == 2 }
    network.run(2)
    #expect(network.clients[raya].received[1] == ["once", "only"])
    #expect((network.relay?.statistics.repeated ?? 0) >= 2)
}

@Test(.bothHops) func `unsubscribing ends deliveries, and subscribing again begins anew (DS-13)`() {
    var network = VirtualNetwork()
    let (saro, raya) = (network.addClient(), network.addClient())
    network.clients[raya].core.subscribe("hall", .now, key: 1, now: network.now)
    network.wait { $0.clients[raya].subscribed[1] == true }
    network.clients[raya].core.unsubscribe(1)
    network.run(1)
    #expect(network.relay?.statistics.subscriptions == 0)
    network.clients[saro].publish(["unheard"], now: network.now)
    network.wait { $0.clients[saro].taken == 1 }
    network.clients[raya].core.subscribe("hall", .now, key: 2, now: network.now)
    network.wait { $0.clients[raya].subscribed[2] == true }
    network.clients[saro].publish(["heard"], now: network.now)
    network.wait { $0.clients[raya].received[2] == ["heard"] }
    #expect(network.clients[raya].received[1] == nil)
}

@Test(.bothHops) func `addresses do not wait for each other (UDP-9)`() {
    var network = VirtualNetwork()
    let (saro, raya) = (network.addClient(), network.addClient())
    network.clients[raya].core.subscribe("large", .now, key: 1, now: network.now)
    network.clients[raya].core.subscribe("small", .now, key: 2, now: network.now)
    network.wait { $0.clients[raya].subscribed.count == 2 }
    // One piece of the large payload is lost for a while.
    var dropped = 0
    let size = network.key == nil ? 1_157 : 1_174
    network.tamper = { bytes, _, to in
        guard to == VirtualNetwork.relayAddress, bytes.count == size, dropped == 0 else { return bytes }
        dropped += 1
        return nil
    }
    network.clients[saro].publish([long(1, bytes: 10_000)], on: "large", now: network.now)
    network.clients[saro].publish(["quick"], on: "small", now: network.now)
    network.wait { $0.clients[raya].received[2] == ["quick"] }
    #expect(network.clients[raya].received[1] == nil)
    network.wait { $0.clients[raya].received[1]?.count == 1 }
    #expect(dropped == 1)
}
