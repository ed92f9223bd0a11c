public import ChatCodec
public import ChatModel

/// The content of an envelope: `logoschat.encryption.EncryptedPayload` of chat_proto, a oneof of three.
public enum EncryptedPayload: ProtoMessage {
    /// Field 1, message `Plaintext`: a payload without cryptography of this layer.
    case plaintext(Bytes)
    /// Field 2: one message of a double ratchet.
    case doubleRatchet(DoubleRatchetMessage)
    /// Field 3: an invite.
    case inboxHandshake(InboxHandshakeV1)

    /// Decodes the one that came last; an encoding with none of them is invalid, or of a later version (WIRE-7).
    public init(decoding bytes: Bytes) throws(WireError) {
        var (found, skips): (EncryptedPayload?, Bool) = (nil, false)
        var reader = ProtoReader(bytes.span)
        while let field = try reader.next() {
            switch field {
            case 1:
                var payload = Bytes()
                if case .plaintext(let earlier) = found { payload = earlier }
                var inner = try reader.message()
                while let field = try inner.next() {
                    if field == 1 { payload = bytes.slice(try inner.range()) }
                }
                found = .plaintext(payload)
            case 2:
                var message = DoubleRatchetMessage()
                if case .doubleRatchet(let earlier) = found { message = earlier }
                var inner = try reader.message()
                try message.merge(&inner, of: bytes)
                found = .doubleRatchet(message)
            case 3:
                var handshake = InboxHandshakeV1()
                if case .inboxHandshake(let earlier) = found { handshake = earlier }
                var inner = try reader.message()
                try handshake.merge(&inner, of: bytes)
                found = .inboxHandshake(handshake)
            default: skips = true
            }
        }
        guard let found else { throw skips ? .unknownArm("oneof encryption") : .missing("oneof encryption") }
        self = found
    }

    /// The size of its encoding in bytes.
    public var size: Int {
        switch self {
        case .plaintext(let payload): ProtoSize.present(1, count: ProtoSize.field(1, count: payload.count))
        case .doubleRatchet(let message): ProtoSize.present(2, count: message.size)
        case .inboxHandshake(let handshake): ProtoSize.present(3, count: handshake.size)
        }
    }

    /// Appends the encoding.
    @_lifetime(output: copy output)
    public func write(to output: inout OutputSpan<UInt8>) {
        switch self {
        case .plaintext(let payload):
            output.append(present: 1, count: ProtoSize.field(1, count: payload.count))
            output.append(field: 1, payload)
        case .doubleRatchet(let message): output.append(present: 2, message)
        case .inboxHandshake(let handshake): output.append(present: 3, handshake)
        }
    }
}
