import ChatCodec
import ChatModel
import PacketStream

/// Parts of a packet as the files have them. A part that stands alone is read and written inside a packet.
enum WirePart {
    static let names = [
        "AudioFrame", "VideoFrame", "BinaryFrame", "TransportDescriptor", "StreamEnvelope", "FlowControl",
        "ControlError",
    ]

    /// The view of a part, and what encoding gives.
    static func decode(_ bytes: Bytes, _ name: String) throws -> (JSON, Bytes) {
        switch name {
        case "FlowControl":
            let flow = try FlowControl(decoding: bytes)
            return (WireView.json(flow), flow.encoded)
        case "ControlError":
            let message = try ControlMessage(decoding: field(5, bytes), as: .response)
            let failure = message.failure ?? ControlMessage.Failure()
            return (WireView.json(failure), inner(ControlMessage(failure: failure).encoded(as: .response)))
        default:
            let packet = try packet(bytes, name)
            guard let key = keys[name], let whole = WireView.json(packet)[key] else {
                throw Problem.differs("there is no \(name)")
            }
            let view = whole.list?.first ?? whole
            return (view, inner(packet.encoded(as: .dataPacket)))
        }
    }

    static func check(_ bytes: Bytes, _ name: String) throws {
        switch name {
        case "FlowControl": try FlowControl(decoding: bytes).check()
        case "ControlError": try ControlMessage(decoding: field(5, bytes), as: .response).check()
        default: try check(try packet(bytes, name))
        }
    }

    /// The bounds of what a packet has, as a validator of the schema checks them.
    static func check(_ packet: WirePacket) throws { try packet.checkSchema() }

    private static let keys = [
        "AudioFrame": "audio", "VideoFrame": "video", "BinaryFrame": "binary", "TransportDescriptor": "transports",
        "StreamEnvelope": "envelope",
    ]
    private static let numbers: [String: UInt64] = [
        "TransportDescriptor": 4, "AudioFrame": 5, "VideoFrame": 6, "BinaryFrame": 7, "StreamEnvelope": 8,
    ]

    private static func packet(_ bytes: Bytes, _ name: String) throws -> WirePacket {
        guard let number = numbers[name] else { throw Problem.notApplicable("message \(name)") }
        return try WirePacket(decoding: field(number, bytes), as: .dataPacket)
    }

    /// A message with bytes in one field.
    private static func field(_ number: UInt64, _ bytes: Bytes) -> Bytes {
        Bytes(headRoom: 0, count: 1 + ProtoSize.varint(UInt64(bytes.count)) + bytes.count) { output in
            output.append(present: Int(number), count: bytes.count)
            output.append(bytes: bytes.span)
        }
    }

    /// The bytes of the one field of a message.
    private static func inner(_ message: Bytes) -> Bytes {
        var reader = ProtoReader(message.span)
        guard (try? reader.next()) != nil, let range = try? reader.range() else { return [] }
        return message.slice(range)
    }

    static func json(_ frame: AudioFrame) -> JSON {
        var object = JSON.Object()
        object.set("pcm", frame.pcm)
        object.set("sample_rate_hz", number: frame.sampleRate)
        object.set("channels", number: frame.channels)
        object.set("codec", frame.codec)
        object.set("timestamp_ms", long: frame.timestamp)
        return .object(object)
    }

    static func json(_ frame: VideoFrame) -> JSON {
        var object = JSON.Object()
        object.set("payload", frame.payload)
        object.set("codec", frame.codec)
        object.set("width", number: frame.width)
        object.set("height", number: frame.height)
        object.set("timestamp_ms", long: frame.timestamp)
        if frame.isRaw { object["raw"] = true }
        return .object(object)
    }

    static func json(_ frame: BinaryFrame) -> JSON {
        var object = JSON.Object()
        object.set("payload", frame.payload)
        object.set("mime_type", frame.mimeType)
        object.set("timestamp_ms", long: frame.timestamp)
        return .object(object)
    }

    static func json(_ transport: TransportDescriptor) -> JSON {
        var object = JSON.Object()
        object.set("name", transport.name)
        object.set("kind", transport.kind)
        object.set("mode", transport.mode)
        object["typed_config"] = transport.settings.map { settings in
            var object = JSON.Object()
            object.set("transport_ref", settings.reference)
            object.set("mode_reason", settings.modeReason)
            return .object(object)
        }
        return .object(object)
    }

    static func json(_ stream: StreamEnvelope) -> JSON {
        var object = JSON.Object()
        object.set("stream_id", stream.stream)
        object.set("sequence", long: stream.sequence)
        object.set("partition", stream.partition)
        object.set("chunk_id", stream.chunkID)
        object.set("chunk_index", number: stream.chunkIndex)
        object.set("chunk_count", number: stream.chunkCount)
        object.set("chunk_bytes", number: stream.chunkBytes)
        object.set("total_bytes", number: stream.totalBytes)
        return .object(object)
    }
}
