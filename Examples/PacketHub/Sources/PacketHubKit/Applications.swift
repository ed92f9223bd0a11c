import ChatCodec
import ChatModel
import Foundation
package import PacketStream

/// What the steps of this program make of packets.
package enum Applications {
    /// Gives every packet back; texts of a user come back as a bot's.
    package static let echo: Step.Application = { packet in
        guard packet.kind != .error, packet.kind != .hook else { return [] }
        var answer = Packet(
            packet.kind == .chatMessage ? .chatResponse : packet.kind, metadata: packet.metadata,
            payload: packet.payload, inputs: packet.inputs, transports: packet.transports, carrier: packet.carrier)
        answer.messageID = packet.messageID.map { "re-\($0)" }
        return [answer]
    }

    /// Runs a command for each packet: its content goes in, and what comes out is the content of the answer.
    package static func transform(_ command: String, limit: Duration, log: Log) -> Step.Application {
        { packet in
            guard packet.kind != .error, packet.kind != .hook else { return [] }
            let content: [UInt8]
            switch packet.carrier {
            case .structured: content = Array((packet.payload ?? packet.inputs ?? [:]).json.description.utf8)
            case .audio(let frame): content = frame.pcm.array
            case .video(let frame): content = frame.payload.array
            case .opaque(let opaque): content = opaque.bytes.array
            }
            do {
                let output = try await Command.run(command, input: content, limit: limit)
                return [try answer(to: packet, with: output)]
            } catch {
                log("transform_failed", [("why", .string("\(error)"))])
                var failure = StructuredError(.execution, "\(error)")
                failure.exitCode = (error as? Command.Failure)?.exitCode
                return [Packet(.error, payload: failure.payload)]
            }
        }
    }

    private static func answer(to packet: Packet, with output: [UInt8]) throws -> Packet {
        var answer = Packet(
            packet.kind == .chatMessage ? .chatResponse : packet.kind, metadata: packet.metadata,
            carrier: packet.carrier)
        answer.messageID = packet.messageID.map { "re-\($0)" }
        switch packet.carrier {
        case .structured:
            let json = try JSON(parsing: output, maximumBytes: Bounds.maximumFrame)
            answer.payload = try PacketObject(json)
        case .audio(var frame):
            frame.pcm = ChatModel.Bytes(output)
            answer.carrier = .audio(frame)
        case .video(var frame):
            frame.payload = ChatModel.Bytes(output)
            answer.carrier = .video(frame)
        case .opaque(var opaque):
            opaque.bytes = ChatModel.Bytes(output)
            answer.carrier = .opaque(opaque)
        }
        _ = try PacketV1().wire(answer)
        return answer
    }

    /// A line of a person.
    package static func line(_ text: String, from step: String) -> Packet {
        Packet(
            .chatMessage, messageID: UUID().uuidString, timestamp: UInt64(Date.now.timeIntervalSince1970 * 1_000),
            metadata: ["type": PacketKind.chatMessage.rawValue],
            payload: ["text": .string(text), "sender": .string(step)])
    }

    /// What a person sees of a packet: one line, without what would move the cursor or the
    /// order of what stands around it; nil where it says nothing to people.
    package static func shown(_ packet: Packet) -> String? {
        let text: String
        switch packet.carrier {
        case .structured:
            guard packet.kind != .hook else { return nil }
            let sender = packet.payload?["sender"]?.text ?? packet.kind.rawValue
            let said = packet.payload?["text"]?.text ?? packet.payload?["message"]?.text
            text = "\(sender): \(said ?? (packet.payload ?? packet.inputs ?? [:]).json.description)"
        case .audio(let frame): text = "[\(frame.pcm.count) bytes of audio]"
        case .video(let frame): text = "[\(frame.payload.count) bytes of video]"
        case .opaque(let opaque): text = "[\(opaque.bytes.count) bytes of \(opaque.mimeType)]"
        }
        return String(String.UnicodeScalarView(text.unicodeScalars.map { isPlain($0) ? $0 : " " }))
    }

    /// Not a control character, a separator of lines, or a format character, such as U+202E, which turns the text
    /// behind it around. U+200C and U+200D join letters and emoji, and stay.
    private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator: false
        case .format: scalar == "\u{200C}" || scalar == "\u{200D}"
        default: true
        }
    }
}
