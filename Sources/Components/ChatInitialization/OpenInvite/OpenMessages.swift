package import ChatCodec
package import ChatModel

/// A bundle of ``OpenInvite``: which inbox, and until when (OPEN-1).
package struct OpenBundle: ProtoMessage {
    package static let inboxSize = 16

    /// Field 1: 16 bytes.
    package let inbox: [UInt8]
    /// Field 2: milliseconds since the Unix epoch; 0 for none.
    package let expiry: UInt64

    package init(inbox: [UInt8], expiry: UInt64) {
        (self.inbox, self.expiry) = (inbox, expiry)
    }

    package init(decoding bytes: Bytes) throws(WireError) {
        var (inbox, expiry): (Bytes, UInt64) = ([], 0)
        var reader = ProtoReader(bytes.span)
        while let field = try reader.next() {
            switch field {
            case 1: inbox = bytes.slice(try reader.range())
            case 2: expiry = try reader.uint64()
            default: continue
            }
        }
        guard inbox.count == Self.inboxSize else {
            throw .wrongLength("inbox", bytes: inbox.count, expected: Self.inboxSize)
        }
        self.init(inbox: inbox.array, expiry: expiry)
    }

    package var size: Int { ProtoSize.field(1, count: inbox.count) + ProtoSize.field(2, expiry) }

    @_lifetime(output: copy output)
    package func write(to output: inout OutputSpan<UInt8>) {
        output.append(field: 1, Bytes(inbox))
        output.append(field: 2, expiry)
    }
}

/// An invite of ``OpenInvite`` (OPEN-3).
package struct OpenFrame: ProtoMessage {
    package static let secretSize = 32
    /// Bytes of a conversation type's name.
    package static let nameSizes = 1...255

    /// Field 1: the conversation type, 1 to 255 bytes.
    package let type: String
    /// Field 2: 32 bytes.
    package let secret: Bytes
    /// Field 3: what the inviter's conversation says first.
    package let opening: Payload

    package init(type: String, secret: Bytes, opening: Payload) {
        (self.type, self.secret, self.opening) = (type, secret, opening)
    }

    package init(decoding bytes: Bytes) throws(WireError) {
        var (type, secret, opening) = ("", Bytes(), Bytes())
        var reader = ProtoReader(bytes.span)
        while let field = try reader.next() {
            switch field {
            case 1: type = try reader.string(limit: Self.nameSizes.upperBound)
            case 2: secret = bytes.slice(try reader.range())
            case 3: opening = bytes.slice(try reader.range())
            default: continue
            }
        }
        guard !type.isEmpty else { throw .missing("conversation type") }
        guard secret.count == Self.secretSize else {
            throw .wrongLength("secret", bytes: secret.count, expected: Self.secretSize)
        }
        self.init(type: type, secret: secret, opening: opening)
    }

    package var size: Int {
        ProtoSize.field(1, count: type.utf8.count) + ProtoSize.field(2, count: secret.count)
            + ProtoSize.field(3, count: opening.count)
    }

    @_lifetime(output: copy output)
    package func write(to output: inout OutputSpan<UInt8>) {
        output.append(field: 1, type)
        output.append(field: 2, secret)
        output.append(field: 3, opening)
    }
}
