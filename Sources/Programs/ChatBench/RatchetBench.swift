import ChatCodec
import ChatConversation
import ChatCrypto
import ChatModel
import ChatPlatform
import LogosFormats

/// One conversation: the bare ratchet, and `PrivateV1.Libchat` from content to content.
enum RatchetBench {
    static func run(_ plan: Bench.Plan) async throws {
        for size in [64, 1_024, 65_536] {
            for isPingPong in [false, true] {
                let way = isPingPong ? "ping-pong" : "one-way"
                try await plan.row("ratchet/\(way)/\(size)") { effort in
                    let floor = RatchetFloor(frame: size)
                    var pair = try RatchetPair(frame: size)
                    return try compare(
                        "ratchet/\(way)/\(size)", effort, floor: isPingPong ? floor.pingPong : floor.oneWay,
                        subject: { try isPingPong ? pair.pingPong($0) : pair.oneWay($0) })
                }
                try await plan.row("private-v1-libchat/\(way)/\(size)") { effort in
                    var pair = try ConversationPair<PrivateV1.Libchat>(content: size)
                    let floor = RatchetFloor(frame: Self.frameSize(size))
                    return try compare(
                        "private-v1-libchat/\(way)/\(size)", effort,
                        floor: isPingPong ? floor.pingPong : floor.oneWay,
                        subject: { try isPingPong ? pair.pingPong($0) : pair.oneWay($0) })
                }
            }
        }
        try await plan.row("private-v1-libchat/idle") { _ in try idle() }
    }

    /// Bytes that are encrypted for each content: id, sender and time add 53, and the content's tag and length.
    private static func frameSize(_ count: Int) -> Int { count + 53 + (count < 128 ? 2 : count < 16_384 ? 3 : 4) }

    /// The memory of conversations that went back and forth until their lists were full, and wait.
    private static func idle() throws -> Row {
        let count = 4_000
        var kept: [PrivateV1.Libchat] = []
        kept.reserveCapacity(2 * count)
        let before = ThisProcess.residentMemory
        for _ in 0..<count {
            var pair = try ConversationPair<PrivateV1.Libchat>(content: 64)
            try pair.pingPong(40)
            kept += [pair.saro, pair.raya]
        }
        let after = ThisProcess.residentMemory
        var values = [Row.Value("inline", Double(MemoryLayout<PrivateV1.Libchat>.stride))]
        if let before, let after { values.insert(.init("bytes", Double(after - before) / Double(kept.count)), at: 0) }
        return Row(name: "private-v1-libchat/idle", values: values)
    }
}

/// Two ratchets that share a secret.
private struct RatchetPair {
    private var (saro, raya): (DoubleRatchet, DoubleRatchet)
    private var random: any RandomSource = SystemRandom()
    private let frame: Bytes

    init(frame count: Int) throws {
        frame = Bytes([UInt8](repeating: 7, count: count))
        let secret = random.secret(32, for: .secret)
        let pair = X25519.generate(using: &random, for: .introEphemeralPrivate)
        saro = try DoubleRatchet(initiatorWith: secret, remote: pair.publicKey, random: &random, .libchat)
        raya = try DoubleRatchet(responderWith: secret, own: pair, .libchat)
        try oneWay(1)
    }

    mutating func oneWay(_ messages: Int) throws {
        for _ in 0..<messages { try Self.carry(frame, from: &saro, to: &raya, &random) }
    }

    mutating func pingPong(_ messages: Int) throws {
        for _ in 0..<messages / 2 {
            try Self.carry(frame, from: &raya, to: &saro, &random)
            try Self.carry(frame, from: &saro, to: &raya, &random)
        }
    }

    private static func carry(
        _ frame: Bytes, from sender: inout DoubleRatchet, to recipient: inout DoubleRatchet,
        _ random: inout any RandomSource
    ) throws {
        let payload = try sender.seal(frame.count, headRoom: 64, random: &random) { $0.append(bytes: frame.span) }
        guard case .doubleRatchet(let message) = try EncryptedPayload(decoding: payload) else { return }
        _ = try recipient.open(message) { $0 }
    }
}
