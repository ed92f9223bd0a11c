import ChatCodec
import ChatModel
import PacketStream

/// What decoding gives, as the files have it.
enum PacketView {
    static func json(_ decoded: PacketV1.Decoded) -> JSON {
        switch decoded {
        case .legacyHeartbeat: ["carrier": "none", "kind": "heartbeat", "delivered": false]
        case .chunk(let chunk): json(chunk)
        case .packet(let packet, let diagnostics): json(packet, diagnostics)
        }
    }

    private static func json(_ chunk: PacketChunk) -> JSON {
        var object = JSON.Object()
        object["carrier"] = "chunk"
        object["stream"] = WirePart.json(chunk.stream)
        object.set("bytes", chunk.frame.payload)
        object.set("mime", chunk.frame.mimeType)
        object.set("mediaTimestampMs", long: chunk.frame.timestamp)
        object.set("metadata", chunk.packet.metadata)
        return .object(object)
    }

    private static func json(_ packet: Packet, _ diagnostics: [PacketV1.Diagnostic]) -> JSON {
        var object = JSON.Object()
        switch packet.carrier {
        case .structured: object["carrier"] = "structured"
        case .audio(let frame):
            object["carrier"] = "audio"
            object["frame"] = WirePart.json(frame)
        case .video(let frame):
            object["carrier"] = "video"
            object["frame"] = WirePart.json(frame)
        case .opaque(let opaque):
            object["carrier"] = "opaque"
            object.set("mime", opaque.mimeType)
            object.set("bytes", opaque.bytes)
            object.set("mediaTimestampMs", long: opaque.timestamp)
        }
        object.set("kind", packet.kind.rawValue)
        object["messageId"] = packet.messageID.map { .string($0) }
        object["timestampMs"] = packet.timestamp.map { .string(String($0)) }
        object.set("metadata", packet.metadata)
        object["payload"] = packet.payload?.json
        object["inputs"] = packet.inputs?.json
        if !packet.transports.isEmpty { object["transports"] = .array(packet.transports.map(json)) }
        object["stream"] = packet.stream.map(WirePart.json)
        if !diagnostics.isEmpty { object["diagnostics"] = .array(diagnostics.map { .string($0.rawValue) }) }
        object["delivered"] = .bool(packet.isDelivered)
        return .object(object)
    }

    /// A transport as an envelope has it.
    private static func json(_ transport: TransportDescriptor) -> JSON {
        var object = JSON.Object()
        object.set("name", transport.name)
        object.set("kind", transport.kind)
        object.set("mode", transport.mode)
        object["typedConfig"] = transport.settings.map { settings in
            var object = JSON.Object()
            object.set("transportRef", settings.reference)
            object.set("modeReason", settings.modeReason)
            return .object(object)
        }
        return .object(object)
    }

    /// The model of a case of encoding. What a packet here cannot even be is refused by the rule that it would break.
    static func packet(_ model: PacketCase) throws -> Packet {
        let json = model.json
        var packet = Packet()
        if let kind = json["kind"]?.text { packet.kind = PacketKind(rawValue: kind) }
        packet.messageID = json["messageId"]?.text
        if let timestamp = json["timestampMs"]?.text {
            guard let value = UInt64(timestamp) else {
                throw PacketViolation(.timestamp, "is \(timestamp)", at: ".timestampMs")
            }
            packet.timestamp = value
        }
        packet.metadata = metadata(json["metadata"])
        packet.payload = try json["payload"].map { try PacketObject($0, at: ".payload") }
        packet.inputs = try json["inputs"].map { try PacketObject($0, at: ".inputs") }
        packet.transports = (json["transports"]?.list ?? []).map(transport)
        packet.stream = json["stream"].map(stream)
        let carriers = ["audio", "video", "opaque"].filter { json[$0] != nil }
        guard carriers.count < 2 else { throw PacketViolation(.frame, "has several frames") }
        if let frame = json["audio"] { packet.carrier = .audio(try audio(frame)) }
        if let frame = json["video"] { packet.carrier = .video(try video(frame)) }
        if let opaque = json["opaque"] {
            packet.carrier = .opaque(
                Packet.OpaqueBytes(
                    try bytes(opaque, "bytes"), mimeType: opaque["mime"]?.text ?? "",
                    timestamp: long(opaque, "mediaTimestampMs")))
        }
        return packet
    }

    static func metadata(_ json: JSON?) -> Metadata {
        Metadata((json?.members ?? []).map { ($0.key, $0.value.text ?? "") })
    }

    static func stream(_ json: JSON) -> StreamEnvelope {
        StreamEnvelope(
            stream: json["stream_id"]?.text ?? "", sequence: long(json, "sequence"),
            partition: json["partition"]?.text ?? "", chunkID: json["chunk_id"]?.text ?? "",
            chunkIndex: number(json, "chunk_index"), chunkCount: number(json, "chunk_count"),
            chunkBytes: number(json, "chunk_bytes"), totalBytes: number(json, "total_bytes"))
    }

    private static func transport(_ json: JSON) -> TransportDescriptor {
        TransportDescriptor(
            name: json["name"]?.text ?? "", kind: json["kind"]?.text ?? "", mode: json["mode"]?.text ?? "",
            settings: json["typedConfig"].map { settings in
                TransportDescriptor.Settings(
                    reference: settings["transportRef"]?.text ?? "", modeReason: settings["modeReason"]?.text ?? "")
            })
    }

    private static func audio(_ json: JSON) throws -> AudioFrame {
        AudioFrame(
            pcm: try bytes(json, "pcm"), sampleRate: number(json, "sample_rate_hz"),
            channels: number(json, "channels"), codec: json["codec"]?.text ?? "",
            timestamp: long(json, "timestamp_ms"))
    }

    private static func video(_ json: JSON) throws -> VideoFrame {
        VideoFrame(
            payload: try bytes(json, "payload"), codec: json["codec"]?.text ?? "", width: number(json, "width"),
            height: number(json, "height"), timestamp: long(json, "timestamp_ms"),
            isRaw: json["raw"]?.bool ?? false)
    }

    static func bytes(_ json: JSON, _ key: String) throws -> Bytes {
        Bytes(try Case.bytes(json[key]?.text ?? "", key))
    }

    private static func long(_ json: JSON, _ key: String) -> UInt64 { json[key]?.text.flatMap(UInt64.init) ?? 0 }

    private static func number<Number: FixedWidthInteger>(_ json: JSON, _ key: String) -> Number {
        json[key]?.int.map(Number.init(clamping:)) ?? 0
    }
}
