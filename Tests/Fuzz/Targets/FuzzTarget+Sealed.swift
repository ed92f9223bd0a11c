import ChatCrypto
import ChatDeliveryService
import ChatModel

extension FuzzTarget {
    /// The sealed hop: datagrams of a handshake, the parameters inside, and packets on a bad way.
    static func sealed() throws -> [FuzzTarget] {
        let hop = try SealedHop()
        return [handshake(hop), parameters(hop), packets(hop)]
    }

    /// A relay reads a HELLO, a client its answers; nothing that is accepted is longer than what it answers.
    private static func handshake(_ hop: SealedHop) -> FuzzTarget {
        FuzzTarget("sealed-handshake", seeds: [hop.hello, hop.retry, hop.welcome]) { bytes in
            let (noise, cookie, answer) = (hop.readHello(bytes), hop.readRetry(bytes), hop.readWelcome(bytes))
            let isSame = bytes.prefix(1_184) == hop.hello.prefix(1_184)  // less the second code
            try demand(noise == nil || isSame, "a HELLO of another sender opens")
            try demand(cookie == nil || bytes.count < hop.hello.count, "a RETRY is longer than a HELLO")
            try demand(answer == nil || bytes[10...] == hop.welcome[10...], "a WELCOME of another relay opens")
            return noise != nil || cookie != nil || answer != nil
        }
    }

    /// Parameters that are accepted say the same when they are written again.
    private static func parameters(_ hop: SealedHop) -> FuzzTarget {
        let seeds = [hop.clientParameters, hop.relayParameters].map { Array($0.prefix(128)) }
        return FuzzTarget("sealed-parameters", seeds: seeds) { bytes in
            let (client, relay) = (SealedHop.client(bytes), SealedHop.relay(bytes))
            if let client { try demand(SealedHop.client(client.encoded()) == client, "a client says something else") }
            if let relay { try demand(SealedHop.relay(relay.encoded()) == relay, "a relay says something else") }
            return client != nil || relay != nil
        }
    }

    /// Packets are opened once each or not at all, with what was sealed, through loss, repetition, disorder, damage and
    /// new keys; each byte of the input is a decision.
    private static func packets(_ hop: SealedHop) -> FuzzTarget {
        FuzzTarget("steps-sealed-packets", seeds: [[0, 0, 1, 2, 3, 4, 1, 1, 5, 0, 1]], isGenerated: true) { decisions in
            var (sealer, opener) = (hop.sealer, hop.opener)
            var (under, taken): ([[UInt8]], Set<UInt64>) = ([], [])
            var exchanges: UInt8 = 0
            for decision in decisions.prefix(512) {
                let pick = under.isEmpty ? 0 : Int(decision / 8) % under.count
                switch decision % 8 {
                case 0, 1, 2:
                    var packet: [UInt8] = []
                    try SealedHop.seal([decision, exchanges], &sealer, to: &packet)
                    under.append(packet)
                case 3 where !under.isEmpty: under.remove(at: pick)
                case 4 where !under.isEmpty: under[pick][Int(decision) % under[pick].count] ^= 1 << (decision % 7)
                case 5 where exchanges < 255 && opener.generation == sealer.generation:
                    exchanges += 1
                    let shared = Secret(count: 32) { bytes in bytes[0] = exchanges }
                    try opener.expect(mixing: shared)
                    try sealer.advance(mixing: shared)
                case 6: sealer.skip(UInt64(decision))
                case 7 where !under.isEmpty:
                    let (before, packet) = (opener, under[pick])
                    guard let opened = SealedHop.open(packet, &opener) else {
                        try demand(opener == before, "a refused packet changed the state")
                        continue
                    }
                    try demand(taken.insert(opened.number).inserted, "packet \(opened.number) was opened twice")
                    try demand(opened.number < sealer.next && opened.frames.count == 2, "nobody sealed that")
                default: continue
                }
            }
            return true
        }
    }
}

/// A relay and a client in the middle of a handshake, and the keys of one direction.
struct SealedHop: Sendable {
    let relay: KeyPair
    let client: NoiseClient
    let hello: [UInt8]
    let retry: [UInt8]
    let welcome: [UInt8]
    let clientParameters: [UInt8]
    let relayParameters: [UInt8]
    let sealer: PacketSealer
    let opener: PacketOpener

    init() throws {
        var random: any RandomSource = RepeatableRandom(seed: 1)
        let keys = (0..<3).map { _ in X25519.generate(using: &random, for: .handshakeEphemeralPrivate) }
        let (own, prologue) = (keys[0], SealedHandshake.prologue(id: 1))
        let (asked, said) = try (
            ClientParameters(window: 1 << 21, largestDatagram: 1_452).encoded(),
            RelayParameters.refused(limit: 1, milliseconds: 5_000).encoded()
        )
        var noise = NoiseClient(prologue: prologue, relay: own.publicKey, ephemeral: keys[1])
        let message = try noise.first(asked.span)
        let greeting = try SealedHandshake.hello(id: 1, message: message, relay: own.publicKey, cookie: nil)
        let read = try SealedHandshake.readHello(greeting.span, relay: own.publicKey)
        let two = [UInt8](repeating: 2, count: 16)
        let cookie = Secret(copying: two.span)
        let again = try SealedHandshake.retry(
            read, cookie: cookie, nonce: [UInt8](repeating: 3, count: 24), relay: own.publicKey)
        let other = try NoiseRelay(prologue: prologue, own: own, first: greeting.span.extracting(read.message))
        let (answer, outcome) = try other.second(said.span, ephemeral: keys[2])
        let key = try PacketKey(sealing: outcome.toRelay, root: outcome.root, label: "to relay")
        (relay, client, hello, retry) = (own, noise, greeting, again)
        welcome = try SealedHandshake.welcome(id: 1, message: answer)
        (clientParameters, relayParameters) = (asked, said)
        (sealer, opener) = (PacketSealer(key), PacketOpener(key))
    }

    func readHello(_ bytes: [UInt8]) -> NoiseRelay? {
        guard let read = try? SealedHandshake.readHello(bytes.span, relay: relay.publicKey) else { return nil }
        let prologue = SealedHandshake.prologue(id: read.id)
        return try? NoiseRelay(prologue: prologue, own: relay, first: bytes.span.extracting(read.message))
    }

    func readRetry(_ bytes: [UInt8]) -> Secret? {
        try? SealedHandshake.cookie(in: bytes.span, hello: hello.span, relay: relay.publicKey)
    }

    func readWelcome(_ bytes: [UInt8]) -> RelayParameters? {
        guard bytes.count > 10, let answer = try? client.second(bytes.span.extracting(10..<bytes.count)) else {
            return nil
        }
        return Self.relay(answer.payload)
    }

    static func client(_ bytes: [UInt8]) -> ClientParameters? { try? ClientParameters(bytes.span) }
    static func relay(_ bytes: [UInt8]) -> RelayParameters? { try? RelayParameters(bytes.span) }

    static func seal(_ frames: [UInt8], _ sealer: inout PacketSealer, to packet: inout [UInt8]) throws {
        _ = try sealer.seal(frames.span, id: 1, to: &packet)
    }

    static func open(_ packet: [UInt8], _ opener: inout PacketOpener) -> (number: UInt64, frames: [UInt8])? {
        try? opener.open(packet.span)
    }
}
