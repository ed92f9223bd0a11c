import ChatCodec
import ChatContent
import ChatConversation
import ChatCrypto
import ChatDiscovery
import ChatFraming
import ChatInspect
import ChatModel
import ChatReliability
import LogosFormats

extension FuzzTarget {
    /// Messages of every layout with some fields changed: the inspector has an answer, and what a decoder takes it
    /// writes as something that it takes as the same.
    static let messages = generated("messages", inputs: 300) { choices, _ in
        var bytes = choices.one(of: samples) ?? []
        for _ in 0..<6 where !choices.isOver {
            bytes = bytes.changed(&choices)
            let kind = choices.one(of: Kind.allCases) ?? .payload
            _ = Inspector().inspect(Bytes(bytes), as: kind).faults
            if choices.isOne(of: 2) { _ = try examine(Inspector().inspect(Input(binary: Bytes(bytes)))) }
            try check(Bytes(bytes))
        }
    }

    private static func check(_ bytes: Bytes) throws {
        if let one = try? EncryptedPayload(decoding: bytes) { try recode(one) }
        if let one = try? InboxHandshakeV1(decoding: bytes) { try recode(one) }
        if let one = try? IntroBundle(decoding: bytes) { try recode(one) }
        if let one = try? ContentFrame(decoding: bytes) { try recode(one) }
        if let one = try? SDSMessage(decoding: bytes) {
            try demand((try? SDSMessage(decoding: one.encoded())) == one, "another SDS message when written and read")
        }
        if let one = try? SegmentMessage(decoding: bytes) {
            try demand((try? SegmentMessage(decoding: one.encoded())) == one, "another segment when written and read")
        }
        _ = try? ContentRegistry.everyday.decode(bytes)
    }

    private static func recode<Message: ProtoMessage>(_ message: Message) throws {
        let bytes = message.encoded()
        try demand(bytes.count == message.size, "\(message.size) bytes announced, \(bytes.count) written")
        try demand((try? Message(decoding: bytes)) == message, "another message when written and read again")
    }

    private static let samples: [[UInt8]] = {
        let key = [UInt8](repeating: 5, count: 32)
        let ratchet = ProtoTree([(1, .bytes(key)), (2, .varint(3)), (3, .varint(2)), (4, .bytes(key + key))])
        let header = ProtoTree((1...4).map { (UInt64($0), .bytes(key)) })
        let plain = ProtoTree([(1, .message(ProtoTree([(1, .bytes([0x68, 0x69]))])))])
        let invite = ProtoTree([(5, .bytes([0x61])), (6, .message(plain))])
        let frame = ProtoTree([(1, .varint(1_700_000_000_000)), (10, .bytes([0x68, 0x69]))])
        let segment = ProtoTree([(1, .bytes(key)), (2, .varint(1)), (3, .varint(3)), (4, .message(frame))])
        let entry = ProtoTree([(1, .bytes([0x61])), (2, .bytes([1])), (3, .bytes([0x62]))])
        let filter = ProtoTree([(1, .bytes(key)), (2, .varint(9)), (3, .varint(9)), (4, .varint(3)), (5, .varint(256))])
        let sds: [(UInt64, ProtoTree.Value)] = [
            (1, .bytes([0x61])), (2, .bytes([0x62])), (3, .bytes([0x30])), (10, .varint(7)), (11, .message(entry)),
            (12, .message(filter)), (13, .message(entry)), (20, .message(segment)),
        ]
        let handshake = ProtoTree([(1, .message(header)), (2, .message(ProtoTree([(1, .message(invite))])))])
        let envelope = ProtoTree([
            (1, .bytes(key)), (2, .varint(9)), (5, .message(ProtoTree([(2, .message(ratchet))]))),
        ])
        let bundle = ProtoTree([(1, .bytes(key)), (2, .bytes(key)), (3, .bytes(key + key))])
        let directory = ProtoTree([(1, .bytes([0x61])), (2, .bytes(key)), (3, .varint(1)), (5, .message(bundle))])
        let signed = ProtoTree([(1, .varint(1)), (2, .message(directory)), (3, .bytes(key + key))])
        let content = ProtoTree([(1, .varint(1)), (2, .varint(1)), (3, .message(ProtoTree([(1, .bytes([0x68]))])))])
        return [
            plain, ratchet, handshake, ProtoTree([(3, .message(handshake))]), envelope, frame, segment, ProtoTree(sds),
            bundle, signed, content,
        ].map(\.encoded)
    }()

    /// A framing to which machines come and go, and payloads for them nearly as it wraps them.
    static let envelopes = generated("envelopes") { choices, steps in
        var framings: [any FramingStrategy] = [
            EnvelopeV1(acceptsPlainHints: true), EnvelopeV1(.libchat), PlainFraming(),
        ]
        var framing = framings.remove(at: choices.below(framings.count))
        var random: any RandomSource = RepeatableRandom(seed: 5)
        var wrapped: [Payload] = []
        for _ in 0..<steps where !choices.isOver {
            let owner = Owner.conversation(ConversationID(choices.one(of: "one", "two", "three")))
            let route = Route(choices.text(of: "convo-1", "convo-2", "60749122be857ec1aeefb0c39acd5302"))
            switch choices.below(4) {
            case 0: framing.listen(choices.isOne(of: 3) ? [] : [Listening("a", route)], for: owner)
            case 1:
                let routed = Routed("a", route, payload: Bytes(choices.bytes(choices.one(of: 0, 1, 30))))
                if let addressed = try? framing.wrap(routed, of: owner, random: &random) {
                    wrapped.append(addressed.payload)
                }
            default:
                let bytes = choices.one(of: wrapped)?.array ?? []
                let payload = Bytes(choices.isOne(of: 2) ? bytes.changed(&choices) : choices.nearly(bytes))
                let found = try? framing.unwrap(Addressed("a", payload: payload))
                guard case .payload(let routed, let owner)? = found else { continue }
                _ = framing.accepted(routed, for: owner)
                try demand(
                    (try? framing.unwrap(Addressed("a", payload: payload))) == found, "found once, and not again")
            }
        }
    }

    /// Directory entries whose signature is right and whose content may be anything, and such that nobody signed.
    static func entries() -> FuzzTarget {
        generated("entries", inputs: 100) { choices, _ in
            let seed = Secret(copying: [UInt8](repeating: 1, count: 32).span)
            let publisher = try Ed25519.keyPair(seed: seed).publicKey
            let now = Timestamp(milliseconds: 1_700_000_000_000)
            for _ in 0..<8 where !choices.isOver {
                let bundles = (0..<choices.one(of: 0, 1, 2, 32, 33)).map { _ in
                    IntroductionBundle(
                        scheme: choices.text(of: "chatintro_1", "openinvite_1"),
                        bytes: Bytes(choices.bytes(choices.below(9))),
                        expiry: choices.isOne(of: 2)
                            ? nil : Timestamp(milliseconds: choices.number(near: now.milliseconds)),
                        isSingleUse: choices.isOne(of: 2))
                }
                let entry = DirectoryEntry(
                    name: choices.text(of: "raya"), publisher: publisher, sequence: choices.number(),
                    expiry: Timestamp(milliseconds: choices.number(near: now.milliseconds)), bundles: bundles)
                guard let payload = try? entry.signed(by: seed) else { continue }
                let sent = choices.isOne(of: 3) ? payload.array : payload.array.changed(&choices)
                guard let signed = try? SignedDirectoryEntry(Bytes(sent)) else { continue }
                try? signed.check(for: DirectoryQuery("raya"), now: now)
                guard (try? signed.verify()) != nil else { continue }
                try demand(signed.entry.encoded() == entry.encoded(), "an entry that nobody signed")
            }
        }
    }
}
