import ChatCrypto
import ChatDeliveryService
import ChatModel
import TestSupport
import Testing

/// A relay's key, a client's and a relay's ephemeral ones, by seed.
struct SealedCast {
    let relay: KeyPair
    let client: KeyPair
    let answer: KeyPair
    let id: UInt64 = 0x1122_3344_5566_7788
    let raya = NetworkAddress(v4: 0x0A00_0102, port: 40_000)

    init(seed: UInt64 = 1) {
        var random: any RandomSource = SeededRandom(seed)
        relay = X25519.generate(using: &random, for: .handshakeEphemeralPrivate)
        client = X25519.generate(using: &random, for: .handshakeEphemeralPrivate)
        answer = X25519.generate(using: &random, for: .handshakeEphemeralPrivate)
    }

    var prologue: [UInt8] { SealedHandshake.prologue(id: id) }
    var parameters: ClientParameters { ClientParameters(window: 1 << 21, largestDatagram: 1_452) }

    /// A client that has sent its HELLO.
    func hello(cookie: Secret? = nil) throws -> (noise: NoiseClient, datagram: [UInt8]) {
        var noise = NoiseClient(prologue: prologue, relay: relay.publicKey, ephemeral: client)
        let message = try noise.first(parameters.encoded())
        return (noise, try SealedHandshake.hello(id: id, message: message, relay: relay.publicKey, cookie: cookie))
    }

    /// What the relay makes of a HELLO.
    func read(_ hello: [UInt8]) throws -> NoiseRelay {
        let read = try SealedHandshake.readHello(hello, relay: relay.publicKey)
        return try NoiseRelay(
            prologue: SealedHandshake.prologue(id: read.id), own: relay,
            first: Array(hello[read.message]))
    }

    var welcome: RelayParameters {
        let limits = Welcome(
            epoch: 7, maximumPayload: 1 << 20, window: 1 << 20, idleMilliseconds: 30_000, ratePayloads: 0,
            rateMilliseconds: 0, retainedPayloads: 4_096, retainedBytes: 1 << 24, retainedMilliseconds: 600_000)
        return .welcome(
            SealedWelcome(
                id: 9, resetToken: [UInt8](repeating: 5, count: 16), largestDatagram: 1_452, limits: limits))
    }
}

// Arrays instead of spans, which `#expect` cannot take apart.
extension Secret {
    static func repeating(_ byte: UInt8, count: Int = 32) -> Secret {
        Secret(count: count) { bytes in for index in bytes.indices { bytes[index] = byte } }
    }

    static func of(_ bytes: [UInt8]) -> Secret { Secret(copying: bytes.span) }
}

extension NoiseClient {
    mutating func first(_ payload: [UInt8]) throws(CryptoError) -> [UInt8] { try first(payload.span) }
    func second(_ message: [UInt8]) throws(CryptoError) -> (payload: [UInt8], Noise.Outcome) {
        try second(message.span)
    }
}

extension NoiseRelay {
    init(prologue: [UInt8], own: KeyPair, first message: [UInt8]) throws(CryptoError) {
        try self.init(prologue: prologue, own: own, first: message.span)
    }
    func second(_ payload: [UInt8], ephemeral: KeyPair) throws(CryptoError) -> (message: [UInt8], Noise.Outcome) {
        try second(payload.span, ephemeral: ephemeral)
    }
}

extension PacketOpener {
    mutating func open(_ packet: [UInt8]) throws(SealedError) -> (number: UInt64, frames: [UInt8]) {
        try open(packet.span)
    }
}

extension SealedHandshake {
    static func readHello(_ bytes: [UInt8], relay: PublicKey) throws(UDPError) -> ReadHello {
        try readHello(bytes.span, relay: relay)
    }
    static func cookie(in bytes: [UInt8], hello: [UInt8], relay: PublicKey) throws(UDPError) -> Secret {
        try cookie(in: bytes.span, hello: hello.span, relay: relay)
    }
}

extension SealedCookies {
    func isProven(_ hello: [UInt8], from peer: NetworkAddress, _ now: MonotonicInstant) -> Bool {
        isProven(hello.span, from: peer, now)
    }
}

extension ClientParameters {
    init(_ bytes: [UInt8]) throws(UDPError) { try self.init(bytes.span) }
}

extension RelayParameters {
    init(_ bytes: [UInt8]) throws(UDPError) { try self.init(bytes.span) }
}

@Suite struct SealedHandshakeTests {
    private let cast = SealedCast()

    @Test(arguments: ["noise/cacophony.json", "noise/snow.json", "noise/noise-c-basic.json"])
    func `handshake and packets of public vectors for Noise_NK_25519_ChaChaPoly_BLAKE2b (UDP2-3)`(path: String) throws {
        let isOurs = { (vector: Vector) throws in
            try vector.text(vector.has("protocol_name") ? "protocol_name" : "name") == Noise.name
        }
        try Vectors.run(path, only: isOurs) { vector in
            let (own, first, second) = try (
                X25519.keyPair(.of(vector.bytes("resp_static"))),
                X25519.keyPair(.of(vector.bytes("init_ephemeral"))),
                X25519.keyPair(.of(vector.bytes("resp_ephemeral")))
            )
            #expect(try own.publicKey.bytes == vector.bytes("init_remote_static"))
            let messages = try vector.list("messages")
            let (payloads, sealed) = try (
                messages.map { try $0.bytes("payload") }, messages.map { try $0.bytes("ciphertext") }
            )
            var client = NoiseClient(
                prologue: try vector.bytes("init_prologue"), relay: own.publicKey, ephemeral: first)
            let sent = try client.first(payloads[0])
            #expect(sent == sealed[0])
            let relay = try NoiseRelay(
                prologue: try vector.bytes("resp_prologue"), own: own, first: sealed[0])
            #expect(relay.payload == payloads[0])
            let (answer, theirs) = try relay.second(payloads[1], ephemeral: second)
            #expect(answer == sealed[1])
            let (payload, ours) = try client.second(answer)
            #expect(payload == payloads[1])
            #expect(ours == theirs)
            if let hash = try vector.optionalBytes("handshake_hash") { #expect(ours.hash == hash) }
            // Client and relay take turns; each direction counts by itself.
            for index in 2..<messages.count {
                let nonce = [UInt8](repeating: 0, count: 4) + [UInt8((index - 2) / 2)] + [UInt8](repeating: 0, count: 7)
                let bytes = try AEAD.chaChaPoly.seal(
                    Bytes(payloads[index]), nonce: nonce, key: index % 2 == 0 ? ours.toRelay : ours.toClient)
                #expect(bytes.array == sealed[index], "message \(index)")
            }
        }
    }

    @Test func `a handshake takes one round trip of two full datagrams (UDP2-1, UDP2-3)`() throws {
        let (client, hello) = try cast.hello()
        #expect(hello.count == 1_200)
        let relay = try cast.read(hello)
        #expect(try ClientParameters(relay.payload) == cast.parameters)
        let (message, theirs) = try relay.second(cast.welcome.encoded(), ephemeral: cast.answer)
        let welcome = try SealedHandshake.welcome(id: cast.id, message: message)
        #expect(welcome.count == hello.count)
        let (payload, ours) = try client.second(Array(welcome[10...]))
        #expect(try RelayParameters(payload) == cast.welcome)
        #expect(ours == theirs)
        #expect(ours.toRelay != ours.toClient)
    }

    @Test func `a HELLO that was changed anywhere costs the relay two hashes and no answer (UDP2-4)`() throws {
        let hello = try cast.hello().datagram
        for index in 0..<1_184 {
            var changed = hello
            changed[index] ^= 1
            #expect(throws: UDPError.self) {
                try SealedHandshake.readHello(changed, relay: cast.relay.publicKey)
            }
        }
        let stranger = SealedCast(seed: 2)
        #expect(throws: UDPError.malformed("first code", at: 1_168)) {
            try SealedHandshake.readHello(hello, relay: stranger.relay.publicKey)
        }
        for count in [0, 1, 9, 10, 1_199, 1_201] {
            let cut = Array((hello + [0]).prefix(count))
            #expect(throws: UDPError.self) { try SealedHandshake.readHello(cut, relay: cast.relay.publicKey) }
        }
    }

    @Test func `an answer that was changed anywhere leaves the client waiting for the true one (UDP2-3)`() throws {
        let (client, hello) = try cast.hello()
        let (message, _) = try cast.read(hello).second(cast.welcome.encoded(), ephemeral: cast.answer)
        for index in message.indices {
            var changed = message
            changed[index] ^= 0x10
            #expect(throws: CryptoError.self) { try client.second(changed) }
        }
        _ = try client.second(message)
    }

    @Test func `another version, id or relay is another handshake (UDP2-3)`() throws {
        let (_, hello) = try cast.hello()
        let message = Array(hello[10..<1_168])
        for prologue in [SealedHandshake.prologue(id: cast.id + 1), Array("chat-udp".utf8) + [3] + cast.prologue[9...]]
        {
            #expect(throws: CryptoError.authenticationFailed("ChaCha20-Poly1305 tag")) {
                try NoiseRelay(prologue: prologue, own: cast.relay, first: message)
            }
        }
        #expect(throws: CryptoError.authenticationFailed("ChaCha20-Poly1305 tag")) {
            try NoiseRelay(prologue: cast.prologue, own: SealedCast(seed: 3).relay, first: message)
        }
    }

    @Test func `a key that gives everybody the same secret is refused on both sides (UDP2-3)`() throws {
        let zero = PublicKey([UInt8](repeating: 0, count: 32))
        var client = NoiseClient(prologue: cast.prologue, relay: zero, ephemeral: cast.client)
        let before = client
        #expect(throws: CryptoError.weakKey("X25519 public key")) { try client.first([]) }
        #expect(client == before)
        let message = zero.bytes + [UInt8](repeating: 0, count: 16)
        #expect(throws: CryptoError.weakKey("X25519 public key")) {
            try NoiseRelay(prologue: cast.prologue, own: cast.relay, first: message)
        }
    }

    @Test func `a cookie is for who sent the HELLO, for its address, and for two minutes at most (UDP2-5)`() throws {
        let cookies = SealedCookies(key: .repeating(9))
        let now = MonotonicInstant(microseconds: 600_000_000)
        let (client, hello) = try cast.hello()
        let read = try SealedHandshake.readHello(hello, relay: cast.relay.publicKey)
        let retry = try SealedHandshake.retry(
            read, cookie: cookies.make(cast.raya, now), nonce: [UInt8](repeating: 3, count: 24),
            relay: cast.relay.publicKey)
        #expect(retry.count == SealedHandshake.retrySize)
        let cookie = try SealedHandshake.cookie(in: retry, hello: hello, relay: cast.relay.publicKey)
        #expect(cookie == cookies.make(cast.raya, now))
        // Whoever did not send that HELLO cannot read it.
        let other = try SealedCast(seed: 4).hello().datagram
        #expect(throws: UDPError.malformed("cookie", at: 34)) {
            try SealedHandshake.cookie(in: retry, hello: other, relay: cast.relay.publicKey)
        }
        #expect(!cookies.isProven(hello, from: cast.raya, now))
        _ = client
        let again = try cast.hello(cookie: cookie).datagram
        #expect(cookies.isProven(again, from: cast.raya, now))
        #expect(cookies.isProven(again, from: cast.raya, now + MicrosecondSpan(60_000_000)))
        #expect(!cookies.isProven(again, from: cast.raya, now + MicrosecondSpan(120_000_000)))
        #expect(!cookies.isProven(again, from: NetworkAddress(v4: 0x0A00_0102, port: 40_001), now))
        #expect(!cookies.isProven(again, from: NetworkAddress(v4: 0x0A00_0103, port: 40_000), now))
    }

    @Test func `a type that is there twice, or anything behind the end, is refused (UDP2-6)`() throws {
        let good = try cast.parameters.encoded()
        #expect(good.count == 1_110)
        var unknown = [0xFF, 0xFE, 0, 2, 1, 2] + good
        unknown.removeLast(6)
        #expect(try ClientParameters(unknown) == cast.parameters, "what is not known is skipped")
        var twice = Array(good[0..<5]) + good
        twice.removeLast(5)
        #expect(throws: UDPError.malformed("repeated type", at: 5)) { try ClientParameters(twice) }
        var behind = good
        behind[1_109] = 1
        #expect(throws: UDPError.malformed("padding", at: 1_109)) { try ClientParameters(behind) }
        #expect(throws: UDPError.self) { try ClientParameters([UInt8](repeating: 0, count: 1_110)) }
        let refusal = RelayParameters.refused(limit: 3, milliseconds: 5_000)
        #expect(try RelayParameters(refusal.encoded()) == refusal)
    }

    @Test func `a relay's name has its key and parses back (UDP2-2)`() throws {
        let name = RelayName(place: "relay.example:9220", key: cast.relay.publicKey)
        #expect(try RelayName(name.description) == name)
        #expect(name.description.hasPrefix("relay://relay.example:9220/#"))
        #expect(try RelayName("[::1]:9220") == RelayName(place: "[::1]:9220", key: nil))
        let key = name.description.split(separator: "#")[1]
        for text in [
            "relay://h:1", "relay://h:1/", "relay://h:1/#", "relay://h:1/#\(key.dropLast())", "relay://h:1/#\(key)=",
            "relay://h/#\(key)", "relay://h:1#\(key)", "relay://h:1/#\(key)/#\(key)", "Relay://h:1/#\(key)",
        ] {
            #expect(throws: DeliveryError.self) { try RelayName(text) }
        }
    }
}
