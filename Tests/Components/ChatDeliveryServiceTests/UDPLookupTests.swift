import ChatCrypto
import ChatModel
import TestSupport
import Testing

@testable import ChatDeliveryService

private func asked(_ core: inout ClientCore, _ now: MonotonicInstant) -> [NetworkAddress] {
    var batch = DatagramBatch()
    core.write(into: &batch, now: now)
    return (0..<batch.count).map { batch.peer($0) }
}

@Test func `a relay that moves is sought where its name leads now (UDP-24)`() {
    let (old, new) = (NetworkAddress(v4: 1, port: 9_220), NetworkAddress(v4: 2, port: 9_220))
    var now = MonotonicInstant.zero
    var core = ClientCore(name: "relay", relays: [], UDPConfiguration(), random: SeededRandom(1), now: now)
    #expect(core.isSeeking)
    #expect(asked(&core, now).isEmpty, "nothing is known yet")
    for address in [old, new] {
        core.reach(at: [address])
        core.reach(at: [])
        now = core.wake ?? now
        #expect(asked(&core, now) == [address])
        now = core.wake ?? now
        #expect(asked(&core, now) == [address])
    }
}

@Test(.timeLimit(.minutes(30)))
func `a name that means nothing yet is an error, or the service starts offline (UDP-24)`()
    async throws
{
    await #expect(throws: DeliveryError.self) { try await UDPDeliveryService(relay: "relay.invalid:9220") }
    var configuration = UDPConfiguration()
    configuration.startsOffline = true
    configuration.handshakeDeadline = .milliseconds(100)
    let service = try await UDPDeliveryService(relay: "relay.invalid:9220", configuration: configuration)
    #expect(service.trouble?.contains("relay.invalid") == true)
    service.close()
}

@Test func `a relay that refuses without a wait is not asked at once (UDP2-6, UDP-22)`() throws {
    var random: any RandomSource = SeededRandom(2)
    let own = X25519.generate(using: &random, for: .handshakeEphemeralPrivate)
    let place = NetworkAddress(v4: 1, port: 9_220)
    var now = MonotonicInstant.zero
    var core = ClientCore(
        name: "relay", relays: [place], key: own.publicKey, UDPConfiguration(), random: SeededRandom(1), now: now)
    var refusals = 0
    for _ in 0..<100 {
        var batch = DatagramBatch()
        core.tick(now)
        core.write(into: &batch, now: now)
        for index in 0..<batch.count {
            let bytes = batch.datagram(index)
            let hello = try SealedHandshake.readHello(bytes.span, relay: own.publicKey)
            let handshake = try NoiseRelay(
                prologue: SealedHandshake.prologue(id: hello.id), own: own,
                first: bytes.span.extracting(hello.message))
            let payload = try RelayParameters.refused(limit: 1, milliseconds: 0).encoded()
            let ephemeral = X25519.generate(using: &random, for: .handshakeEphemeralPrivate)
            let (second, _) = try handshake.second(payload.span, ephemeral: ephemeral)
            let answer = try SealedHandshake.welcome(id: hello.id, message: second)
            core.receive(answer.span, from: place, now: now)
            refusals += 1
        }
        now = now + MicrosecondSpan(50_000)
    }
    #expect((2...6).contains(refusals), "\(refusals) in five seconds")
}
