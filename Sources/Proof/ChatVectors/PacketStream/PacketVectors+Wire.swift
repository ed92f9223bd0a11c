import ChatCodec
import ChatModel
import PacketStream

// The protobuf layer, and the bounds of single messages.
extension PacketVectors {
    @Sendable static func wire(_ one: PacketCase) throws {
        let bytes = try one.bytes()
        let name = try one.text("message")
        guard let message = WireView(name: name) else { throw Problem.notApplicable("message \(name)") }
        let kind = one.json["kind"]?.text ?? "decode"
        if kind == "reject" {
            let violation = try PacketCase.violation { _ = try message.decode(bytes) }
            return try PacketCase.expect(["SA-00"], name, violation)
        }
        let (view, encoded) = try message.decode(bytes)
        try PacketCase.expect("the view", view, one.value("view"))
        guard kind == "roundtrip" || one.json["kind"] == nil else { return }
        try PacketCase.expect("the encoding", .string(Hex.encode(encoded.array)), .string(Hex.encode(bytes.array)))
    }

    /// One message alone, as a validator of the schema sees it.
    static func bounds(_ one: PacketCase) throws {
        let name = try one.text("message")
        guard let message = WireView(name: name) else { throw Problem.notApplicable("message \(name)") }
        let bytes = try one.bytes()
        let violation = try PacketCase.violation { try message.check(bytes) }
        guard (violation == nil) == (one.json["valid"]?.bool == true) else {
            throw Problem.differs("\(name) is \(violation.map { "refused (\($0))" } ?? "taken")")
        }
    }
}

/// A message by its name, and its fields as the files have them.
enum WireView {
    case packet(PacketMessage)
    case process
    case control(ControlMessage.Form)
    case part(String)

    init?(name: String) {
        if let message = PacketMessage(rawValue: name) {
            self = .packet(message)
        } else if let form = ControlMessage.Form(rawValue: name) {
            self = .control(form)
        } else if ["ProcessRequest", "ProcessResponse"].contains(name) {
            self = .process
        } else if WirePart.names.contains(name) {
            self = .part(name)
        } else {
            return nil
        }
    }

    /// The view of bytes, and what encoding gives.
    func decode(_ bytes: Bytes) throws -> (JSON, Bytes) {
        switch self {
        case .packet(let message):
            let packet = try WirePacket(decoding: bytes, as: message)
            return (Self.json(packet), packet.encoded(as: message))
        case .process:
            let message = try ProcessMessage(decoding: bytes)
            var object = JSON.Object()
            object["packet"] = message.packet.map(Self.json)
            object["flow"] = message.flow.map(Self.json)
            return (.object(object), message.encoded)
        case .control(let form):
            let message = try ControlMessage(decoding: bytes, as: form)
            return (Self.json(message), message.encoded(as: form))
        case .part(let name): return try WirePart.decode(bytes, name)
        }
    }

    /// Decodes and checks bounds.
    func check(_ bytes: Bytes) throws {
        switch self {
        case .packet(let message): try WirePart.check(try WirePacket(decoding: bytes, as: message))
        case .control(let form): try ControlMessage(decoding: bytes, as: form).check()
        case .process: throw Problem.notApplicable("bounds of a process message")
        case .part(let name): try WirePart.check(bytes, name)
        }
    }

    static func json(_ message: ControlMessage) -> JSON {
        var object = JSON.Object()
        object.set("action", number: message.actionNumber)
        object.set("metadata", message.metadata)
        object["flow"] = message.flow.map(json)
        object.set("custom_action", message.customAction)
        object["error"] = message.failure.map(json)
        return .object(object)
    }

    static func json(_ failure: ControlMessage.Failure) -> JSON {
        var object = JSON.Object()
        object.set("code", number: failure.code)
        object.set("message", failure.message)
        object.set("details", failure.details)
        return .object(object)
    }

    static func json(_ flow: FlowControl) -> JSON {
        var object = JSON.Object()
        object.set("ack", long: flow.ack)
        object.set("credits_messages", number: flow.creditsMessages)
        object.set("credits_bytes", number: flow.creditsBytes)
        if !flow.partitionAcks.isEmpty {
            object["partition_acks"] = .array(
                flow.partitionAcks.map { ack in
                    var object = JSON.Object()
                    object.set("partition", ack.partition)
                    object.set("ack", long: ack.ack)
                    return .object(object)
                })
        }
        object.set("signal", number: flow.signalNumber)
        return .object(object)
    }

    static func json(_ packet: WirePacket) -> JSON {
        var object = JSON.Object()
        object.set("metadata", packet.metadata)
        object["payload"] = packet.payload?.json
        object["inputs"] = packet.inputs?.json
        if !packet.transports.isEmpty { object["transports"] = .array(packet.transports.map(WirePart.json)) }
        switch packet.frame {
        case .audio(let frame): object["audio"] = WirePart.json(frame)
        case .video(let frame): object["video"] = WirePart.json(frame)
        case .binary(let frame): object["binary"] = WirePart.json(frame)
        case nil: break
        }
        object["envelope"] = packet.stream.map(WirePart.json)
        return .object(object)
    }
}

// Fields that are left out where they have their default.
extension JSON.Object {
    mutating func set(_ key: String, _ text: String) {
        if !text.isEmpty { self[key] = .string(text) }
    }

    mutating func set(_ key: String, number: some FixedWidthInteger) {
        if number != 0 { self[key] = .integer(Int64(clamping: number)) }
    }

    mutating func set(_ key: String, long: UInt64) {
        if long != 0 { self[key] = .string(String(long)) }
    }

    mutating func set(_ key: String, _ bytes: Bytes) {
        if !bytes.isEmpty { self[key] = .string(Hex.encode(bytes.array)) }
    }

    mutating func set(_ key: String, _ metadata: Metadata) {
        if !metadata.isEmpty { self[key] = metadata.json }
    }
}

extension Metadata {
    var json: JSON { .object(JSON.Object(pairs: entries.map { (key: $0.key, value: .string($0.value)) })) }
}
