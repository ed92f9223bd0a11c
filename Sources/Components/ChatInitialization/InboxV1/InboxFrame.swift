package import ChatCodec
package import ChatModel
import LogosFormats

/// The content of an invite: `InboxV1Frame { invite_private_v1 }` of chat_proto.
package struct InboxFrame: ProtoMessage {
    /// Field 5 of `InvitePrivateV1`: the conversation type.
    package let discriminator: String
    /// Field 6 of `InvitePrivateV1`: an `EncryptedPayload`, kept as the bytes it has.
    package let initialMessage: Bytes

    package init(discriminator: String, opening: Payload) {
        (self.discriminator, initialMessage) = (discriminator, Self.carrying(opening))
    }

    package init(decoding bytes: Bytes) throws(WireError) {
        guard let frame = try Self.decode(bytes) else { throw .missing("oneof frame_type") }
        self = frame
    }

    /// Decodes a frame; nil where it is well-formed and of another kind.
    package static func decode(
        _ bytes: Bytes, nameLimit: Int = InboxV1.Profile.maximumName
    ) throws(WireError) -> InboxFrame? {
        var (discriminator, message) = ("", nil as Bytes?)
        var (isInvite, isOther) = (false, false)
        var reader = ProtoReader(bytes.span)
        while let field = try reader.next() {
            guard field == 1 else {
                isOther = true
                continue
            }
            isInvite = true
            var invite = try reader.message()
            while let field = try invite.next() {
                switch field {
                case 5: discriminator = try invite.string(limit: nameLimit)
                case 6: message = bytes.slice(try invite.range())
                default: continue
                }
            }
        }
        guard isInvite else {
            if isOther { return nil }
            throw .missing("oneof frame_type")
        }
        guard let message else { throw .missing("initial_message") }
        return InboxFrame(discriminator, message)
    }

    private init(_ discriminator: String, _ initialMessage: Bytes) {
        (self.discriminator, self.initialMessage) = (discriminator, initialMessage)
    }

    private var inviteSize: Int {
        ProtoSize.field(5, count: discriminator.utf8.count) + ProtoSize.present(6, count: initialMessage.count)
    }

    package var size: Int { ProtoSize.present(1, count: inviteSize) }

    @_lifetime(output: copy output)
    package func write(to output: inout OutputSpan<UInt8>) {
        output.append(present: 1, count: inviteSize)
        output.append(field: 5, discriminator)
        output.append(present: 6, count: initialMessage.count)
        output.append(bytes: initialMessage.span)
    }
}

// An opening is any bytes, and the field is an `EncryptedPayload`. One that is a double ratchet message already
// goes in as it is, as libchat has it; every other goes in as plaintext, and comes out as it went in.
extension InboxFrame {
    private static func carrying(_ opening: Payload) -> Bytes {
        isDoubleRatchet(opening) ? opening : EncryptedPayload.plaintext(opening).encoded()
    }

    /// Whether bytes are an `EncryptedPayload` with field 2 once and nothing else; what is in it is not looked at.
    private static func isDoubleRatchet(_ bytes: Bytes) -> Bool {
        var reader = ProtoReader(bytes.span)
        do throws(WireError) {
            guard try reader.next() == 2 else { return false }
            _ = try reader.range()
            return try reader.next() == nil
        } catch {
            return false
        }
    }

    /// The opening of the inviter's conversation; nil for a kind of payload that cannot be an opening.
    package func opening() throws(WireError) -> Payload? {
        var (opening, isKnown, skips) = (nil as Payload?, false, false)
        var reader = ProtoReader(initialMessage.span)
        while let field = try reader.next() {
            guard 1...3 ~= field else {
                skips = true
                continue
            }
            isKnown = true
            switch field {
            case 1:
                var (plaintext, payload) = (try reader.message(), Bytes())
                while let field = try plaintext.next() {
                    if field == 1 { payload = initialMessage.slice(try plaintext.range()) }
                }
                opening = payload
            case 2:
                _ = try reader.range()
                opening = initialMessage
            default:
                opening = nil
            }
        }
        guard isKnown else { throw skips ? .unknownArm("oneof encryption") : .missing("oneof encryption") }
        return opening
    }
}
