import ChatModel
import ChatWire

extension PrivateV1 {
    /// What the ratchet encrypts in profile `libchat`: `logoschat.convos.private_v1.PrivateV1Frame` of chat_proto.
    struct Frame: ProtoMessage {
        /// The oneof `frame_type`.
        enum Body: Hashable {
            /// Field 10.
            case content(Bytes)
            /// Field 11: the encoded message, whose field 1 is a counter.
            case placeholder(Bytes)
            /// None of these: from a newer version.
            case unknown
        }

        /// The longest texts that are read, in bytes; libchat writes 36 and 6.
        static let maximumText = 255

        /// Field 1, `conversation_id`, and field 2, `sender`: written for libchat, and of no meaning here.
        var (conversation, sender) = (Bytes(), Bytes())
        /// Field 3: milliseconds since the epoch by the sender's clock.
        var timestamp: Int64 = 0
        /// Field 10 or 11.
        var body = Body.unknown

        init(conversation: Bytes, sender: Bytes, timestamp: Int64, body: Body) {
            (self.conversation, self.sender, self.timestamp, self.body) = (conversation, sender, timestamp, body)
        }

        init(decoding bytes: Bytes) throws(WireError) {
            var reader = ProtoReader(bytes.span)
            while let field = try reader.next() {
                switch field {
                case 1: conversation = bytes.slice(try reader.textRange(limit: Self.maximumText))
                case 2: sender = bytes.slice(try reader.range())
                case 3: timestamp = try reader.int64()
                case 10: body = .content(bytes.slice(try reader.range()))
                case 11:
                    let placeholder = bytes.slice(try reader.range())
                    guard Self.counter(of: placeholder) != nil else { throw .missing("a placeholder that decodes") }
                    body = .placeholder(placeholder)
                default: continue
                }
            }
        }

        /// The counter of an encoded `Placeholder`; nil where it does not decode.
        static func counter(of placeholder: Bytes) -> UInt32? {
            var counter: UInt32 = 0
            var reader = ProtoReader(placeholder.span)
            do {
                while let field = try reader.next() {
                    if field == 1 { counter = try reader.uint32() }
                }
            } catch {
                return nil
            }
            return counter
        }

        var size: Int {
            let head =
                ProtoSize.field(1, count: conversation.count) + ProtoSize.field(2, count: sender.count)
                + ProtoSize.field(3, UInt64(bitPattern: timestamp))
            switch body {
            case .content(let content): return head + ProtoSize.present(10, count: content.count)
            case .placeholder(let bytes): return head + ProtoSize.present(11, count: bytes.count)
            case .unknown: return head
            }
        }

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
