import ChatCodec
import ChatModel

// Making them.
extension Kind {
    @Sendable static func sealedHopFiles(_ maker: DeterministicValues) async throws -> [VectorFile] {
        var cases: [JSON] = []
        let relay = try maker.keyPair("sealed_hop/relay")
        let relayKey: JSON = .hex(relay.publicKey.bytes)
        let (clientID, relayID) = (maker.hex(8, "sealed_hop/client_id"), maker.hex(8, "sealed_hop/relay_id"))
        let (client, answer) = (maker.hex(32, "sealed_hop/client"), maker.hex(32, "sealed_hop/answer"))
        let owner: JSON = ["relay_private": maker.hex(32, "sealed_hop/relay")]
        // Versions, window and largest datagram of a client; versions, largest datagram, id, token and limits of a relay.
        let asked = "00010001020002000400200000000300020" + "4b0"
        let welcome =
            "0001000102" + "0003000204b0" + "00040008\(relayID.text ?? "")" + "00050010"
            + (maker.hex(16, "sealed_hop/token").text ?? "") + "00060030" + "0000000000000007" + "00100000" + "00200000"
            + "00007530" + "00000000" + "00000000" + "00001000" + "0000000001000000" + "00000000240c8400"
        let handshakes: [(String, String, String)] = [
            ("welcome", "a handshake with a RETRY, whose client is let in", welcome),
            ("refused", "a handshake whose client is not: limit 1, 5,000 ms", "000700050100001388"),
        ]
        var datagrams: [String: JSON] = [:]
        for (id, comment, said) in handshakes {
            let fields: JSON = [
                "operation": "handshake", "client_id": clientID, "client_ephemeral": client, "relay_ephemeral": answer,
                "client_parameters": .string(asked), "relay_parameters": .string(said),
                "cookie": maker.hex(16, "sealed_hop/cookie"), "nonce": maker.hex(24, "sealed_hop/nonce"),
            ]
            let inputs = fields.adding(owner)
            datagrams[id] = try await run(inputs)
            cases.append(draft("handshake-\(id)", comment, inputs))
        }
        let whole = datagrams["welcome"] ?? .null
        func read(_ id: String, _ comment: String, _ fields: JSON, error: String? = nil) {
            cases.append(draft(id, comment, fields, error: error))
        }
        func hello(_ bytes: [UInt8]) -> JSON {
            (["operation": "read_hello", "bytes": .hex(bytes)] as JSON).adding(owner)
        }
        let first = try datagram(whole, "hello")
        read("read-hello", "what the relay reads", hello(first))
        for (offset, name) in [(5, "id"), (20, "key"), (60, "parameters"), (1_170, "first code")] {
            read(
                "hello-\(name)", "a bit of the \(name) is another one (UDP2-4)", hello(flipped(first, at: offset)),
                error: "malformed")
        }
        read("hello-second-code", "the second code is for cookies alone", hello(flipped(first, at: 1_190)))
        read("hello-short", "a HELLO of 1,199 bytes (UDP2-1)", hello(Array(first.dropLast())), error: "malformed")
        func retry(_ bytes: [UInt8]) -> JSON {
            ["operation": "read_retry", "hello": .hex(first), "bytes": .hex(bytes), "relay_key": relayKey]
        }
        let cookie = try datagram(whole, "retry")
        read("read-retry", "the client finds the cookie", retry(cookie))
        read("retry-forged", "somebody else's cookie (UDP2-5)", retry(flipped(cookie, at: 40)), error: "malformed")
        let waiting: JSON = [
            "operation": "read_welcome", "client_id": clientID, "client_ephemeral": client, "relay_key": relayKey,
            "client_parameters": .string(asked),
        ]
        for (id, whole) in datagrams.sorted(by: { $0.key < $1.key }) {
            read("read-\(id)", "what the client reads", waiting.adding(["bytes": whole["welcome"] ?? .null]))
        }
        let welcomed = try datagram(whole, "welcome")
        for (offset, name) in [(20, "key"), (60, "parameters"), (1_199, "tag")] {
            read(
                "welcome-\(name)", "a bit of the \(name) is another one (UDP2-3)",
                waiting.adding(["bytes": .hex(flipped(welcomed, at: offset))]), error: "authentication_failed")
        }
        cases += try await packets(maker, whole, relayID)
        read(
            "reset-token", "the token of an id (UDP2-14)",
            (["operation": "reset_token", "connection_id": relayID] as JSON).adding(owner))
        return [VectorFile("sealed_hop.json", kind: "sealed_hop", profile: "all", cases: cases)]
    }

    private static func packets(
        _ maker: DeterministicValues, _ whole: JSON, _ id: JSON
    ) async throws -> [JSON] {
        var cases: [JSON] = []
        let shared: [JSON] = [maker.hex(32, "sealed_hop/shared/1"), maker.hex(32, "sealed_hop/shared/2")]
        let key: JSON = [
            "key": whole["to_relay"] ?? .null, "root": whole["root"] ?? .null, "direction": "to relay",
            "connection_id": id,
        ]
        let half: JSON = .string("09" + "0000000000000001" + String(repeating: "5a", count: 32))
        let packets: [(String, String, Int, UInt64, JSON)] = [
            ("ping", "a PING, filled up to 44 bytes", 0, 0, "010000000000000000"),
            ("key", "a half of an exchange of keys (UDP2-10)", 0, 255, half),
            ("next", "under the next key", 1, 256, "02000000000100000000000000000000000000000000"),
            ("third", "and the one after, with a large number", 2, 1 << 40, "0b0400000000000000"),
            ("empty", "no frames at all", 0, 1, ""),
        ]
        for (name, comment, exchanges, number, frames) in packets {
            let inputs = key.adding([
                "operation": "seal_packet", "exchanges": .array(Array(shared.prefix(exchanges))),
                "number": JSON(number), "frames": frames,
            ])
            let bytes = try datagram(try await run(inputs), "bytes")
            cases.append(draft("seal-\(name)", comment, inputs))
            let open = key.without("connection_id").adding(["operation": "open_packet", "exchanges": .array(shared)])
            cases.append(draft("open-\(name)", "the same, opened", open.adding(["bytes": .hex(bytes)])))
            guard name == "next" else { continue }
            for (offset, part) in [(4, "id"), (12, "number"), (35, "frames"), (bytes.count - 1, "tag")] {
                cases.append(
                    draft(
                        "bad-\(part)", "a bit of the \(part) is another one (UDP2-8)",
                        open.adding(["bytes": .hex(flipped(bytes, at: offset))]), error: "authentication_failed"))
            }
            cases.append(
                draft(
                    "bad-key", "sealed under a key that was not agreed on",
                    key.without("connection_id").adding([
                        "operation": "open_packet", "exchanges": [], "bytes": .hex(bytes),
                    ]), error: "authentication_failed"))
        }
        return cases
    }

    private static func run(_ inputs: JSON) async throws -> JSON { try await sealedHop.run(Case(json: inputs)) }

    private static func datagram(_ outputs: JSON, _ name: String) throws -> [UInt8] {
        try Hex.decode(outputs[name]?.text ?? "")
    }
}
