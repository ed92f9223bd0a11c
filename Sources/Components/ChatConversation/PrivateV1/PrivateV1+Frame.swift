import ChatCodec
import ChatModel
import ChatReliability

extension PrivateV1 {
    /// The plaintext of the ratchet in profile `libchat`: `logoschat.convos.private_v1.PrivateV1Frame` of chat_proto.
    struct Frame {
        /// The oneof `frame_type`.
        enum Body: Hashable {
            /// Field 10.
            case content(Bytes)
            /// Field 11: the encoded message, whose field 1 is a counter.
            case placeholder(Bytes)
            /// None of these: from a newer version.
            case unknown
        }

        /// The longest texts that are read, in bytes; libchat writes 36.
        static let maximumText = 255

        /// Field 1, `conversation_id`: the sender's id of the conversation.
        let conversation: String
        /// Field 2, `sender`: bytes without meaning, in libchat always the same.
        var sender = "delete"
        /// Field 3: milliseconds since the epoch by the sender's clock.
        let timestamp: Int64
        /// Field 10 or 11.
        let body: Body

        /// The fields that a receiver reads of an encoded frame; sender and conversation are known from the ratchet.
        static func body(of bytes: Bytes) throws(WireError) -> Body {
            var body = Body.unknown
            var reader = ProtoReader(bytes.span)
            while let field = try reader.next() {
                switch field {
                case 1: _ = try reader.textRange(limit: maximumText)
                case 2: _ = try reader.range()
                case 3: _ = try reader.int64()
                case 10: body = .content(bytes.slice(try reader.range()))
                case 11:
                    let placeholder = bytes.slice(try reader.range())
                    _ = try Placeholder(decoding: placeholder)
                    body = .placeholder(placeholder)
                default: continue
                }
            }
            return body
        }

        /// The size of the encoding in bytes.
        var size: Int {
            let head =
                ProtoSize.field(1, count: conversation.utf8.count) + ProtoSize.field(2, count: sender.utf8.count)
                + ProtoSize.field(3, UInt64(bitPattern: timestamp))
            switch body {
            case .content(let content): return head + ProtoSize.present(10, count: content.count)
            case .placeholder(let bytes): return head + ProtoSize.present(11, count: bytes.count)
            case .unknown: return head
            }
        }

        /// Appends the encoding.
        @_lifetime(output: copy output)
        func write(to output: inout OutputSpan<UInt8>) {
            output.append(field: 1, conversation)
            output.append(field: 2, sender)
            output.append(field: 3, UInt64(bitPattern: timestamp))
            switch body {
            case .content(let bytes):
                output.append(present: 10, count: bytes.count)
                output.append(bytes: bytes.span)
            case .placeholder(let bytes):
                output.append(present: 11, count: bytes.count)
                output.append(bytes: bytes.span)
            case .unknown: break
            }
        }
    }
}
