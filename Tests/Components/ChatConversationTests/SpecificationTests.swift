import ChatCodec
import ChatCrypto
import ChatModel
import ChatReliability
import LogosFormats
import TestSupport
import Testing

@testable import ChatConversation

/// What the documents in `Specs/` print is what this package does.
struct SpecificationTests {
    private static let secret = Secret(hex: "5ba426a048966c72f33b45b21f6c0f5d224860ea7bc59f094eb1066c3dfd2916")

    private func random() -> any RandomSource {
        ScriptedRandom([(.ratchetPrivate, [UInt8](repeating: 0x55, count: 32)), (.nonce, Array(0...11))])
    }

    private func responder() throws -> KeyPair { try X25519.keyPair(Secret(hex: String(repeating: "33", count: 32))) }

    @Test func `the double ratchet's example is right in both versions (PV1-14, PV1-15)`() throws {
        let examples = try Specification.examples(of: "double-ratchet.md")
        let payloads = try [DoubleRatchet.Parameters.libchat, .reference].map { parameters in
            var random = random()
            var ratchet = try DoubleRatchet(
                initiatorWith: Self.secret, remote: responder().publicKey, random: &random, parameters)
            return try ratchet.seal(5, random: &random) { $0.append(bytes: Array("hello".utf8).span) }
        }
        #expect(payloads[0].array == examples[0])
        #expect(Array(payloads[1].array.suffix(21)) == examples[1])
    }

    @Test func `PrivateV1's example is right (PVL-1, PVL-2)`() throws {
        let examples = try Specification.examples(of: "private-v1.md")
        let frame = PrivateV1.Frame(
            conversation: "9a82c808987683928976f63b2b1403036e82", timestamp: 1_700_000_000_000, body: .content("hello"))
        #expect(Bytes(headRoom: 0, count: frame.size) { frame.write(to: &$0) }.array == examples[0])
        let seeds = Seeds(secret: Self.secret, responder: try responder())
        var turn = Step(now: now, random: random())
        var saro = try PrivateV1.Libchat(seeds.initiator, in: &turn)
        try saro.perform(.send("hello"), as: ContentID(1), in: &turn)
        #expect(turn.openings[0].payload.array == examples[1])
    }

    @Test func `the reference profile's example is right, and what the stages make of it (PV1-08, PV1-09, PVR-1)`()
        throws
    {
        let examples = try Specification.examples(of: "private-v1.md")
        let seeds = Seeds(secret: Self.secret, responder: try responder())
        var turn = Step(now: Timestamp(milliseconds: now.milliseconds - 10), random: random())
        // Without the filter, which would fill a page.
        var stage = try ReliableStage<PrivateV1.Ratchet>(
            seeds.initiator, PrivateV1.names(seeds.initiator), .compact, in: &turn)
        turn = Step(now: now, random: turn.random)
        try stage.perform(.send("hello"), as: ContentID(1), in: &turn)
        let payload = turn.openings[0].payload
        let (frame, segment, message) = (examples[2], examples[3], examples[4])
        #expect(hex(BLAKE2b.hash(count: 16, frame)) == "4ac8d4b701b21fd7afc9fb445c48d21b")
        #expect(try SegmentMessage(decoding: Bytes(segment)).payload.array == frame)
        #expect(try SDSMessage(decoding: Bytes(message)).content?.array == segment)
        #expect(payload.array == examples[5])
        #expect(hex(SHA256.hash(payload.span)) == "4d7659c73b822f1c51b191f2de88fde4acc328bdf889e1a6d8670158e42e8187")
        var ratchet = try DoubleRatchet(responderWith: Self.secret, own: responder(), .reference)
        guard case .doubleRatchet(let sealed) = try EncryptedPayload(decoding: payload) else {
            Issue.record("not a ratchet message")
            return
        }
        #expect(try ratchet.open(sealed) { $0 }.value.array == message)
        #expect(stage.inner.listening.map(\.address) == ["9c32745a523550f2"])
        #expect(stage.inner.listening.map(\.route.id) == ["36d232c82a91d36375cfef8436934266"])
    }

    @Test func `the plain conversation's example is right (PLAIN-1, PLAIN-2)`() throws {
        let examples = try Specification.examples(of: "plain-conversation.md")
        var turn = Step(now: now, random: ScriptedRandom([]))
        var saro = try PlainConversation(Seeds(secret: Self.secret).initiator, in: &turn)
        try saro.perform(.send("hello"), as: ContentID(1), in: &turn)
        try saro.perform(.send(""), as: ContentID(2), in: &turn)
        #expect([turn.openings[0].payload.array, turn.sends[0].routed.payload.array] == examples)
        #expect(saro.id.text == "36d232c82a91d36375cfef8436934266")
        #expect(turn.sends[0].routed.route.id == "f74352fb42cf3dd5b4cfe2b335b30e2f")
        #expect(turn.sends[0].routed.sequence == 2)
        let route = Route(saro.id.text, secret: RouteSecret.following(Self.secret))
        #expect(saro.listening == [Listening("8dedecd96e235a7e", route)])
    }

    @Test func `the limits that the documents name are those of the code (PV1-07)`() {
        let (libchat, reference) = (DoubleRatchet.Parameters.libchat, DoubleRatchet.Parameters.reference)
        #expect(libchat.maximumSkip == 10 && reference.maximumSkip == 1_000)
        #expect(libchat.maximumSkippedKeys == 2_000 && reference.maximumSkippedKeys == 2_000)
        #expect(libchat.maximumAhead == 10 && reference.maximumAhead == 1 << 18 && ChainEffort.perSecond == 1_024)
        #expect(UnopenedPayloads.patience == 6 && UnopenedPayloads.shortest == 60_000)
        #expect(DoubleRatchet.maximumEarlierKeys == 16 && DoubleRatchet.minimumCiphertext == 28)
        #expect(NumberWindow.maximumRanges == 2_000 && NumberWindow.limit == 1 << 63)
    }
}
