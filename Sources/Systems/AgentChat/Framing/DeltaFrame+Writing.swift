// The other direction: the spelling that ``DeltaFrame`` finds, in one piece.
extension DeltaFrame {
    /// The frame of a delta, as the encoder would write it; nil where it has more in it than a delta of plain text, or
    /// would be too long. A frame that is given is one that is read again: nothing of it need be checked.
    static func frame(of stream: borrowing ServerMessage.Stream) -> [UInt8]? {
        switch stream.delta {
        case .text(let part): frame(part, "text", of: stream)
        case .reasoning(let part): frame(part, "reasoning", of: stream)
        default: nil
        }
    }

    private static func frame(
        _ part: TextPart, _ type: StaticString, of stream: borrowing ServerMessage.Stream
    ) -> [UInt8]? {
        let (text, message, job) = (part.text.utf8, stream.message.text.utf8, stream.job?.text.utf8)
        guard stream.consolidated == nil, part.providerMetadata == nil, PlainText.isPlain(text.span),
            PlainText.isPlain(message.span), job.map({ PlainText.isPlain($0.span) }) ?? true
        else { return nil }
        let room = text.count + message.count + (job?.count ?? 0) + 160
        guard room <= AgentJSON.maximumFrame else { return nil }
        var frame: [UInt8] = []
        frame.reserveCapacity(room)
        append(#"{"type":"stream","message_id":""#, to: &frame)
        frame.append(contentsOf: message)
        append(#"","delta":{"type":""#, to: &frame)
        append(type, to: &frame)
        append(#"","text":""#, to: &frame)
        frame.append(contentsOf: text)
        switch part.state {
        case nil: append(#""}"#, to: &frame)
        case .streaming?: append(#"","state":"streaming"}"#, to: &frame)
        case .done?: append(#"","state":"done"}"#, to: &frame)
        }
        if let job {
            append(#","job_id":""#, to: &frame)
            frame.append(contentsOf: job)
            append("\"", to: &frame)
        }
        if let sequence = stream.sequence {
            append(#","seq":"#, to: &frame)
            frame.append(contentsOf: String(sequence).utf8)
        }
        append("}", to: &frame)
        return frame
    }

    private static func append(_ word: StaticString, to frame: inout [UInt8]) {
        unsafe frame.append(
            contentsOf: UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount))
    }
}

/// Text that stands in JSON as it is: printable ASCII without quote and backslash, looked at eight bytes at a time.
enum PlainText {
    private static let ones: UInt64 = 0x0101_0101_0101_0101
    private static let tops: UInt64 = 0x8080_8080_8080_8080

    /// Whether eight bytes are.
    static func isPlain(_ word: UInt64) -> Bool {
        let quotes = word ^ (ones &* UInt64(UInt8(ascii: "\"")))
        let slashes = word ^ (ones &* UInt64(UInt8(ascii: "\\")))
        let deletes = word ^ (ones &* 0x7f)
        let found =
            word | ((word &- ones &* 0x20) & ~word) | ((quotes &- ones) & ~quotes)
            | ((slashes &- ones) & ~slashes) | ((deletes &- ones) & ~deletes)
        return found & tops == 0
    }

    /// Whether some bytes are.
    static func isPlain(_ bytes: Span<UInt8>) -> Bool {
        let own = unsafe bytes.bytes
        let count = bytes.count
        var index = 0
        while index + 8 <= count {
            guard unsafe isPlain(own.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self)) else { return false }
            index += 8
        }
        while index < count {
            let byte = bytes[index]
            guard byte >= 0x20, byte < 0x7f, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") else {
                return false
            }
            index += 1
        }
        return true
    }
}
