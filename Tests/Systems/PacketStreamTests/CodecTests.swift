import ChatCodec
import ChatModel
import PacketStream
import TestSupport
import Testing

struct CodecTests {
    /// The packet of the worked example in `Specs/packet-stream.md`.
    private let example = Bytes(
        [UInt8](
            hex: """
                0a170a0474797065120f636861742e6d6573736167652e76313a9a010a6f7b2276657273696f6e223a227631222c226b696e6422
                3a22636861742e6d6573736167652e7631222c226d6573736167654964223a226d2d31222c2274696d657374616d704d73223a31
                3737303030303030303030302c227061796c6f6164223a7b2274657874223a226869227d7d12206170706c69636174696f6e2f76
                6e642e627562752e7061636b65742b6a736f6e1880c8e2e1c133420a0a02733110071a027030
                """))

    @Test func `the worked example is read and written again, byte for byte (PS-2, PS-3)`() throws {
        let wire = try WirePacket(decoding: example, as: .dataPacket)
        #expect(wire.encoded(as: .dataPacket) == example)
        guard case .packet(let packet, let diagnostics) = try PacketV1().decode(wire) else {
            Issue.record("no packet")
            return
        }
        #expect(packet.kind == .chatMessage && packet.messageID == "m-1" && packet.timestamp == 1_770_000_000_000)
        #expect(packet.payload == ["text": "hi"] && packet.metadata == ["type": "chat.message.v1"])
        #expect(packet.stream == StreamEnvelope(stream: "s1", sequence: 7, partition: "p0"))
        #expect(diagnostics.isEmpty && packet.isDelivered)
    }

    @Test func `a legacy heartbeat has field 4 in one message and field 1 in another (PS-2)`() throws {
        let bytes = Bytes([UInt8](hex: "22160a0e627562752d686561727462656174120474727565"))
        #expect(try PacketV1(.interop).decode(bytes, as: .dataRequest) == .legacyHeartbeat)
        let violation = #expect(throws: PacketViolation.self) { try PacketV1().decode(bytes, as: .dataRequest) }
        #expect(violation?.rule == .noFrame)
        let other = Bytes([UInt8](hex: "0a160a0e627562752d686561727462656174120474727565"))
        #expect(try PacketV1(.interop).decode(other, as: .dataPacket) == .legacyHeartbeat)
    }

    @Test func `flow control and receipts have the golden bytes (PS-2)`() throws {
        let flow = try ProcessMessage(decoding: Bytes([UInt8](hex: "120f08ac02100a32060a02703010073801")))
        #expect(
            flow.flow
                == FlowControl(
                    ack: 300, creditsMessages: 10, partitionAcks: [.init(partition: "p0", ack: 7)], signal: .pause))
        #expect(flow.packet == nil && flow.encoded.count == 17)
        let receipt = Bytes([UInt8](hex: "120d0a0873657175656e63651201372214646f776e73747265616d2e64656c697665726564"))
        let message = try ControlMessage(decoding: receipt, as: .request)
        #expect(message.name == Receipt.action && message.metadata == ["sequence": "7"])
        #expect(message.encoded(as: .request) == receipt)
    }

    @Test(arguments: PacketMessage.allCases)
    func `what is encoded is decoded as the same packet, in every layout (SA-62)`(message: PacketMessage) throws {
        var samples = PacketSamples(seed: 5)
        for _ in 0..<400 {
            let packet = samples.next()
            let bytes = try PacketV1().encode(packet, as: message)
            for mode in PacketMode.allCases {
                #expect(try PacketV1(mode).decode(bytes, as: message) == .packet(packet, diagnostics: []))
            }
        }
    }

    @Test func `every input gives a view or one rule, and a view is written as itself or refused (SA-62)`() throws {
        var samples = PacketSamples(seed: 6)
        let valid = try (0..<40).map { _ in try PacketV1().encode(samples.next(), as: .dataPacket).array }
        var inputs = HostileInputs(seed: 12, valid: valid, longest: 96)
        var (read, different) = (0, 0)
        inputs.forEach(20_000) { bytes in
            for mode in PacketMode.allCases {
                guard case .packet(let packet, _)? = try? PacketV1(mode).decode(Bytes(bytes), as: .dataPacket),
                    let again = try? PacketV1().encode(packet, as: .dataPacket)
                else { continue }
                read += 1
                if (try? PacketV1().decode(again, as: .dataPacket)) != .packet(packet, diagnostics: []) {
                    different += 1
                }
            }
            _ = try? ControlMessage(decoding: Bytes(bytes), as: .response).check()
            _ = try? ProcessMessage(decoding: Bytes(bytes))
        }
        #expect(read > 100 && different == 0)
    }

    @Test(
        arguments: [
            ("application/octet-stream", true), ("text/plain; charset=utf-8", true), ("a/b;", true),
            (#"a/b; x="; \" y""#, true), ("a/b; x=1; X=2", false), ("a", false), ("a/", false), ("a/b c", false),
            (#"a/b; x="1"#, false), ("a/b; =1", false), ("", false), (" a/b", false),
        ])
    func `a MIME type has type, subtype and parameters (SA-14)`(type: String, isGood: Bool) {
        let packet = Packet(carrier: .opaque(.init([1], mimeType: type)))
        #expect(((try? PacketV1().encode(packet, as: .dataPacket)) != nil) == isGood)
    }

    @Test(arguments: [
        (0.1, false), (1.5, true), (1e300, false), (9_007_199_254_740_992, true), (-0.0, true),
        (Double.leastNonzeroMagnitude, false),
        (0.125, true), (1.152921504606847e18, false), (123_456_789.25, true),
    ])
    func `a number in the context of media is one that a double is (SA-11)`(number: Double, isExact: Bool) {
        let audio = AudioFrame(pcm: [1], sampleRate: 8_000, channels: 1)
        let packet = Packet(payload: ["n": .number(number)], carrier: .audio(audio))
        #expect(((try? PacketV1().encode(packet, as: .dataPacket)) != nil) == isExact)
    }

    @Test func `a violation names rule, place and reason`() {
        let violation = PacketViolation(.bounds, "is 9", at: ".audio.channels")
        #expect(violation.description == "SA-04: .audio.channels is 9" && violation.code == "SA-04")
    }

    @Test func `structures nest 32 levels deep and no deeper (SA-00)`() throws {
        for (depth, isGood) in [(32, true), (33, false)] {
            var json: JSON = 1
            for _ in 0..<depth { json = ["k": json] }
            let packet = Packet(
                payload: try PacketObject(json),
                carrier: .audio(AudioFrame(pcm: [1], sampleRate: 8_000, channels: 1)))
            #expect(((try? PacketV1().encode(packet, as: .dataPacket)) != nil) == isGood)
            let wire = WirePacket(payload: packet.payload, frame: .audio(AudioFrame(pcm: [1])))
            #expect(
                ((try? WirePacket(decoding: wire.encoded(as: .dataPacket), as: .dataPacket)) != nil) == isGood)
        }
    }

    @Test(.timeLimit(.minutes(30))) func `a message in a million pieces costs no more than its bytes (SA-00)`() throws {
        // Each piece repeats a field; what is read before is not copied for the next one.
        let many = PacketObjectBytes.many(2_000)
        for piece in [[UInt8](hex: "1200"), [UInt8](hex: "4200"), [UInt8](hex: "3a00")] {
            var bytes = many
            for _ in 0..<500_000 { bytes += piece }
            _ = try? WirePacket(decoding: Bytes(bytes), as: .dataPacket)
        }
    }
}

private enum PacketObjectBytes {
    /// A packet whose payload has many members.
    static func many(_ count: Int) -> [UInt8] {
        let object = JSON.Object(pairs: (0..<count).map { (key: "k\($0)", value: .integer(1)) })
        return WirePacket(payload: PacketObject(object)).encoded(as: .dataPacket).array
    }
}
