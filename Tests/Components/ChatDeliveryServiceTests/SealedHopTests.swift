import ChatCrypto
import ChatDeliveryService
import ChatModel
import Synchronization
import TestSupport
import Testing

/// Clients and a relay over sealed hops, in virtual time.
@Suite struct SealedHopTests {
    private static func sealed(
        seed: UInt64 = 1, limits: RelayLimits = RelayLimits()
    ) -> VirtualNetwork {
        VirtualNetwork.$isSealed.withValue(true) { VirtualNetwork(seed: seed, limits: limits) }
    }

    /// Saro publishes a text and waits until the relay has it.
    private static func publish(_ text: String, by client: Int, in network: inout VirtualNetwork) {
        let had = network.clients[client].taken
        network.clients[client].publish([text], now: network.now)
        network.wait { $0.clients[client].taken == had + 1 }
    }

    @Test func `the path reads neither addresses nor payloads, only sizes and times (UDP2-8)`() {
        var network = Self.sealed()
        let seen = Mutex<[[UInt8]]>([])
        network.tamper = { bytes, _, _ in
            seen.withLock { $0.append(bytes) }
            return bytes
        }
        let (saro, raya) = (network.addClient(), network.addClient())
        network.clients[raya].core.subscribe("a secret address", .earliest, key: 1, now: network.now)
        network.clients[saro].publish(["the payload of Saro"], on: "a secret address", now: network.now)
        network.wait { $0.clients[raya].received[1] == ["the payload of Saro"] }
        let texts = ["secret", "payload", "Saro"].map { Array($0.utf8) }
        for datagram in seen.withLock({ $0 }) {
            #expect(datagram[0] == 2, "nobody speaks in plain")
            for text in texts { #expect(!datagram.contains(text)) }
        }
    }

    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func `what is altered on the way is dropped, and everything arrives once (UDP2-9)`(seed: UInt64) {
        var network = Self.sealed(seed: seed)
        network.faults = .init(loss: 0.1, duplication: 0.2, jitter: 4)
        let random = Mutex(SplitMix64(seed: seed))
        network.tamper = { bytes, _, _ in
            random.withLock { random in
                guard Int.random(in: 0..<5, using: &random) == 0 else { return bytes }
                var changed = bytes
                changed[Int.random(in: 0..<bytes.count, using: &random)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                return changed
            }
        }
        var configuration = UDPConfiguration()
        configuration.deadline = .seconds(120)
        let (saro, raya) = (network.addClient(configuration), network.addClient(configuration))
        network.clients[raya].core.subscribe("hall", .earliest, key: 1, now: network.now)
        let texts = (0..<40).map { long($0, bytes: $0 % 7 == 0 ? 5_000 : 40) }
        network.clients[saro].publish(texts, now: network.now)
        network.wait(600) { $0.clients[saro].taken == 40 && $0.clients[raya].received[1]?.count == 40 }
        #expect(network.clients[raya].received[1] == texts)
        #expect(network.relay?.statistics.published == 40)
    }

    @Test func `keys are replaced every two minutes, through losses, and no session ends (UDP2-10)`() {
        let lines = Mutex<[String]>([])
        var network = Self.sealed()
        network.keyLog = HopKeyLog { line in lines.withLock { $0.append(line) } }
        network.startRelay()
        network.faults = .init(loss: 0.2, duplication: 0.1, jitter: 3)
        let (saro, raya) = (network.addClient(), network.addClient())
        network.clients[raya].core.subscribe("hall", .earliest, key: 1, now: network.now)
        for number in 0..<20 {
            Self.publish("\(number)", by: saro, in: &network)
            network.run(40)
        }
        network.wait { $0.clients[raya].received[1]?.count == 20 }
        #expect(network.clients[raya].received[1] == (0..<20).map(String.init))
        #expect(network.relay?.statistics.opened == 2)
        // 13 minutes: six exchanges of each client.
        let exchanges = lines.withLock { $0.count { $0.hasPrefix("KEY ") } }
        #expect((10...14).contains(exchanges), "\(exchanges)")
    }

    @Test func `a relay under load asks for cookies and computes nothing before (UDP2-5)`() throws {
        var network = Self.sealed()
        let relay = VirtualNetwork.relayKey.publicKey
        for number in 0..<400 as Range<UInt64> {
            let own = X25519.generate(seed: 1_000 + number)
            var noise = NoiseClient(prologue: SealedHandshake.prologue(id: number), relay: relay, ephemeral: own)
            let parameters = try ClientParameters(window: 1 << 20, largestDatagram: 1_200).encoded()
            let message = try noise.first(parameters)
            let hello = try SealedHandshake.hello(id: number, message: message, relay: relay, cookie: nil)
            let peer = NetworkAddress(v4: 0x0B00_0000 + UInt32(number), port: 1)
            network.inject(hello, from: peer, to: VirtualNetwork.relayAddress)
        }
        network.run(0.05)
        #expect(network.relay?.statistics.retries == 200, "after as many handshakes in 100 ms")
        let saro = network.addClient()
        network.wait(1) { $0.clients[saro].notices == ["joined"] }
        Self.publish("in", by: saro, in: &network)
        #expect(network.relay?.statistics.retries == 201, "and the client that shows its cookie is let in")
        #expect(network.relay?.statistics.sessions == 1)
    }

    @Test func `a client goes on from another address in the same session (UDP2-15, UDP2-16)`() {
        var network = Self.sealed()
        let (saro, raya) = (network.addClient(), network.addClient())
        network.clients[raya].core.subscribe("hall", .earliest, key: 1, now: network.now)
        Self.publish("before", by: saro, in: &network)
        network.wait { $0.clients[raya].received[1]?.count == 1 }
        network.clients[raya].address = NetworkAddress(v4: 0x0C00_0001, port: 5)
        network.clients[saro].address = NetworkAddress(v4: network.clients[saro].addressV4, port: 41_000)
        Self.publish("after", by: saro, in: &network)
        network.wait(30) { $0.clients[raya].received[1]?.count == 2 }
        #expect(network.clients[raya].received[1] == ["before", "after"])
        #expect(network.relay?.statistics.opened == 2)
        #expect(network.relay?.statistics.moved == 2)
        for client in network.clients { #expect(client.notices == ["joined"]) }
    }

    @Test func `a packet that is recorded and sent from elsewhere first does not move a session (UDP2-16)`() {
        var network = Self.sealed()
        let saro = network.addClient()
        Self.publish("one", by: saro, in: &network)
        let elsewhere = NetworkAddress(v4: 0x0D00_0001, port: 7)
        let copies = Mutex<[[UInt8]]>([])
        network.tamper = { bytes, _, to in
            if to == VirtualNetwork.relayAddress { copies.withLock { $0.append(bytes) } }
            return to == elsewhere ? nil : bytes
        }
        network.latency = 50_000
        network.clients[saro].publish(["two"], now: network.now)
        network.run(0.001)
        network.latency = 1_000
        for copy in copies.withLock({ $0 }) {
            network.inject(copy, from: elsewhere, to: VirtualNetwork.relayAddress)
        }
        network.latency = 10_000
        network.wait { $0.clients[saro].taken == 2 }
        network.run(40)
        #expect(network.relay?.statistics.moved == 0)
        #expect(network.relay?.statistics.sessions == 1)
        #expect(network.clients[saro].notices == ["joined"])
    }

    @Test func `only the relay's token ends a session from outside (UDP2-14)`() {
        var network = Self.sealed()
        let saro = network.addClient()
        let last = Mutex<[UInt8]>([])
        network.tamper = { bytes, _, to in
            if to == VirtualNetwork.relayAddress { last.withLock { $0 = bytes } }
            return bytes
        }
        Self.publish("one", by: saro, in: &network)
        // The id under which the relay gets packets, which is all that it knows of a session it does not have.
        var reset: [UInt8] = [2, 4] + last.withLock { Array($0[2..<10]) } + [UInt8](repeating: 0, count: 16)
        for byte in 0..<8 as Range<UInt8> {
            reset[20] = byte
            network.inject(reset, from: VirtualNetwork.relayAddress, to: network.clients[saro].address)
        }
        network.run(1)
        #expect(network.clients[saro].notices == ["joined"])
        // A relay with the same key that knows nothing of the session can end it.
        network.startRelay()
        network.clients[saro].publish(["two"], now: network.now)
        network.wait(1) { $0.clients[saro].taken == 2 }
        #expect(network.clients[saro].notices == ["joined", "interrupted", "joined", "resumed"])
    }

    @Test func `sealed and plain do not meet, and neither gives way (UDP2-2, UDP2-12)`() {
        var network = Self.sealed()
        let plain = network.addClient(sealed: false)
        network.run(3)
        #expect(network.clients[plain].notices.first?.contains("its hop is sealed") == true)
        #expect(network.relay?.statistics.sessions == 0)

        var other = VirtualNetwork()
        let versions = Mutex<Set<UInt8>>([])
        other.tamper = { bytes, from, _ in
            if from != VirtualNetwork.relayAddress { versions.withLock { _ = $0.insert(bytes[0]) } }
            return bytes
        }
        let sealed = other.addClient(sealed: true)
        other.run(3)
        #expect(other.clients[sealed].notices.first?.contains("its hop is in plain") == true)
        #expect(versions.withLock { $0 } == [2])
    }

    @Test func `a client that says goodbye is gone at once, and so is a relay (UDP2-13)`() {
        var network = Self.sealed()
        let (saro, raya) = (network.addClient(), network.addClient())
        network.wait { $0.clients.allSatisfy { $0.notices == ["joined"] } }
        network.run(1)
        #expect(network.relay?.statistics.sessions == 2)
        network.clients[saro].core.close()
        network.run(0.1)
        #expect(network.relay?.statistics.sessions == 1)
        network.relay?.close()
        network.wait(1) { $0.clients[raya].notices == ["joined", "interrupted"] }
    }
}

extension [UInt8] {
    fileprivate func contains(_ other: [UInt8]) -> Bool {
        guard count >= other.count else { return false }
        return (0...count - other.count).contains { Array(self[$0..<$0 + other.count]) == other }
    }
}
