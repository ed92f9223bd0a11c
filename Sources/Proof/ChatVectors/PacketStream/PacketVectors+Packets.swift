import ChatCodec
import ChatModel
import PacketStream

// Packets in both modes, encoding, and what the SDK emits and reads.
extension PacketVectors {
    @Sendable static func packet(_ one: PacketCase) throws {
        let (bytes, message) = (try one.bytes(), try one.message())
        let rejects = one.json["options"]?["rejectShadowConflict"]?.bool ?? false
        for mode in PacketMode.allCases {
            let codec = PacketV1(mode, rejectsShadowConflict: rejects)
            var view: JSON?
            let violation = try PacketCase.violation {
                view = PacketView.json(try codec.decode(bytes, as: message))
            }
            try PacketCase.expect(one.value(mode.rawValue), mode.rawValue, violation)
            // A view of ten mebibytes is left out.
            guard let view, var expected = one.json["\(mode.rawValue)_view"] else { continue }
            if expected.text == "same" { expected = try one.value("canonical_view") }
            try PacketCase.expect("\(mode.rawValue) view", view, expected)
        }
    }

    @Sendable static func encode(_ one: PacketCase) throws {
        let message = try one.message()
        let model = PacketCase(json: try one.value("model"))
        let codec = PacketV1(namesData: model.json["kind"]?.text == PacketKind.data.rawValue)
        var encoded: Bytes?
        let violation = try PacketCase.violation {
            encoded = try codec.encode(try PacketView.packet(model), as: message)
        }
        try PacketCase.expect(one.value("expect"), "the model", violation)
        guard let encoded else { return }
        try PacketCase.expect(
            "the view", PacketView.json(try codec.decode(encoded, as: message)), one.value("view"))
        let expected = try one.bytes()
        if one.json["bytes_exact"]?.bool == true {
            return try PacketCase.expect(
                "the encoding", .string(Hex.encode(encoded.array)), .string(Hex.encode(expected.array)))
        }
        let (mine, other) = (
            try WirePacket(decoding: encoded, as: message), try WirePacket(decoding: expected, as: message)
        )
        guard mine.metadata == other.metadata, case .binary(let left)? = mine.frame,
            case .binary(let right)? = other.frame, left.mimeType == right.mimeType
        else { throw Problem.differs("metadata or MIME type differ from those of the file") }
    }

    @Sendable static func sdk(_ one: PacketCase) throws {
        switch try one.text("what") {
        case "emit", "read":
            // What the SDK refuses to emit has no bytes.
            guard one.json["hex"] != nil else { return }
            try packet(one)
        case "wire": try wire(one)
        case "chunks": try chunks(one)
        case "bounds": try bounds(one)
        case let what: throw Problem.notApplicable("what \(what)")
        }
    }
}
