import ChatCodec
import ChatModel

/// The JSON envelope of structured packets, before the rules of kinds.
struct Envelope {
    /// Keys in the order in which they are written.
    static let keys = [
        "version", "kind", "messageId", "timestampMs", "metadata", "payload", "inputs", "transports",
    ]
    /// The one version (D6).
    static let version = "v1"
    /// The deepest nesting that is read, the envelope's own object included.
    static let maximumDepth = 128

    var kind: String?
    var messageID: String?
    /// 0 where there is none.
    var timestamp: UInt64 = 0
    var metadata: Metadata = [:]
    var payload, inputs: PacketObject?
    var transports: [TransportDescriptor] = []

    init() {}

    /// Reads an envelope (SA-01, SA-02, SA-03, SA-06, SA-10, SA-23).
    init(_ bytes: Span<UInt8>, _ mode: PacketMode) throws(PacketViolation) {
        let json: JSON
        do {
            json = try JSON(parsing: bytes, maximumBytes: Bounds.maximumFrame, maximumDepth: Self.maximumDepth)
        } catch {
            throw PacketViolation(.envelope, error.description)
        }
        guard let members = json.members else { throw PacketViolation(.envelope, "is no object") }
        for member in members {
            guard let key = Self.key(member.key, mode) else {
                if mode == .interop { continue }
                throw PacketViolation(.unknownKey, "is not known", at: ".\(member.key.prefix(64))")
            }
            try read(key, member.value)
        }
    }

    /// The known key that a key is: the same bytes, or in interop mode the same letters.
    private static func key(_ key: String, _ mode: PacketMode) -> String? {
        if let known = keys.first(where: { $0 == key }) { return known }
        guard mode == .interop else { return nil }
        let folded = Text.lowercased(key)
        return keys.first { Text.lowercased($0) == folded }
    }

    private mutating func read(_ key: String, _ value: JSON) throws(PacketViolation) {
        switch key {
        case "version":
            guard value.text == Self.version else {
                throw PacketViolation(.version, "is \(value.description.prefix(64)), not v1", at: ".version")
            }
        case "kind": kind = try Self.text(value, ".kind")
        case "messageId": messageID = try Self.text(value, ".messageId")
        case "timestampMs": timestamp = try Self.timestamp(value)
        case "metadata": metadata = try Self.metadata(value)
        case "payload": payload = try PacketObject(value, at: ".payload")
        case "inputs": inputs = try PacketObject(value, at: ".inputs")
        default: transports = try Self.transports(value)
        }
    }

    private static func text(_ value: JSON, _ place: String) throws(PacketViolation) -> String {
        guard let text = value.text else { throw PacketViolation(.reservedType, "is no text", at: place) }
        return text
    }

    /// An integer without fraction and exponent, from 0 to 2⁶³ − 1.
    private static func timestamp(_ value: JSON) throws(PacketViolation) -> UInt64 {
        guard case .integer(let number) = value, let timestamp = UInt64(exactly: number) else {
            throw PacketViolation(.timestamp, "is \(value.description.prefix(64))", at: ".timestampMs")
        }
        return timestamp
    }

    private static func metadata(_ value: JSON) throws(PacketViolation) -> Metadata {
        guard let members = value.members else {
            throw PacketViolation(.reservedType, "is no object", at: ".metadata")
        }
        var pairs: [(String, String)] = []
        for member in members {
            pairs.append((member.key, try text(member.value, ".metadata value")))
            guard !member.key.isEmpty, !Text.isPadded(member.key) else {
                throw PacketViolation(.blanks, "has a key that is empty or has blanks around it", at: ".metadata")
            }
        }
        return Metadata(pairs)
    }

    private static func transports(_ value: JSON) throws(PacketViolation) -> [TransportDescriptor] {
        guard let list = value.list else { throw PacketViolation(.reservedType, "is no list", at: ".transports") }
        var transports: [TransportDescriptor] = []
        for json in list {
            guard json.members != nil, let name = json["name"]?.text else {
                throw PacketViolation(.reservedType, "has no name", at: ".transports")
            }
            var transport = TransportDescriptor(name: name)
            transport.kind = try optional(json, "kind")
            transport.mode = try optional(json, "mode")
            if let settings = json["typedConfig"] {
                guard settings.members != nil else {
                    throw PacketViolation(.reservedType, "is no object", at: ".transports.typedConfig")
                }
                transport.settings = TransportDescriptor.Settings(
                    reference: try optional(settings, "transportRef"), modeReason: try optional(settings, "modeReason"))
            }
            transports.append(transport)
        }
        return transports
    }

    private static func optional(_ json: JSON, _ key: String) throws(PacketViolation) -> String {
        try json[key].map { value throws(PacketViolation) in try text(value, ".transports.\(key)") } ?? ""
    }
}

// Writing.
extension Envelope {
    /// The bytes of a structured packet's envelope: keys always in the same order, absent where nothing is said.
    static func encoded(_ packet: Packet) -> Bytes {
        var writer = JSONWriter(capacity: 256)
        writer.object { writer in
            writer.key("version")
            writer.text(version)
            writer.key("kind")
            writer.text(packet.kind.rawValue)
            if let messageID = packet.messageID {
                writer.key("messageId")
                writer.text(messageID)
            }
            if let timestamp = packet.timestamp {
                writer.key("timestampMs")
                writer.value(JSON(timestamp))
            }
            if !packet.metadata.isEmpty {
                writer.key("metadata")
                writer.object { writer in
                    for entry in packet.metadata.entries {
                        writer.key(entry.key)
                        writer.text(entry.value)
                    }
                }
            }
            if let payload = packet.payload {
                writer.key("payload")
                writer.value(payload.json)
            }
            if let inputs = packet.inputs {
                writer.key("inputs")
                writer.value(inputs.json)
            }
            guard !packet.transports.isEmpty else { return }
            writer.key("transports")
            writer.array { writer in for transport in packet.transports { writer.value(json(transport)) } }
        }
        return Bytes(writer.bytes)
    }

    /// A transport in the form that envelopes have; what is empty is left out.
    static func json(_ transport: TransportDescriptor) -> JSON {
        var object = JSON.Object()
        object["name"] = .string(transport.name)
        if !transport.kind.isEmpty { object["kind"] = .string(transport.kind) }
        if !transport.mode.isEmpty { object["mode"] = .string(transport.mode) }
        guard let settings = transport.settings else { return .object(object) }
        var inner = JSON.Object()
        if !settings.reference.isEmpty { inner["transportRef"] = .string(settings.reference) }
        if !settings.modeReason.isEmpty { inner["modeReason"] = .string(settings.modeReason) }
        object["typedConfig"] = .object(inner)
        return .object(object)
    }
}
