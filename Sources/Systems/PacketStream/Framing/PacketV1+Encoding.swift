import ChatCodec
public import ChatModel

// Encoding: canonical in both modes.
extension PacketV1 {
    /// Encodes a packet whose frame has 10 MiB at most; see ``split(_:chunkID:size:)`` for longer ones.
    public func encode(_ packet: Packet, as message: PacketMessage) throws(PacketViolation) -> Bytes {
        let wire = try wire(packet)
        try Bounds.check(wire)
        return wire.encoded(as: message)
    }

    /// Encodes a piece of a packet.
    public func encode(_ chunk: PacketChunk, as message: PacketMessage) -> Bytes {
        chunk.packet.encoded(as: message)
    }

    /// The packet as protobuf has it: one carrier (SA-42), and headers where the carrier has them (SA-26). The size of
    /// opaque bytes is not checked here.
    public func wire(_ packet: Packet) throws(PacketViolation) -> WirePacket {
        try KindRules.check(packet)
        try checkMetadata(packet)
        if let stream = packet.stream, stream.chunkCount > 0 || stream != stream.whole {
            throw PacketViolation(.stream, "has fields of a chunk, which splitting sets", at: ".envelope")
        }
        if let timestamp = packet.timestamp, timestamp == 0 || timestamp > Bounds.maximumTimestamp {
            throw PacketViolation(.timestamp, "is \(timestamp)", at: ".timestampMs")
        }
        let wire = try carry(packet)
        try Bounds.check(wire, isAssembled: true)
        return wire
    }

    /// Whether a packet that was decoded in canonical mode may be written as it came: as an envelope in one piece with
    /// nothing beside it, in which an encoder would find nothing to refuse.
    func forwards(_ wire: WirePacket, of packet: Packet) -> Bool {
        guard mode == .canonical, wire.metadata.isEmpty, case .binary(let frame)? = wire.frame else { return false }
        return frame.mimeType.hasSameBytes(as: MediaType.reserved) && frame.payload.count <= Self.chunkSize
            && packet.metadata.entries.allSatisfy { !$0.key.hasPrefix(Shadow.reservedPrefix) }
    }

    private func checkMetadata(_ packet: Packet) throws(PacketViolation) {
        for entry in packet.metadata.entries {
            guard !entry.key.isEmpty, !Text.isPadded(entry.key) else {
                throw PacketViolation(.blanks, "has a key that is empty or has blanks around it", at: ".metadata")
            }
            guard !entry.key.hasPrefix(Shadow.reservedPrefix) else {
                throw PacketViolation(.reservedKey, "has the reserved key \(entry.key.prefix(64))", at: ".metadata")
            }
        }
    }

    private func carry(_ packet: Packet) throws(PacketViolation) -> WirePacket {
        switch packet.carrier {
        case .structured: return try structured(packet)
        case .audio(let frame): return try media(packet, .audio(frame))
        case .video(let frame): return try media(packet, .video(frame))
        case .opaque(let opaque):
            guard packet.payload == nil, packet.inputs == nil, packet.transports.isEmpty else {
                throw PacketViolation(.opaqueAlone, "has payload, inputs or transports beside opaque bytes")
            }
            guard !Text.isPadded(opaque.mimeType), MediaType(opaque.mimeType).isWellFormed else {
                throw PacketViolation(.mediaType, "has not the form of RFC 2045", at: ".binary.mime_type")
            }
            guard !MediaType(opaque.mimeType).isReserved else {
                throw PacketViolation(.exactType, "is the reserved one, for opaque bytes", at: ".binary.mime_type")
            }
            let frame = BinaryFrame(payload: opaque.bytes, mimeType: opaque.mimeType, timestamp: opaque.timestamp)
            return try media(packet, .binary(frame))
        }
    }

    private func structured(_ packet: Packet) throws(PacketViolation) -> WirePacket {
        for object in [packet.payload, packet.inputs] {
            guard object?.json.isDeeper(than: Envelope.maximumDepth - 1) != true else {
                throw PacketViolation(.envelope, "nests deeper than \(Envelope.maximumDepth) levels")
            }
        }
        let envelope = Envelope.encoded(packet)
        guard envelope.count <= Bounds.maximumFrame else {
            throw PacketViolation(
                .envelope, "has \(envelope.count) bytes; at most \(Bounds.maximumFrame) allowed")
        }
        let frame = BinaryFrame(
            payload: envelope, mimeType: MediaType.reserved, timestamp: packet.timestamp ?? 0)
        return WirePacket(frame: .binary(frame), stream: packet.stream)
    }

    private func media(_ packet: Packet, _ frame: WirePacket.Frame) throws(PacketViolation) -> WirePacket {
        try Self.checkNumbers(packet.payload, at: ".payload")
        try Self.checkNumbers(packet.inputs, at: ".inputs")
        return WirePacket(
            metadata: Shadow.metadata(of: packet, names: namesData || packet.kind != .data), payload: packet.payload,
            inputs: packet.inputs, transports: packet.transports, frame: frame, stream: packet.stream)
    }

    /// A Struct holds doubles, and nests as deep as it is read (SA-11, SA-00).
    private static func checkNumbers(_ object: PacketObject?, at place: String) throws(PacketViolation) {
        guard let object else { return }
        guard !object.json.isDeeper(than: PacketObject.maximumDepth) else {
            throw PacketViolation(.wire, "nests deeper than \(PacketObject.maximumDepth) levels", at: place)
        }
        guard isExact(object.json) else {
            throw PacketViolation(.exactNumber, "has a number that no double is", at: place)
        }
    }

    private static func isExact(_ json: JSON) -> Bool {
        switch json {
        case .object(let object): object.members.allSatisfy { isExact($0.value) }
        case .array(let list): list.allSatisfy(isExact)
        case .integer(let value): Double(exactly: value) != nil
        case .unsigned(let value): Double(exactly: value) != nil
        case .number(let value): ExactDouble.isExact(value)
        case .decimal: false
        default: true
        }
    }
}
