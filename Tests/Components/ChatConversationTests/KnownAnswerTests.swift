import ChatCodec
import ChatCrypto
import ChatModel
import LogosFormats
import TestSupport
import Testing

@testable import ChatConversation

/// The conversation whose values the specification prints.
private struct Example {
    static let seed = Secret(hex: "5ba426a048966c72f33b45b21f6c0f5d224860ea7bc59f094eb1066c3dfd2916")
    static let initiatorID = "9a82c808987683928976f63b2b1403036e82"
    static let responderID = "68f5086e8594d41d32fda30e55e1355a0216"
    static let script = ScriptedRandom([
        (.ratchetPrivate, [UInt8](repeating: 0x55, count: 32)), (.nonce, Array(0...11)),
        (.ratchetPrivate, [UInt8](repeating: 0x66, count: 32)), (.nonce, Array(12...23)),
    ])
}

extension Secret {
    convenience init(hex text: String) {
        let bytes = [UInt8](hex: text)
        self.init(copying: bytes.span)
    }

    fileprivate var hexText: String { lend { Bytes(copying: $0).array.hex } }
}

struct KnownAnswerTests {
    @Test func `the example of the specification gives its ids, keys and bytes, both ways (PV1-03, PV1-14)`() throws {
        let pair = try X25519.keyPair(Secret(hex: String(repeating: "33", count: 32)))
        let seeds = Seeds(secret: Example.seed, responder: pair)
        var step = Step(now: now, random: Example.script)
        var saro = try PrivateV1.Libchat(seeds.initiator, in: &step)
        #expect(saro.id.text == Example.initiatorID)
        #expect(saro.listening.map(\.address) == ["delivery_address"])
        #expect(saro.listening.map(\.route.id) == [Example.initiatorID])

        try saro.perform(.send("hello"), as: ContentID(1), in: &step)
        let opening = try #require(step.openings.first?.payload)
        guard case .doubleRatchet(let message) = try EncryptedPayload(decoding: opening) else {
            Issue.record("no ratchet message")
            return
        }
        #expect(message.dh.array.hex == "38ab664bd86f77d7e66bdd9ae0792913a94fd8b33a1260027e4b46c1f4884c67")
        #expect(
            message.ciphertext.array.hex == """
                000102030405060708090a0bd8b3629ab9f138e803edcf308a9a72482ad92c3b44843034d58bea9f3fb9752e\
                035cb074d8e7f207d18338132b498581dc825ad96bcc980f004ac61b7e1c41e999f4638163d99b63dcd20c3c
                """)
        // EncryptedPayload.doubleratchet of 88 bytes of ciphertext, number 0 and length 0 omitted.
        #expect(opening.array.hex.hasPrefix("127c0a20") && opening.count == 126)

        var answer = Step(now: Timestamp(milliseconds: 1_700_000_001_000), random: Example.script)
        var raya = try PrivateV1.Libchat(seeds.responder(opening), in: &answer)
        #expect(raya.id.text == Example.responderID)
        #expect(contents(answer.events) == ["hello"])
        try raya.perform(.send("hi"), as: ContentID(1), in: &answer)
        let reply = try #require(answer.sends.first?.routed)
        #expect(reply.address == "delivery_address" && reply.route.id == Example.initiatorID && reply.sequence == 1)
        // The envelope of profile `libchat` around it, whose digest the specification prints.
        let envelope = [0x0A, 0x24] + Array(Example.initiatorID.utf8) + [0x2A, 0x7B] + reply.payload.array
        #expect(reply.payload.count == 0x7B && envelope.count == 163)
        #expect(SHA256.hash(envelope.span).hex == "67cf5f78ba41f07eb201902ed3d64cb6f38c2aaa16440abcd6bf406522f5c5a8")

        #expect(contents(try saro.hear(reply)) == ["hi"])
        #expect(Example.script.undrawn.isEmpty)
    }

    @Test func `the frame of the example has the bytes of the specification (CT-13)`() throws {
        let frame = PrivateV1.Frame(
            conversation: Example.initiatorID, timestamp: 1_700_000_000_000, body: .content("hello"))
        let bytes = """
            0a24396138326338303839383736383339323839373666363362326231343033303336653832\
            120664656c6574651880d095ffbc31520568656c6c6f
            """
        let encoded = Bytes(headRoom: 0, count: frame.size) { frame.write(to: &$0) }
        #expect(encoded.array.hex == bytes)
        #expect(try PrivateV1.Frame.body(of: encoded) == frame.body)
    }

    @Test func `ids have the bytes of the specification, long and short (CT-01, CT-02)`() {
        let long = RoleIDs(Example.seed, size: 18)
        #expect(long.base.hex == "0e037b36ec375ecc79b651bf113536f4d14b")
        #expect(long.initiator.hex == Example.initiatorID && long.responder.hex == Example.responderID)
        let short = RoleIDs(Example.seed, size: 16)
        #expect(short.base.hex == "ee2670a300efb186c3fdec1f4d28d3c0")
        #expect(short.initiator.hex == "36d232c82a91d36375cfef8436934266")
        #expect(short.responder.hex == "f74352fb42cf3dd5b4cfe2b335b30e2f")
    }

    @Test func `vectors of the key derivations are what the ratchet derives (PV1-14)`() throws {
        for file in ["logos/kdf.json", "logos/libchat-known-answers.json"] {
            try Vectors.run(
                file,
                only: {
                    ["kdf_root", "kdf_chain", "kdf_message", "conversation_ids"].contains(try $0.text("function"))
                }
            ) {
                try check($0)
            }
        }
    }

    private func check(_ vector: Vector) throws {
        let (input, output) = (try vector.at("input"), try vector.at("output"))
        switch try vector.text("function") {
        case "kdf_root":
            let isDocument = try vector.text("info") == "PrivateV1RootKey"
            let ratchet = try DoubleRatchet(
                responderWith: Secret(hex: input.text("root_key")),
                own: KeyPair(secret: Example.seed, publicKey: PublicKey([])),
                isDocument ? .reference : .libchat)
            let (root, chain) = try ratchet.rootStep(Secret(hex: input.text("dh")))
            #expect(root.hexText == (try output.text("root_key")), "\(vector)")
            #expect(chain.key.hexText == (try output.text("chain_key")), "\(vector)")
        case "kdf_chain":
            let chain = Chain(Secret(hex: try input.text("chain_key")))
            chain.prepare()
            #expect(chain.messageKey.hexText == (try output.text("message_key")), "\(vector)")
            chain.advance()
            #expect(chain.key.hexText == (try output.text("chain_key")), "\(vector)")
        case "kdf_message":
            let input = try input.bytes("message_key")
            var key: [UInt8] = []
            try DoubleRatchet.withPayloadKey(input.span, info: DoubleRatchet.Parameters.reference.messageKeyInfo) {
                key = Bytes(copying: $0).array
            }
            #expect(key == (try output.bytes("aead_key")), "\(vector)")
        default:
            let ids = RoleIDs(Secret(hex: try input.text("seed_key")), size: 18)
            #expect(ids.initiator.hex == (try output.text("initiator")), "\(vector)")
        }
    }

    @Test func `message keys ahead are those that steps one by one give (PV1-14)`() {
        let chain = Chain(Secret(hex: String(repeating: "aa", count: 32)))
        let expected = [
            "129be47f3b2fdf3f569de2835e3d4258ac63d046100b41fde86806e676c2652d",
            "490be45392261e2afb4e4e01746318f7bf348b7615d099537d1c17b7b6f87c8f",
            "b57b01d814217de3ade915430ce2356bb9dbe601331ab7bd31437d4d063a27ea",
        ]
        #expect(chain.messageKeys(3).map(\.hexText) == expected)
        chain.prepare(ahead: 2)
        #expect(chain.messageKey.hexText == expected[2])
        chain.forget()
        chain.prepare()
        #expect(chain.messageKey.hexText == expected[0])
    }

    @Test func `vectors of PrivateV1Frame encode and decode (CT-13)`() throws {
        try Vectors.run("logos/envelope.json", only: { try $0.text("message") == "PrivateV1Frame" }) { vector in
            let fields = try vector.at("fields")
            var body = PrivateV1.Frame.Body.unknown
            if fields.has("content") { body = .content(Bytes(try fields.bytes("content"))) }
            if fields.has("placeholder") {
                let counter = try fields.at("placeholder").number("counter")
                body = .placeholder([0x08, UInt8(counter)])
            }
            let frame = PrivateV1.Frame(
                conversation: fields.has("conversation_id") ? try fields.text("conversation_id") : "",
                sender: String(decoding: try fields.optionalBytes("sender") ?? [], as: UTF8.self),
                timestamp: fields.has("timestamp") ? Int64(try fields.number("timestamp")) : 0, body: body)
            let bytes = Bytes(try vector.bytes("bytes"))
            #expect(try PrivateV1.Frame.body(of: bytes) == body, "\(vector)")
            guard try vector.text("operation") == "roundtrip" else { return }
            #expect(Bytes(headRoom: 0, count: frame.size) { frame.write(to: &$0) } == bytes, "\(vector)")
        }
    }
}
