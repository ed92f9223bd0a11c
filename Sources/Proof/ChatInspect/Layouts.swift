// The layouts of all messages, beside the documents that define them.
extension Layout {
    /// The layout of a kind; nil for what is no proto3 message.
    static func of(_ kind: ChatInspect.Kind) -> Layout? {
        switch kind {
        case .bundle: bundle
        case .openBundle: openBundle
        case .directory: directory
        case .envelope: envelope
        case .payload: payload
        case .ratchet: ratchet
        case .handshake: handshake
        case .inboxFrame: inboxFrame
        case .openInvite: openInvite
        case .libchatFrame: libchatFrame
        case .frame: frame
        case .sds: sds
        case .reliable: reliable
        case .segment: segment
        case .content: content
        case .link, .plain, .rpi, .plainFrame, .datagram, .message, .packet: nil
        }
    }

    private static let bundle = Layout(
        .bundle,
        [
            1: Field("installation_pubkey", .exactly(32), "who can be invited: a long-term X25519 key", "INTRO-07"),
            2: Field("ephemeral_pubkey", .exactly(32), "good for one invite", "INBOX-04"),
            3: Field("signature", .exactly(64), "XEdDSA over the ephemeral key", "INTRO-07"),
        ])
    private static let openBundle = Layout(
        .openBundle,
        [
            1: Field("inbox", .exactly(16), "drawn once and kept", "OPEN-1"),
            2: Field("expiry", .time, "absent for none", "OPEN-1"),
        ])
    private static let openInvite = Layout(
        .openInvite,
        [
            1: Field("type", .text(limit: 255), "the conversation type", "OPEN-3"),
            2: Field("secret", .exactly(32), "in clear: who sees the invite reads the conversation", "OPEN-3"),
            3: Field("opening", .bytes, "what the inviter's conversation says first", "OPEN-3"),
        ])
    private static let directory = Layout(
        .directory,
        [
            1: Field("version", .number, "1 is the only one", "DIR-6"),
            2: Field("entry", .message(entry), "signed as these bytes are", "DIR-3"),
            3: Field("signature", .exactly(64), "Ed25519 by the publisher", "DIR-3"),
        ])
    private static let entry = Layout(
        "DirectoryEntry", ChatInspect.Kind.directory.section,
        [
            1: Field("name", .text(limit: 64), "proves nothing: anybody may publish under it", "DIR-1"),
            2: Field("publisher", .exactly(32), "an Ed25519 key", "DIR-3"),
            3: Field("sequence", .number, "the highest of a publisher counts", "DIR-5"),
            4: Field("expiry", .time, "", "DIR-6"),
            5: Field("bundles", .message(entryBundle), "none withdraws earlier ones", "DIR-5"),
        ])
    private static let entryBundle = Layout(
        "Bundle", ChatInspect.Kind.directory.section,
        [
            1: Field("scheme", .text(limit: 64), "which initialization understands the bytes"),
            2: Field("bytes", .bytes), 3: Field("expiry", .time, "absent for none"),
            4: Field("single_use", .flag, "", "INBOX-04"),
        ])
    private static let envelope = Layout(
        .envelope,
        [
            1: Field("conversation_hint", .hint, "for whom: a salted hash of the route, or the route itself", "ENV-02"),
            2: Field("salt", .number, "fresh for each envelope; absent in profile libchat", "ENV-06"),
            5: Field("payload", .inner(.payload)),
        ])
    private static let payload = Layout(
        .payload,
        [
            1: Field(
                "plaintext",
                .message(Layout("Plaintext", ChatInspect.Kind.payload.section, [1: Field("payload", .content)]))),
            2: Field("doubleratchet", .message(ratchet)), 3: Field("inbox_handshake", .message(handshake)),
        ])
    private static let ratchet = Layout(
        .ratchet,
        [
            1: Field("dh", .exactly(32), "the sender's ratchet key", "DR-4"),
            2: Field("msgNum", .number, "its place in the sending chain; absent for 0", "DR-1"),
            3: Field("prevChainLen", .number, "how many the chain before had; absent for 0", "DR-2"),
            4: Field("ciphertext", .bytes, "nonce of 12 bytes, ciphertext, tag of 16", "DR-4"),
            5: Field("aux", .bytes, "never written, skipped"),
        ])
    private static let handshake = Layout(
        .handshake,
        [
            1: Field("header", .message(header)),
            2: Field("payload", .inner(.inboxFrame)),
        ])
    private static let header = Layout(
        "InboxHeaderV1", ChatInspect.Kind.handshake.section,
        [
            1: Field("initiator_static", .bytes, "who invites: the key, or 48 bytes that seal it", "IBX-3"),
            2: Field("initiator_ephemeral", .exactly(32), "for this invite alone"),
            3: Field("responder_static", .bytes, "who is invited; absent in profile reference", "IBX-3"),
            4: Field("responder_ephemeral", .bytes, "the single-use key, or 4 bytes that name it", "INBOX-07"),
        ])
    private static let inboxFrame = Layout(
        .inboxFrame, [1: Field("invite_private_v1", .message(invite), "the only kind there is")])
    private static let invite = Layout(
        "InvitePrivateV1", ChatInspect.Kind.inboxFrame.section,
        [
            5: Field("discriminator", .text(limit: 255), "the conversation type"),
            6: Field("initial_message", .inner(.payload), "what the inviter's conversation says first", "IBX-1"),
        ])
    private static let placeholder = Layout(
        "Placeholder", ChatInspect.Kind.frame.section, [1: Field("counter", .number, "how many the sender sent")])
    private static let libchatFrame = Layout(
        .libchatFrame,
        [
            1: Field("conversation_id", .text(limit: 255), "the sender's own id; nobody checks it", "PVL-8"),
            2: Field("sender", .bytes, "the same six letters always", "PVL-8"),
            3: Field("timestamp", .time, "by the sender's clock", "PVL-8"),
            10: Field("content", .content, "for the application", "PVL-6"),
            11: Field("placeholder", .message(placeholder), "carries nothing"),
        ])
    private static let frame = Layout(
        .frame,
        [
            1: Field("timestamp", .time, "by the sender's clock"),
            10: Field("content", .content, "for the application"),
            11: Field("placeholder", .message(placeholder), "carries nothing"),
        ])
    private static let sds = Layout(
        .sds,
        [
            1: Field("sender_id", .text(limit: 255), "who sent it first"),
            2: Field("message_id", .text(limit: 255), "names it among all messages", "SDS-06"),
            3: Field("channel_id", .text(limit: 255), "0 where there is one channel only"),
            10: Field("lamport_timestamp", .number, "the sender's clock; absent in an ephemeral message", "SDS-14"),
            11: Field("causal_history", .message(historyEntry), "what it comes after", "SDS-04"),
            12: Field("bloom_filter", .message(filter), "of the ids received lately"),
            13: Field("repair_request", .message(historyEntry), "what the sender misses", "SDSR-05"),
            14: Field("gone", .message(historyEntry), "what the sender will never send again", "SDS-R11"),
            20: Field("content", .inner(.segment), "absent or empty in a sync message", "SDS-12"),
        ])
    private static let reliable = Layout(
        .reliable,
        [
            2: Field("message_id", .text(limit: 255), "names it among all messages", "SDS-06"),
            3: Field("channel_id", .text(limit: 255)), 7: Field("sender_id", .text(limit: 255), "who sent it first"),
            10: Field("lamport_timestamp", .number, "the sender's clock"),
            11: Field("causal_history", .message(historyEntry), "what it comes after", "SDS-04"),
            12: Field("bloom_filter", .message(filter), "of the ids received lately"),
            20: Field("content", .inner(.content), "absent or empty in a sync message", "SDS-12"),
        ])
    private static let historyEntry = Layout(
        "HistoryEntry", ChatInspect.Kind.sds.section,
        [
            1: Field("message_id", .text(limit: 255)), 2: Field("retrieval_hint", .bytes, "at most 128 bytes"),
            3: Field("sender_id", .text(limit: 255), "", "SDS-R2"),
        ])
    private static let filter = Layout(
        "bloom filter", Section("sds.md", "Filter"),
        [
            1: Field("bits", .bytes), 2: Field("capacity", .number), 3: Field("error_rate", .number, "in millionths"),
            4: Field("hashes", .number), 5: Field("bit_count", .number),
        ])
    private static let segment = Layout(
        .segment,
        [
            1: Field("entire_message_hash", .exactly(32), "Keccak-256 of the whole payload", "SEG-09"),
            2: Field("data_segment_index", .number, "absent for 0", "SEG-07"),
            3: Field("data_segment_count", .number, "", "SEG-07"),
            4: Field("payload", .inner(.frame), "a piece of the payload, or a parity shard"),
            5: Field("parity_segment_index", .number, "absent for 0", "SEG-07"),
            6: Field("parity_segment_count", .number, "", "SEG-07"), 7: Field("is_parity", .flag, "", "SEG-07"),
        ])
    private static let content = Layout(
        .content,
        [
            1: Field("domain_id", .number, "who defines the type; positive", "CF-05"),
            2: Field("tag", .number, "which type of that domain; positive", "CF-05"),
            3: Field("payload", .bytes),
        ])
}
