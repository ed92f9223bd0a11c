import ChatCodec
import ChatModel

/// The payload of a plain conversation: version, kind, number, content.
struct PlainFrame: Equatable {
    /// Version 1 of the format, and its one kind of frame.
    private static let version: UInt8 = 1
    private static let contentKind: UInt8 = 1
    /// Bytes in front of the content.
    static let headerSize = 10

    /// Counts the payloads of one direction, from 0; eight bytes, big-endian.
    let number: UInt64
    /// The rest.
    let content: Content

    init(number: UInt64, content: Content) {
        (self.number, self.content) = (number, content)
    }

    /// Another version or kind is unsupported, a payload without a whole header invalid.
    init(decoding payload: Payload) throws(Refusal) {
        guard payload.count >= Self.headerSize else {
            throw .invalid(.tooShort(bytes: payload.count, minimum: Self.headerSize))
        }
        guard payload[0] == Self.version, payload[1] == Self.contentKind else {
            throw Refusal(.unsupported, ConversationCause.unknownFrame(type: PlainConversation.facts.name))
        }
        number = payload.span.bigEndian(2..<Self.headerSize)
        content = payload.slice(Self.headerSize..<payload.count)
    }

    /// The size of the payload in bytes.
    var size: Int { Self.headerSize + content.count }

    /// The payload, behind head room for the layers below.
    func encoded(headRoom: Int) -> Payload {
        Bytes(headRoom: headRoom, count: size) { output in
            output.append(Self.version)
            output.append(Self.contentKind)
            output.append(big: number)
            output.append(bytes: content.span)
        }
    }
}
