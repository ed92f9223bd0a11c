/// The layout of a message, as a table: what the documents print, so that fields can have names in files.
struct Layout: Sendable {
    /// What a field holds.
    indirect enum Form: Sendable {
        case uint32, uint64, int32, int64, bool, string, bytes
        case message(String)
    }

    /// One field.
    struct Field: Sendable {
        let number: Int
        let name: String
        let form: Form
        var isRepeated = false
        /// Written even if it has its default: optional fields, and arms of a oneof.
        var hasPresence = false
        /// The oneof that it is an arm of; of several the last one counts.
        var oneof: String?

        init(
            _ number: Int, _ name: String, _ form: Form, repeated: Bool = false, optional: Bool = false,
            oneof: String? = nil
        ) {
            (self.number, self.name, self.form, isRepeated, self.oneof) = (number, name, form, repeated, oneof)
            if case .message = form { hasPresence = true } else { hasPresence = optional || oneof != nil }
        }
    }

    let fields: [Field]

    /// The oneofs, one of whose arms must be there.
    var oneofs: Set<String> { Set(fields.compactMap(\.oneof)) }
}

extension Layout {
    /// All layouts by name: those of chat_proto, and with `Document` behind the name those that a document prints.
    static let all: [String: Layout] = {
        var all: [String: Layout] = [:]
        for (name, fields) in messages + reliability + everyday { all[name] = Layout(fields: fields) }
        return all
    }()

    private static let messages: [(String, [Field])] = [
        (
            "EnvelopeV1",
            [Field(1, "conversation_hint", .string), Field(2, "salt", .uint64), Field(5, "payload", .bytes)]
        ),
        (
            "EnvelopeV1Document",
            [Field(1, "conversation_hint", .string), Field(2, "salt", .uint32), Field(3, "payload", .bytes)]
        ),
        ("Plaintext", [Field(1, "payload", .bytes)]),
        (
            "Doubleratchet",
            [
                Field(1, "dh", .bytes), Field(2, "msgNum", .uint32), Field(3, "prevChainLen", .uint32),
                Field(4, "ciphertext", .bytes), Field(5, "aux", .string),
            ]
        ),
        (
            "InboxHeaderV1",
            [
                Field(1, "initiator_static", .bytes), Field(2, "initiator_ephemeral", .bytes),
                Field(3, "responder_static", .bytes), Field(4, "responder_ephemeral", .bytes),
            ]
        ),
        ("InboxHandshakeV1", [Field(1, "header", .message("InboxHeaderV1")), Field(2, "payload", .bytes)]),
        (
            "EncryptedPayload",
            [
                Field(1, "plaintext", .message("Plaintext"), oneof: "encryption"),
                Field(2, "doubleratchet", .message("Doubleratchet"), oneof: "encryption"),
                Field(3, "inbox_handshake", .message("InboxHandshakeV1"), oneof: "encryption"),
            ]
        ),
        (
            "InvitePrivateV1",
            [Field(5, "discriminator", .string), Field(6, "initial_message", .message("EncryptedPayload"))]
        ),
        ("InboxV1Frame", [Field(1, "invite_private_v1", .message("InvitePrivateV1"), oneof: "frame_type")]),
        (
            "InboxV1FrameDocument",
            [
                Field(1, "timestamp", .int64),
                Field(10, "invite_private_v1", .message("InvitePrivateV1"), oneof: "frame_type"),
            ]
        ),
        (
            "IntroBundle",
            [
                Field(1, "installation_pubkey", .bytes), Field(2, "ephemeral_pubkey", .bytes),
                Field(3, "signature", .bytes),
            ]
        ),
        ("Placeholder", [Field(1, "counter", .uint32)]),
        (
            "PrivateV1Frame",
            [
                Field(1, "conversation_id", .string), Field(2, "sender", .bytes), Field(3, "timestamp", .int64),
                Field(10, "content", .bytes, oneof: "frame_type"),
                Field(11, "placeholder", .message("Placeholder"), oneof: "frame_type"),
            ]
        ),
        (
            "PrivateV1FrameDocument",
            [
                Field(1, "timestamp", .uint64), Field(10, "content", .bytes, oneof: "frame_type"),
                Field(11, "placeholder", .message("Placeholder"), oneof: "frame_type"),
            ]
        ),
    ]

    private static let reliability: [(String, [Field])] = [
        (
            "SegmentMessageProto",
            [
                Field(1, "entire_message_hash", .bytes), Field(2, "data_segment_index", .uint32),
                Field(3, "data_segment_count", .uint32), Field(4, "payload", .bytes),
                Field(5, "parity_segment_index", .uint32), Field(6, "parity_segment_count", .uint32),
                Field(7, "is_parity", .bool),
            ]
        ),
        (
            "SdsHistoryEntry",
            [
                Field(1, "message_id", .string), Field(2, "retrieval_hint", .bytes, optional: true),
                Field(3, "sender_id", .string, optional: true),
            ]
        ),
        (
            "SdsMessage",
            [
                Field(1, "sender_id", .string), Field(2, "message_id", .string), Field(3, "channel_id", .string),
                Field(10, "lamport_timestamp", .uint64, optional: true),
                Field(11, "causal_history", .message("SdsHistoryEntry"), repeated: true),
                Field(12, "bloom_filter", .bytes, optional: true),
                Field(13, "repair_request", .message("SdsHistoryEntry"), repeated: true),
                Field(14, "gone", .message("SdsHistoryEntry"), repeated: true),
                Field(20, "content", .bytes, optional: true),
            ]
        ),
        (
            "HistoryEntry",
            [Field(1, "message_id", .string), Field(2, "retrieval_hint", .bytes), Field(3, "sender_id", .string)]
        ),
        (
            "ReliablePayload",
            [
                Field(2, "message_id", .string), Field(3, "channel_id", .string), Field(7, "sender_id", .string),
                Field(10, "lamport_timestamp", .int32),
                Field(11, "causal_history", .message("HistoryEntry"), repeated: true),
                Field(12, "bloom_filter", .bytes),
                Field(20, "content", .bytes),
            ]
        ),
    ]

    private static let everyday: [(String, [Field])] = [
        ("ContentFrame", [Field(1, "domain_id", .uint32), Field(2, "tag", .uint32), Field(3, "payload", .bytes)]),
        ("Text", [Field(1, "text", .string)]),
        ("File", [Field(1, "name", .string), Field(2, "media_type", .string), Field(3, "bytes", .bytes)]),
        ("Contact", [Field(1, "name", .string), Field(2, "introduction", .string)]),
        (
            "DirectoryBundle",
            [
                Field(1, "scheme", .string), Field(2, "bytes", .bytes), Field(3, "expiry", .uint64),
                Field(4, "single_use", .bool),
            ]
        ),
        (
            "DirectoryEntry",
            [
                Field(1, "name", .string), Field(2, "publisher", .bytes), Field(3, "sequence", .uint64),
                Field(4, "expiry", .uint64), Field(5, "bundles", .message("DirectoryBundle"), repeated: true),
            ]
        ),
        (
            "SignedDirectoryEntry",
            [Field(1, "version", .uint32), Field(2, "entry", .bytes), Field(3, "signature", .bytes)]
        ),
        ("OpenBundle", [Field(1, "inbox", .bytes), Field(2, "expiry", .uint64)]),
        ("OpenInvite", [Field(1, "type", .string), Field(2, "secret", .bytes), Field(3, "opening", .bytes)]),
    ]
}
