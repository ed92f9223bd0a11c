import ChatCodec
import ChatContent
import ChatDiscovery
import ChatInitialization
import ChatModel
import ChatReliability
import LogosFormats

// Kind `messages`: every layout, from fields to bytes and back.
extension Kind {
    static let messages = Kind(
        name: "messages", run: operations(["roundtrip": roundtrip, "decode": decode]), files: messageFiles)

    @Sendable static func roundtrip(_ one: Case) async throws -> JSON {
        let name = try one.text("message")
        // What the package's own types write must be what the table says, where there is such a type.
        let bytes = try Layout.named(name).encode(one.at("fields").json)
        guard (try? recoded(name, bytes)).map({ $0 == bytes }) ?? true else {
            throw Problem.differs("the bytes of \(name) as this package writes them")
        }
        let decoded = try await decode(Case(json: one.json.adding(["bytes": .hex(bytes)])))
        try expect("fields", decoded["fields"] ?? .null, one.at("fields").json)
        return ["bytes": .hex(bytes)]
    }

    @Sendable static func decode(_ one: Case) async throws -> JSON {
        let (name, bytes) = (try one.text("message"), Bytes(try one.bytes("bytes")))
        let fields = try Layout.named(name).decode(bytes)
        // Types check more than the layout says; which of that is part of a layout is the document's word (CF-03).
        if name == "ContentFrame" { _ = try ContentFrame(decoding: bytes) }
        return ["fields": fields]
    }

    /// The bytes that this package's own type writes of what it read; nil where there is none. Throws what it refuses.
    private static func recoded(_ name: String, _ bytes: Bytes) throws -> Bytes? {
        switch name {
        case "EncryptedPayload": try EncryptedPayload(decoding: bytes).encoded()
        case "InboxHandshakeV1": try InboxHandshakeV1(decoding: bytes).encoded()
        case "InboxHeaderV1": try InboxHandshakeV1.Header(decoding: bytes).encoded()
        case "IntroBundle": try IntroBundle(decoding: bytes).encoded()
        case "ContentFrame": try ContentFrame(decoding: bytes).encoded()
        case "Text": try TextContent(decoding: bytes).encoded()
        case "File": try FileContent(decoding: bytes).encoded()
        case "Contact": try ContactContent(decoding: bytes).encoded()
        case "SdsMessage": try SDSMessage(decoding: bytes).encoded()
        case "ReliablePayload": try SDSMessage(decoding: bytes, .chatProto).encoded(.chatProto)
        case "SegmentMessageProto": try SegmentMessage(decoding: bytes).encoded()
        case "OpenBundle": try OpenBundle(decoding: bytes).encoded()
        case "OpenInvite": try OpenFrame(decoding: bytes).encoded()
        case "DirectoryEntry": try DirectoryEntry(decoding: bytes).encoded()
        default: nil
        }
    }

    private static func messageFiles(_ maker: DeterministicValues) async throws -> [VectorFile] {
        var cases: [JSON] = []
        func roundtrip(_ id: String, _ comment: String, _ message: String, _ fields: JSON) {
            let inputs: JSON = ["operation": "roundtrip", "message": .string(message), "fields": fields]
            cases.append(draft(id, comment, inputs))
        }
        func decode(_ id: String, _ comment: String, _ message: String, _ bytes: String, error: String? = nil) {
            let inputs: JSON = ["operation": "decode", "message": .string(message), "bytes": .string(bytes)]
            cases.append(draft(id, comment, inputs, error: error))
        }
        let (key, text) = (maker.hex(32, "messages/key"), maker.hex(40, "messages/text"))
        roundtrip(
            "envelope-libchat", "hint in plain, no salt", "EnvelopeV1",
            ["conversation_hint": "convo-1", "payload": text])
        roundtrip(
            "envelope-reference", "the largest salt", "EnvelopeV1",
            ["conversation_hint": "68641064", "salt": .unsigned(.max), "payload": text])
        roundtrip("envelope-empty", "nothing is written of defaults (WIRE-1)", "EnvelopeV1", [:])
        roundtrip(
            "envelope-document", "the layout of the older document", "EnvelopeV1Document",
            ["conversation_hint": "x", "salt": 4_294_967_295, "payload": text])
        roundtrip("plaintext", "the first arm", "EncryptedPayload", ["plaintext": ["payload": text]])
        roundtrip("plaintext-empty", "an arm is written even if it is empty", "EncryptedPayload", ["plaintext": [:]])
        roundtrip(
            "ratchet", "the second arm", "EncryptedPayload",
            ["doubleratchet": ["dh": key, "msgNum": 300, "prevChainLen": 2, "ciphertext": text]])
        roundtrip(
            "ratchet-first", "numbers that are 0 are left out", "EncryptedPayload",
            ["doubleratchet": ["dh": key, "ciphertext": text]])
        roundtrip(
            "ratchet-large", "the largest numbers", "EncryptedPayload",
            ["doubleratchet": ["dh": key, "msgNum": 4_294_967_295, "prevChainLen": 4_294_967_295, "ciphertext": text]])
        roundtrip(
            "handshake", "the third arm", "EncryptedPayload",
            [
                "inbox_handshake": [
                    "header": [
                        "initiator_static": key, "initiator_ephemeral": key, "responder_static": key,
                        "responder_ephemeral": key,
                    ], "payload": text,
                ]
            ])
        roundtrip(
            "invite", "an invite's frame", "InboxV1Frame",
            ["invite_private_v1": ["discriminator": "default", "initial_message": ["plaintext": ["payload": text]]]])
        roundtrip(
            "invite-document", "the layout of the older document", "InboxV1FrameDocument",
            [
                "timestamp": 1_700_000_000_000,
                "invite_private_v1": ["discriminator": "default", "initial_message": ["plaintext": ["payload": text]]],
            ])
        roundtrip(
            "intro-bundle", "134 bytes", "IntroBundle",
            ["installation_pubkey": key, "ephemeral_pubkey": key, "signature": maker.hex(64, "messages/signature")])
        roundtrip(
            "private-frame", "a frame of profile libchat", "PrivateV1Frame",
            ["conversation_id": "9a82", "sender": "64656c657465", "timestamp": 1_700_000_000_000, "content": text])
        roundtrip(
            "private-frame-negative", "a time before 1970 takes ten bytes", "PrivateV1Frame",
            ["timestamp": -1, "content": ""])
        roundtrip("placeholder", "the other arm", "PrivateV1Frame", ["placeholder": ["counter": 7]])
        roundtrip(
            "private-frame-document", "a frame of profile reference", "PrivateV1FrameDocument",
            ["timestamp": 1_700_000_000_000, "content": "68656c6c6f"])
        roundtrip(
            "segment", "a data segment", "SegmentMessageProto",
            ["entire_message_hash": key, "data_segment_index": 1, "data_segment_count": 3, "payload": text])
        roundtrip(
            "segment-parity", "a parity segment", "SegmentMessageProto",
            [
                "entire_message_hash": key, "data_segment_count": 3, "payload": maker.hex(64, "messages/shard"),
                "parity_segment_count": 2, "parity_segment_index": 1, "is_parity": true,
            ])
        roundtrip(
            "open-bundle", "a bundle of OpenInvite", "OpenBundle",
            ["inbox": maker.hex(16, "messages/inbox"), "expiry": 1_700_000_060_000])
        roundtrip(
            "open-invite", "an invite of OpenInvite", "OpenInvite", ["type": "plain", "secret": key, "opening": text])
        roundtrip(
            "directory-entry", "an entry with two bundles", "DirectoryEntry",
            [
                "name": "raya", "publisher": key, "sequence": 7, "expiry": 9,
                "bundles": [["scheme": "x_1", "bytes": text, "expiry": 8, "single_use": true], ["scheme": "x_2"]],
            ])
        roundtrip(
            "directory-signed", "its signature", "SignedDirectoryEntry",
            ["version": 1, "entry": text, "signature": maker.hex(64, "messages/signature")])
        decode("another-order", "fields in any order", "EnvelopeV1", "2a02cafe0a0178")
        decode(
            "unknown-field", "an unknown field of every wire type is skipped (WIRE-3)", "EnvelopeV1",
            "0a017878051a0101710102030405060708ad0101020304")
        decode(
            "unknown-group", "a group is skipped with all that is in it, groups and ends of others too (WIRE-9)",
            "EnvelopeV1", "1b" + "089601" + "12021c1c" + "2324" + "1c" + "0a0178")
        decode("last-counts", "of a repeated field the last one counts (WIRE-8)", "EnvelopeV1", "0a01780a0179")
        decode("last-arm", "of several arms the last one counts (WIRE-8)", "EncryptedPayload", "0a030a010112021007")
        decode("merged-arm", "the same arm twice is merged (WIRE-8)", "EncryptedPayload", "1202100712021809")
        decode("long-varint", "a varint with bytes that are not needed (WIRE-2)", "EnvelopeV1", "10818000")
        decode("cut-32", "a uint32 is cut to its width (WIRE-1)", "EncryptedPayload", "120610ffffffff1f")
        let bad: [(String, String, String, String, String)] = [
            (
                "varint-65-bits", "a varint of more than 64 bits (WIRE-2)", "EnvelopeV1", "10ffffffffffffffffff02",
                "malformed"
            ),
            (
                "varint-11-bytes", "a varint of more than ten bytes (WIRE-2)", "EnvelopeV1",
                "1080808080808080808080" + "01", "malformed"
            ),
            ("varint-cut", "it ends inside a varint", "EnvelopeV1", "1080", "malformed"),
            ("field-cut", "a field goes beyond the end", "EnvelopeV1", "2a05cafe", "malformed"),
            ("length-huge", "a length of 2^63", "EnvelopeV1", "2a80808080808080808001", "malformed"),
            ("field-zero", "field number 0", "EnvelopeV1", "0001", "malformed"),
            ("group", "a group that does not end (WIRE-2)", "EnvelopeV1", "1b", "malformed"),
            ("group-end", "the end of a group that did not begin (WIRE-2)", "EnvelopeV1", "1c", "malformed"),
            ("group-other-end", "a group that ends as another one (WIRE-2)", "EnvelopeV1", "1b24", "malformed"),
            ("group-known", "a group under the number of a known field (WIRE-4)", "EnvelopeV1", "0b0c", "malformed"),
            (
                "group-deep", "groups nested more than 16 deep (WIRE-6)", "EnvelopeV1",
                String(repeating: "1b", count: 16) + String(repeating: "1c", count: 16), "malformed"
            ),
            ("wire-type-6", "a wire type that protobuf does not have (WIRE-2)", "EnvelopeV1", "1e", "malformed"),
            ("wire-type", "a known field of another wire type (WIRE-4)", "EnvelopeV1", "0801", "malformed"),
            ("not-utf8", "a string that is not UTF-8 (WIRE-5)", "EnvelopeV1", "0a02c328", "malformed"),
            ("no-arm", "a oneof without arm (WIRE-7)", "EncryptedPayload", "", "malformed"),
            ("unknown-arm", "an arm of a later version (WIRE-7)", "EncryptedPayload", "2200", "unsupported"),
            ("unknown-arm-group", "the same as a group (WIRE-7, WIRE-9)", "EncryptedPayload", "2324", "unsupported"),
            (
                "unknown-elsewhere", "what was skipped is not of the message with the oneof (WIRE-7)", "InboxV1Frame",
                "0a023200" + "1200", "malformed"
            ),
        ]
        for (id, comment, message, bytes, error) in bad { decode(id, comment, message, bytes, error: error) }
        return [VectorFile("messages.json", kind: "messages", profile: "libchat and reference", cases: cases)]
    }
}
