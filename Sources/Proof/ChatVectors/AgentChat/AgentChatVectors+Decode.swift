import AgentChat
import ChatCodec

// Decoding and encoding.
extension AgentChatVectors {
    @Sendable static func decode(_ one: AgentChatCase) throws {
        let bytes = try bytes(of: one)
        let direction = try one.text("dir")
        for mode in Mode.allCases {
            let expected = try one.value(mode.rawValue)
            if one.json["binary"]?.bool == true {
                try AgentChatCase.expect(expected, mode.rawValue, AgentJSON.binaryFrame)
                continue
            }
            var value: JSON?
            let violation = try refusal { value = try reencode(bytes, direction, AgentJSON(mode)) }
            try AgentChatCase.expect(expected.text == "valid" ? nil : expected, mode.rawValue, violation)
            guard let value else { continue }
            let there = one.json["\(mode.rawValue)_value_raw"]?.text.map { Array($0.utf8) } ?? bytes
            let tree = try JSON(parsing: there.span, maximumDepth: AgentJSON.maximumDepth)
            try AgentChatCase.expect("\(mode.rawValue) value", value, tree)
        }
    }

    /// The validator's verdict on a list of messages; that of the SDK itself stands beside it and is not checked.
    @Sendable static func messages(_ one: AgentChatCase) throws {
        let list = try one.list("messages")
        for mode in Mode.allCases {
            let codec = AgentJSON(mode)
            var values: [JSON] = []
            let violation = try refusal {
                values = try list.map { try JSON(parsing: codec.encode(try codec.message($0))) }
            }
            let expected = try one.value(mode.rawValue)
            try AgentChatCase.expect(expected.text == "valid" ? nil : expected, mode.rawValue, violation)
            guard violation == nil else { continue }
            let there = one.json["\(mode.rawValue)_value"] ?? .array(list)
            try AgentChatCase.expect("\(mode.rawValue) value", .array(values), there)
        }
    }

    private static func refusal(_ body: () throws -> Void) throws -> Violation? {
        do {
            try body()
            return nil
        } catch let violation as Violation { return violation }
    }

    private static func reencode(_ bytes: [UInt8], _ direction: String, _ codec: AgentJSON) throws -> JSON {
        let encoded =
            switch direction {
            case "c2s": codec.encode(try codec.command(bytes.span))
            case "s2c": codec.encode(try codec.serverMessage(bytes.span))
            case "message": codec.encode(try codec.message(bytes.span))
            case "part": codec.encode(try codec.part(bytes.span))
            default: throw Problem.notApplicable("direction \(direction)")
            }
        return try JSON(parsing: encoded.span, maximumDepth: AgentJSON.maximumDepth)
    }

    private static func bytes(of one: AgentChatCase) throws -> [UInt8] {
        if let raw = one.json["raw"]?.text { return Array(raw.utf8) }
        if let hex = one.json["raw_hex"]?.text { return try Case.bytes(hex, "raw_hex") }
        var bytes: [UInt8] = []
        for piece in try one.list("raw_parts") {
            guard let text = piece.list?.first?.text, let count = piece.list?.last?.int, (0...1 << 24).contains(count),
                bytes.count + count * text.utf8.count <= Verifier.maximumFile
            else { throw Problem.unreadable("a piece of raw_parts is no text with a count") }
            for _ in 0..<count { bytes += text.utf8 }
        }
        return bytes
    }
}
