import ChatCodec
import ChatModel
import PacketStream

/// Valid packets of all forms, drawn from a seed.
struct PacketSamples {
    private var random: RepeatableRandom

    init(seed: UInt64) { random = RepeatableRandom(seed: seed) }

    /// A packet that the canonical contract allows.
    mutating func next() -> Packet {
        var packet = Packet()
        if chance(2) { packet.messageID = "m-\(random.below(1_000))" }
        if chance(2) { packet.timestamp = 1_770_000_000_000 + UInt64(random.below(1_000)) }
        if chance(2) { packet.metadata = ["type": "chat.message.v1", "é\(random.below(3))": text()] }
        if chance(2) {
            packet.stream = StreamEnvelope(stream: "s1", sequence: UInt64(random.below(9)), partition: text())
        }
        switch random.below(5) {
        case 0: packet.carrier = .audio(AudioFrame(pcm: bytes(), sampleRate: 16_000, channels: 1, codec: "opus"))
        case 1:
            packet.carrier = .video(VideoFrame(payload: bytes(), codec: "vp8", width: 640, height: 480, timestamp: 7))
        case 2:
            packet.carrier = .opaque(
                Packet.OpaqueBytes(bytes(), mimeType: "application/octet-stream", timestamp: UInt64(random.below(2))))
        case 3: return Packet([.heartbeat, .noop][random.below(2)])
        default: break
        }
        packet.kind = ["data", "chat.message.v1", "speech.turn.v1"][random.below(3)]
        if case .opaque = packet.carrier { return packet }
        if packet.carrier == .structured || chance(2) { packet.payload = object(depth: 0) }
        if chance(3) { packet.inputs = object(depth: 0) }
        if chance(4) {
            packet.transports = [
                TransportDescriptor(name: "live", kind: "grpc", mode: text(), settings: .init(reference: "r"))
            ]
        }
        return packet
    }

    private mutating func chance(_ of: Int) -> Bool { random.below(of) == 0 }

    private mutating func text() -> String { ["", "a", "bœuf", "💬", "\u{0}\"\\"][random.below(5)] }

    private mutating func bytes() -> Bytes { Bytes(random.bytes(1 + random.below(40), for: .identifier)) }

    private mutating func object(depth: Int) -> PacketObject {
        var object = JSON.Object()
        for _ in 0..<random.below(4) { object[text()] = value(depth: depth) }
        return PacketObject(object)
    }

    private mutating func value(depth: Int) -> JSON {
        switch random.below(depth > 3 ? 5 : 7) {
        case 0: .null
        case 1: .bool(chance(2))
        case 2: .integer(Int64(random.below(1_000)) - 500)
        case 3: .number(Double(random.below(1_000)) + 0.5)
        case 4: .string(text())
        case 5: .array((0..<random.below(3)).map { _ in value(depth: depth + 1) })
        default: object(depth: depth + 1).json
        }
    }
}
