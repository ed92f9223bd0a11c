import ChatCodec
import ChatModel

/// Headers in the metadata of a packet: the only ones that media and opaque bytes have (SA-22), and what SDK 0.1.5
/// writes beside every envelope.
struct Shadow {
    static let kindKey = "bubu.envelope.kind", messageIDKey = "bubu.envelope.message_id",
        timestampKey = "bubu.envelope.timestamp_ms"
    /// Where keys begin that an application has not (SA-26).
    static let reservedPrefix = "bubu."

    let kind, messageID, timestampText: String?
    /// The metadata without these three.
    let visible: Metadata

    init(_ metadata: Metadata) {
        kind = metadata[Self.kindKey]
        messageID = metadata[Self.messageIDKey]
        timestampText = metadata[Self.timestampKey]
        guard kind != nil || messageID != nil || timestampText != nil else {
            visible = metadata
            return
        }
        visible = metadata.removing { [Self.kindKey, Self.messageIDKey, Self.timestampKey].contains($0.key) }
    }

    /// The timestamp as a header: decimal, from 1 to 2⁶³ − 1.
    func timestamp(_ mode: PacketMode) throws(PacketViolation) -> UInt64? {
        guard let text = timestampText else { return nil }
        let isDecimal = !text.isEmpty && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
        if isDecimal, let value = UInt64(text), value > 0, value <= Bounds.maximumTimestamp { return value }
        if mode == .interop { return nil }
        throw PacketViolation(.shadowHeader, "is \(text.prefix(64))", at: ".metadata.\(Self.timestampKey)")
    }

    /// Whether a header of an envelope has another text here (SA-20).
    func contradicts(_ envelope: Envelope) -> Bool {
        Self.differ(kind, envelope.kind) || Self.differ(messageID, envelope.messageID)
            || Self.differ(timestampText, envelope.timestamp == 0 ? nil : String(envelope.timestamp))
    }

    private static func differ(_ shadow: String?, _ header: String?) -> Bool {
        guard let shadow, let header else { return false }
        return !shadow.hasSameBytes(as: header)
    }

    /// Metadata of a packet whose headers are shadow keys: no key for what is not said.
    static func metadata(of packet: Packet, names kind: Bool) -> Metadata {
        var pairs: [(String, String)] = []
        if kind { pairs.append((kindKey, packet.kind.rawValue)) }
        if let messageID = packet.messageID { pairs.append((messageIDKey, messageID)) }
        if let timestamp = packet.timestamp { pairs.append((timestampKey, String(timestamp))) }
        return packet.metadata.overlaid(by: Metadata(pairs))
    }
}

/// The structures that SDK 0.1.5 writes beside an envelope (SA-12).
enum Mirror {
    /// Refuses a mirror that differs from its envelope, whose numbers are rounded to doubles first.
    static func check(_ packet: WirePacket, _ envelope: Envelope) throws(PacketViolation) {
        try check(packet.payload, envelope.payload, at: ".payload")
        try check(packet.inputs, envelope.inputs, at: ".inputs")
        guard packet.transports.isEmpty || packet.transports == envelope.transports else {
            throw PacketViolation(.mirror, "differ from those of the envelope", at: ".transports")
        }
    }

    private static func check(
        _ mirror: PacketObject?, _ original: PacketObject?, at place: String
    ) throws(PacketViolation) {
        guard let mirror else { return }
        guard let original, rounded(original.json).isSameValue(as: rounded(mirror.json)) else {
            throw PacketViolation(.mirror, "differs from that of the envelope", at: place)
        }
    }

    private static func rounded(_ json: JSON) -> JSON {
        switch json {
        case .object(let object):
            .object(JSON.Object(pairs: object.members.map { (key: $0.key, value: rounded($0.value)) }))
        case .array(let list): .array(list.map(rounded))
        case .integer, .unsigned, .number, .decimal: json.nearestDouble.map { .number($0) } ?? json
        default: json
        }
    }
}
