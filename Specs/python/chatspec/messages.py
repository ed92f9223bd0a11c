"""The message layouts: chat_proto, and the documents where they differ from it.

Names are those of chat_proto; a name that ends in `Document` is the layout that a document prints.

>>> EncryptedPayload.encode({"doubleratchet": {"dh": b"\\x11" * 32, "msgNum": 300, "prevChainLen": 2,
...                                            "ciphertext": b"\\x22" * 28}}).hex()[:16]
'12450a2011111111'
"""

from .proto3 import Field, Message

# Envelope: chat_proto "envelope.proto", Specs/envelope-v1.md; the older layout of the WAKUCHAT document.
EnvelopeV1 = Message(
    "EnvelopeV1",
    Field(1, "conversation_hint", "string"), Field(2, "salt", "uint64"), Field(5, "payload", "bytes"),
)
EnvelopeV1Document = Message(
    "EnvelopeV1Document",
    Field(1, "conversation_hint", "string"), Field(2, "salt", "uint32"), Field(3, "payload", "bytes"),
)

# Encryption: chat_proto "encryption.proto", Specs/wire.md "Shared layouts".
Plaintext = Message("Plaintext", Field(1, "payload", "bytes"))
Doubleratchet = Message(
    "Doubleratchet",
    Field(1, "dh", "bytes"), Field(2, "msgNum", "uint32"), Field(3, "prevChainLen", "uint32"),
    Field(4, "ciphertext", "bytes"), Field(5, "aux", "string"),
)
InboxHeaderV1 = Message(
    "InboxHeaderV1",
    Field(1, "initiator_static", "bytes"), Field(2, "initiator_ephemeral", "bytes"),
    Field(3, "responder_static", "bytes"), Field(4, "responder_ephemeral", "bytes"),
)
InboxHandshakeV1 = Message("InboxHandshakeV1", Field(1, "header", InboxHeaderV1), Field(2, "payload", "bytes"))
EncryptedPayload = Message(
    "EncryptedPayload",
    Field(1, "plaintext", Plaintext, oneof="encryption"),
    Field(2, "doubleratchet", Doubleratchet, oneof="encryption"),
    Field(3, "inbox_handshake", InboxHandshakeV1, oneof="encryption"),
)

# Invites: chat_proto "inbox.proto" and "invite.proto"; the INBOX document numbers the frame differently.
InvitePrivateV1 = Message(
    "InvitePrivateV1", Field(5, "discriminator", "string"), Field(6, "initial_message", EncryptedPayload)
)
InboxV1Frame = Message("InboxV1Frame", Field(1, "invite_private_v1", InvitePrivateV1, oneof="frame_type"))
InboxV1FrameDocument = Message(
    "InboxV1FrameDocument",
    Field(1, "timestamp", "int64"), Field(10, "invite_private_v1", InvitePrivateV1, oneof="frame_type"),
)

# INTRODUCTION-ENCODING.
IntroBundle = Message(
    "IntroBundle",
    Field(1, "installation_pubkey", "bytes"), Field(2, "ephemeral_pubkey", "bytes"), Field(3, "signature", "bytes"),
)

# PRIVATE1: the layout of chat_proto, and that of the document.
Placeholder = Message("Placeholder", Field(1, "counter", "uint32"))
PrivateV1Frame = Message(
    "PrivateV1Frame",
    Field(1, "conversation_id", "string"), Field(2, "sender", "bytes"), Field(3, "timestamp", "int64"),
    Field(10, "content", "bytes", oneof="frame_type"), Field(11, "placeholder", Placeholder, oneof="frame_type"),
)
PrivateV1FrameDocument = Message(
    "PrivateV1FrameDocument",
    Field(1, "timestamp", "uint64"),
    Field(10, "content", "bytes", oneof="frame_type"), Field(11, "placeholder", Placeholder, oneof="frame_type"),
)

# MESSAGE-SEGMENTATION.
SegmentMessageProto = Message(
    "SegmentMessageProto",
    Field(1, "entire_message_hash", "bytes"),
    Field(2, "data_segment_index", "uint32"), Field(3, "data_segment_count", "uint32"),
    Field(4, "payload", "bytes"),
    Field(5, "parity_segment_index", "uint32"), Field(6, "parity_segment_count", "uint32"),
    Field(7, "is_parity", "bool"),
)

# SCALABLE-DATA-SYNC, and chat_proto "reliability.proto".
SdsHistoryEntry = Message(
    "SdsHistoryEntry",
    Field(1, "message_id", "string"),
    Field(2, "retrieval_hint", "bytes", optional=True), Field(3, "sender_id", "string", optional=True),
)
SdsMessage = Message(
    "SdsMessage",
    Field(1, "sender_id", "string"), Field(2, "message_id", "string"), Field(3, "channel_id", "string"),
    Field(10, "lamport_timestamp", "uint64", optional=True),
    Field(11, "causal_history", SdsHistoryEntry, repeated=True),
    Field(12, "bloom_filter", "bytes", optional=True),
    Field(13, "repair_request", SdsHistoryEntry, repeated=True), Field(14, "gone", SdsHistoryEntry, repeated=True),
    Field(20, "content", "bytes", optional=True),
)
HistoryEntry = Message(
    "HistoryEntry",
    Field(1, "message_id", "string"), Field(2, "retrieval_hint", "bytes"), Field(3, "sender_id", "string"),
)
ReliablePayload = Message(
    "ReliablePayload",
    Field(2, "message_id", "string"), Field(3, "channel_id", "string"), Field(7, "sender_id", "string"),
    Field(10, "lamport_timestamp", "int32"),
    Field(11, "causal_history", HistoryEntry, repeated=True),
    Field(12, "bloom_filter", "bytes"), Field(20, "content", "bytes"),
)

# CONTENTFRAME, Specs/content-frames.md.
ContentFrame = Message(
    "ContentFrame", Field(1, "domain_id", "uint32"), Field(2, "tag", "uint32"), Field(3, "payload", "bytes")
)

# Specs/content-frames.md, everyday types.
Text = Message("Text", Field(1, "text", "string"))
File = Message("File", Field(1, "name", "string"), Field(2, "media_type", "string"), Field(3, "bytes", "bytes"))
Contact = Message("Contact", Field(1, "name", "string"), Field(2, "introduction", "string"))

# Specs/directory.md.
DirectoryBundle = Message(
    "DirectoryBundle",
    Field(1, "scheme", "string"), Field(2, "bytes", "bytes"), Field(3, "expiry", "uint64"),
    Field(4, "single_use", "bool"),
)
DirectoryEntry = Message(
    "DirectoryEntry",
    Field(1, "name", "string"), Field(2, "publisher", "bytes"), Field(3, "sequence", "uint64"),
    Field(4, "expiry", "uint64"), Field(5, "bundles", DirectoryBundle, repeated=True),
)
SignedDirectoryEntry = Message(
    "SignedDirectoryEntry", Field(1, "version", "uint32"), Field(2, "entry", "bytes"), Field(3, "signature", "bytes")
)

# Specs/open-invite.md.
OpenBundle = Message("OpenBundle", Field(1, "inbox", "bytes"), Field(2, "expiry", "uint64"))
OpenInvite = Message(
    "OpenInvite", Field(1, "type", "string"), Field(2, "secret", "bytes"), Field(3, "opening", "bytes")
)

ALL = {layout.name: layout for layout in list(globals().values()) if isinstance(layout, Message)}
