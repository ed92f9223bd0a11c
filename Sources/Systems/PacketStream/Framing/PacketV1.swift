import ChatCodec
public import ChatModel

/// The codec `packet-v1`: packets of the contract, canonical or as bubu-sdk-go 0.1.5 emits them.
///
/// Decoding is total: every input gives a view or exactly one rule. Encoding is canonical in both modes; what it gives
/// decodes to an equal packet, and what decoding would refuse it refuses (SA-62).
public struct PacketV1: Hashable, Sendable {
    /// Whose packets are read.
    public let mode: PacketMode
    /// Whether a shadow key that contradicts its envelope is refused (SA-20).
    public let rejectsShadowConflict: Bool
    /// Whether media and opaque packets say that they are of kind `data`, which they are anyway.
    public let namesData: Bool

    /// A codec.
    public init(_ mode: PacketMode = .canonical, rejectsShadowConflict: Bool = false, namesData: Bool = false) {
        (self.mode, self.rejectsShadowConflict, self.namesData) = (mode, rejectsShadowConflict, namesData)
    }

    /// What a message is.
    public enum Decoded: Hashable, Sendable {
        /// A packet, and what was noticed and did not matter.
        case packet(Packet, diagnostics: [Diagnostic])
        /// A piece of a packet, for a ``Reassembly``.
        case chunk(PacketChunk)
        /// A sign of life as SDK 0.1.5 sends it, without a frame (SA-31); in interop mode only.
        case legacyHeartbeat
    }

    /// What a decoder notices without refusing.
    public enum Diagnostic: String, Hashable, Sendable {
        /// A shadow key says something else than the envelope, which counts (SA-20).
        case shadowConflict
    }

    /// Decodes a message.
    public func decode(_ bytes: Bytes, as message: PacketMessage) throws(PacketViolation) -> Decoded {
        try decode(try WirePacket(decoding: bytes, as: message))
    }

    /// Decodes a packet whose protobuf layer was read already.
    public func decode(_ packet: WirePacket) throws(PacketViolation) -> Decoded {
        try Bounds.check(packet)
        guard let frame = packet.frame else { return try withoutFrame(packet) }
        if let chunk = PacketChunk(packet) {
            try checkAlone(packet, frame)
            return .chunk(chunk)
        }
        return try view(packet, frame)
    }

    /// Decodes a packet that ``Reassembly`` put together, whose frame may have 64 MiB.
    public func decode(assembled packet: WirePacket) throws(PacketViolation) -> Decoded {
        try Bounds.check(packet, isAssembled: true)
        guard let frame = packet.frame else { return try withoutFrame(packet) }
        return try view(packet, frame)
    }

    private func withoutFrame(_ packet: WirePacket) throws(PacketViolation) -> Decoded {
        let isHeartbeat = packet == WirePacket(metadata: [Self.legacyHeartbeat: "true"])
        guard isHeartbeat, mode == .interop else { throw PacketViolation(.noFrame, "has no frame") }
        return .legacyHeartbeat
    }

    static let legacyHeartbeat = "bubu-heartbeat"

    private func view(_ packet: WirePacket, _ frame: WirePacket.Frame) throws(PacketViolation) -> Decoded {
        let (view, diagnostics): (Packet, [Diagnostic])
        var mirrored: Envelope?
        switch frame {
        case .audio(let frame): (view, diagnostics) = (try media(packet, .audio(frame)), [])
        case .video(let frame): (view, diagnostics) = (try media(packet, .video(frame)), [])
        case .binary(let frame):
            let type = try Self.type(of: frame)
            if type.isReserved {
                let envelope = try Envelope(frame.payload.span, mode)
                guard type.isWellFormed else {
                    throw PacketViolation(
                        .reservedType, "is the reserved one with broken parameters", at: ".binary.mime_type")
                }
                (view, diagnostics) = try structured(packet, envelope, frame)
                mirrored = envelope
            } else {
                let bytes = Packet.OpaqueBytes(frame.payload, mimeType: frame.mimeType, timestamp: frame.timestamp)
                (view, diagnostics) = (try media(packet, .opaque(bytes)), [])
            }
        }
        try KindRules.check(view)
        try checkAlone(packet, frame)
        if mode == .interop, let mirrored { try Mirror.check(packet, mirrored) }
        return .packet(view, diagnostics: diagnostics)
    }

    /// The MIME type of a binary frame (SA-14), the reserved one included.
    private static func type(of frame: BinaryFrame) throws(PacketViolation) -> MediaType {
        guard !frame.mimeType.isEmpty, !Text.isPadded(frame.mimeType) else {
            throw PacketViolation(.mediaType, "is empty or has blanks around it", at: ".binary.mime_type")
        }
        let type = MediaType(frame.mimeType)
        guard type.isReserved || type.isWellFormed else {
            throw PacketViolation(.mediaType, "has not the form of RFC 2045", at: ".binary.mime_type")
        }
        return type
    }

    /// Refuses structures of the packet beside opaque bytes (D5, SA-40) and, unless a mirror is let pass, beside an
    /// envelope (SA-12).
    private func checkAlone(_ packet: WirePacket, _ frame: WirePacket.Frame) throws(PacketViolation) {
        guard case .binary(let frame) = frame,
            packet.payload != nil || packet.inputs != nil || !packet.transports.isEmpty
        else { return }
        guard MediaType(frame.mimeType).isReserved else {
            throw PacketViolation(.opaqueAlone, "has payload, inputs or transports beside opaque bytes")
        }
        guard mode == .interop else {
            throw PacketViolation(.mirror, "has payload, inputs or transports beside an envelope")
        }
    }

    /// Media and opaque bytes: shadow keys are the headers (SA-22), the packet's structures the context (SA-41).
    private func media(_ packet: WirePacket, _ carrier: Packet.Carrier) throws(PacketViolation) -> Packet {
        let shadow = Shadow(packet.metadata)
        var view = Packet(
            PacketKind(rawValue: shadow.kind ?? PacketKind.data.rawValue),
            messageID: shadow.messageID.flatMap { $0.isEmpty ? nil : $0 }, timestamp: try shadow.timestamp(mode),
            metadata: shadow.visible, stream: packet.stream, carrier: carrier)
        // Opaque bytes stay what they are: nothing is copied into a payload (SA-15), and nothing may stand beside them.
        if case .opaque = carrier { return view }
        (view.payload, view.inputs, view.transports) = (packet.payload, packet.inputs, packet.transports)
        return view
    }

    /// An envelope: its headers count (D3, SA-20), and its structures are the packet's.
    private func structured(
        _ packet: WirePacket, _ envelope: Envelope, _ frame: BinaryFrame
    ) throws(PacketViolation) -> (Packet, [Diagnostic]) {
        let shadow = Shadow(packet.metadata)
        let isConflict = shadow.contradicts(envelope)
        guard !isConflict || !rejectsShadowConflict else {
            throw PacketViolation(.shadowConflict, "says something else than the envelope", at: ".metadata")
        }
        let timestamp = envelope.timestamp > 0 ? envelope.timestamp : frame.timestamp
        guard timestamp <= Bounds.maximumTimestamp else {
            throw PacketViolation(.timestamp, "is \(timestamp)", at: ".binary.timestamp_ms")
        }
        var messageID = envelope.messageID ?? ""
        if messageID.isEmpty, mode == .interop { messageID = shadow.messageID ?? "" }
        var kind = envelope.kind
        if kind == nil, envelope.payload != nil || envelope.inputs != nil { kind = PacketKind.data.rawValue }
        guard let kind else { throw PacketViolation(.content, "has neither kind nor content") }
        let visible = shadow.visible
        let replaces = mode == .interop && !visible.isEmpty
        let view = Packet(
            PacketKind(rawValue: kind), messageID: messageID.isEmpty ? nil : messageID,
            timestamp: timestamp == 0 ? nil : timestamp,
            metadata: replaces ? visible : envelope.metadata.overlaid(by: visible), payload: envelope.payload,
            inputs: envelope.inputs, transports: envelope.transports, stream: packet.stream)
        return (view, isConflict ? [.shadowConflict] : [])
    }
}
