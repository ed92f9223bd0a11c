public import ChatCodec
public import ChatModel

/// An invite on the wire: `logoschat.encryption.InboxHandshakeV1` of chat_proto (INBOX).
///
/// Whether the keys have the sizes they must have is for the initialization to say.
public struct InboxHandshakeV1: ProtoMessage {
    /// The four public keys of the key agreement: `InboxHeaderV1`.
    public struct Header: ProtoMessage {
        /// Field 1: the inviter's long-term key.
        public var initiatorStatic: Bytes
        /// Field 2: the inviter's key for this invite alone.
        public var initiatorEphemeral: Bytes
        /// Field 3: the long-term key of the one invited.
        public var responderStatic: Bytes
        /// Field 4: the single-use key from the introduction bundle.
        public var responderEphemeral: Bytes

        /// Makes a header; an empty key is absent.
        public init(
            initiatorStatic: Bytes = [], initiatorEphemeral: Bytes = [], responderStatic: Bytes = [],
            responderEphemeral: Bytes = []
        ) {
            (self.initiatorStatic, self.initiatorEphemeral) = (initiatorStatic, initiatorEphemeral)
            (self.responderStatic, self.responderEphemeral) = (responderStatic, responderEphemeral)
        }

        /// Decodes a header that stands alone.
        public init(decoding bytes: Bytes) throws(WireError) {
            self.init()
            var reader = ProtoReader(bytes.span)
            try merge(&reader, of: bytes)
        }

        mutating func merge(_ reader: inout ProtoReader, of bytes: Bytes) throws(WireError) {
            while let field = try reader.next() {
                switch field {
                case 1: initiatorStatic = bytes.slice(try reader.range())
                case 2: initiatorEphemeral = bytes.slice(try reader.range())
                case 3: responderStatic = bytes.slice(try reader.range())
                case 4: responderEphemeral = bytes.slice(try reader.range())
                default: continue
                }
            }
        }

        /// The size of its encoding in bytes; 136 with four X25519 keys.
        public var size: Int {
            ProtoSize.field(1, count: initiatorStatic.count) + ProtoSize.field(2, count: initiatorEphemeral.count)
                + ProtoSize.field(3, count: responderStatic.count)
                + ProtoSize.field(4, count: responderEphemeral.count)
        }

        /// Appends the encoding.
        @_lifetime(output: copy output)
        public func write(to output: inout OutputSpan<UInt8>) {
            output.append(field: 1, initiatorStatic)
            output.append(field: 2, initiatorEphemeral)
            output.append(field: 3, responderStatic)
            output.append(field: 4, responderEphemeral)
        }
    }

    /// Field 1; nil where the encoding has none.
    public var header: Header?
    /// Field 2: the frame of the invite, in profile `libchat` in clear.
    public var payload: Bytes

    /// Makes an invite.
    public init(header: Header? = nil, payload: Bytes = []) {
        (self.header, self.payload) = (header, payload)
    }

    /// Decodes an invite that stands alone.
    public init(decoding bytes: Bytes) throws(WireError) {
        self.init()
        var reader = ProtoReader(bytes.span)
        try merge(&reader, of: bytes)
    }

    mutating func merge(_ reader: inout ProtoReader, of bytes: Bytes) throws(WireError) {
        while let field = try reader.next() {
            switch field {
            case 1:
                var merged = header ?? Header()
                var inner = try reader.message()
                try merged.merge(&inner, of: bytes)
                header = merged
            case 2: payload = bytes.slice(try reader.range())
            default: continue
            }
        }
    }

    /// The size of its encoding in bytes.
    public var size: Int {
        (header.map { ProtoSize.present(1, count: $0.size) } ?? 0) + ProtoSize.field(2, count: payload.count)
    }

    /// Appends the encoding.
    @_lifetime(output: copy output)
    public func write(to output: inout OutputSpan<UInt8>) {
        if let header { output.append(present: 1, header) }
        output.append(field: 2, payload)
    }
}
