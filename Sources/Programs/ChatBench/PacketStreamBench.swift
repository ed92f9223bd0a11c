import ChatCodec
import ChatModel
import PacketStream

/// Packets of workflows through the codec: an envelope of 1 KiB and an audio frame of 10 KiB; and the protobuf layer of
/// each alone, which others' protobuf libraries can be measured against.
enum PacketStreamBench {
    private static let packets = 2_000

    static func run(_ plan: Bench.Plan) async throws {
        guard plan.includes("packet-stream") else { return }
        let text = String(repeating: "the sun was shining on the sea, ", count: 28)
        let place = StreamEnvelope(stream: "s1", sequence: 7, partition: "p0")
        let chat = Packet(
            .chatMessage, messageID: "m-1", timestamp: 1_770_000_000_000, metadata: ["type": "chat.message.v1"],
            payload: ["text": .string(text), "sender": "saro"], stream: place)
        let audio = AudioFrame(pcm: Bytes([UInt8](repeating: 7, count: 10 << 10)), sampleRate: 16_000, channels: 1)
        let sound = Packet(
            "speech.audio.v1", messageID: "m-2", payload: ["room": "r1"], stream: place, carrier: .audio(audio))
        for (name, packet) in [("envelope-1k", chat), ("audio-10k", sound)] {
            let codec = PacketV1()
            let bytes = try codec.encode(packet, as: .dataPacket)
            let wire = try WirePacket(decoding: bytes, as: .dataPacket)
            try await row(plan, "\(name)/encode") { consume(try codec.encode(packet, as: .dataPacket)) }
            try await row(plan, "\(name)/decode") { consume(try codec.decode(bytes, as: .dataPacket)) }
            try await row(plan, "\(name)/protobuf-encode") { consume(wire.encoded(as: .dataPacket)) }
            try await row(plan, "\(name)/protobuf-decode") { consume(try WirePacket(decoding: bytes, as: .dataPacket)) }
        }
    }

    private static func row(_ plan: Bench.Plan, _ name: String, _ body: @Sendable () throws -> Void) async throws {
        try await plan.row("packet-stream/\(name)") { effort in
            for _ in 0..<100 { try body() }
            var times: [Double] = []
            for _ in 0..<effort.rounds {
                times.append(try time { for _ in 0..<packets { try body() } } / .nanoseconds(packets))
            }
            let nanoseconds = median(times)
            return Row(
                name: "packet-stream/\(name)",
                values: [Row.Value("packets/s", 1e9 / nanoseconds), Row.Value("ns", nanoseconds)])
        }
    }
}
