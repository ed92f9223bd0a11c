public import ChatCodec
import ChatModel

extension PacketInspection {
    /// For people: what the message is, a line for each mode, and a line for each change.
    public var text: String {
        var lines = ["\(message.name), \(size) bytes"]
        lines.append("  canonical  \(canonical.text)")
        lines.append("  interop    \(interop == canonical ? "the same" : interop.text)")
        if hasShadow { lines.append("  note       shadow keys stand beside the envelope [SA-26]") }
        lines += changes.map { "  change     \($0.repository.rawValue): \($0.what)" }
        return lines.joined(separator: "\n")
    }

    /// For programs: `message`, `bytes`, `canonical`, `interop`, `shadow`, `changes`.
    public var json: JSON {
        [
            "message": .string(message.name), "bytes": JSON(size), "canonical": canonical.json,
            "interop": interop.json, "shadow": .bool(hasShadow),
            "changes": .array(
                changes.map { ["repository": .string($0.repository.rawValue), "what": .string($0.what)] }),
        ]
    }
}

extension PacketInspection.Verdict {
    /// One line, of printable characters alone.
    public var text: String {
        switch self {
        case .refused(let violation): "refused: \(violation.description.printable)"
        case .flow(let flow): "flow control, and no packet: \(flow.text)"
        case .control(let directive): directive.text
        case .legacyHeartbeat: "a heartbeat without a frame, as SDK 0.1.5 sends it"
        case .chunk(let stream):
            "piece \(stream.chunkIndex) of \(stream.chunkCount)" + place(stream)
        case .packet(let packet, let diagnostics):
            "\(packet.kind.rawValue.printable), \(packet.carrier.text)"
                + (packet.messageID.map { ", id \($0.printable)" } ?? "") + (packet.stream.map(place) ?? "")
                + diagnostics.map { ", \($0.rawValue)" }.joined()
        }
    }

    private func place(_ stream: StreamEnvelope) -> String {
        guard stream.isSequenced else { return "" }
        let partition = stream.partition.isEmpty ? "" : "/\(stream.partition.printable)"
        return ", number \(stream.sequence) of \(stream.stream.printable)\(partition)"
    }

    /// For programs: `verdict`, and `rule` and `reason` where it is refused.
    public var json: JSON {
        guard let violation else { return ["verdict": "valid", "what": .string(text)] }
        return ["verdict": "refused", "rule": .string(violation.code), "reason": .string(violation.description)]
    }
}

extension Packet.Carrier {
    fileprivate var text: String {
        switch self {
        case .structured: "an envelope"
        case .audio(let frame): "\(frame.pcm.count) bytes of audio \(frame.codec.printable)"
        case .video(let frame): "\(frame.payload.count) bytes of video \(frame.codec.printable)"
        case .opaque(let opaque): "\(opaque.bytes.count) opaque bytes of \(opaque.mimeType.printable)"
        }
    }
}

extension String {
    /// The first 80 characters, without those that could do something to a terminal.
    var printable: String {
        var text = ""
        for scalar in unicodeScalars.prefix(80) {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned:
                text += "\\u{\(String(scalar.value, radix: 16))}"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}
