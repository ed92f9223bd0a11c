"""InboxV1: how a stranger's invite is made and opened (Specs/inbox-v1.md, INBOX).

X3DH between the installation keys, the ephemeral key of a bundle and a fresh ephemeral key gives a
seed, and the seed everything else: conversation ids and the first root key of the double ratchet.
"""

from typing import NamedTuple

from .messages import EncryptedPayload, InboxHeaderV1, Plaintext
from .primitives import (
    KEY_SIZE, NONCE_SIZE, TAG_SIZE, agree, blake2b, check_spelling, hkdf, open_sealed, public_key, seal
)
from .proto3 import LENGTH_DELIMITED, Field, Message, read_fields
from .refusal import Refused, require

HKDF_INFO = b"logos_chat_inbox"
SEED_PERSONAL, IDS_PERSONAL = b"InboxV1-Seed", b"L-PV1-CID"
DELIVERY_ADDRESS = "delivery_address"  # profile libchat: one for everything
DEFAULT_TYPE = "default"  # profile libchat: how an invite names its only conversation type
MAX_TYPE = 255  # bytes
OTHER_TYPE = "type/"  # profile libchat: in front of the name of any other
HEADER_SIZES = {  # step 2 of "Receiving": initiator's identity and ephemeral key, responder's; None is any size
    "libchat": (KEY_SIZE, KEY_SIZE, None, KEY_SIZE),
    "reference": (KEY_SIZE + TAG_SIZE, KEY_SIZE, 0, 4),
}

# The frame of an invite with its opening as bytes, which are not looked into here (IBX-1, IBX-2).
Invite = Message(
    "InvitePrivateV1", Field(5, "discriminator", "string"), Field(6, "initial_message", "bytes", optional=True)
)
Frame = Message("InboxV1Frame", Field(1, "invite_private_v1", Invite, oneof="frame_type"))


class ConversationIds(NamedTuple):
    """The id of the whole, and one for each role; an envelope carries that of its recipient."""

    base: bytes
    initiator: str
    responder: str


def shared_secret(dh1: bytes, dh2: bytes, dh3: bytes) -> bytes:
    """X3DH without one-time key: HKDF-SHA256 of the three results, salt of 32 zeros, no FF prefix."""
    return hkdf("sha256", bytes(32), dh1 + dh2 + dh3, HKDF_INFO, 32)


def initiator_secret(identity: bytes, ephemeral: bytes, remote_identity: bytes, remote_ephemeral: bytes) -> bytes:
    """Saro's side: two private keys, two public keys, each in its one spelling (CRY-8)."""
    check_spelling(remote_identity, remote_ephemeral)
    return shared_secret(
        agree(identity, remote_ephemeral), agree(ephemeral, remote_identity), agree(ephemeral, remote_ephemeral)
    )


def responder_secret(identity: bytes, ephemeral: bytes, remote_identity: bytes, remote_ephemeral: bytes) -> bytes:
    """Raya's side: `ephemeral` is the private key of the bundle that Saro used. Saro's keys have one spelling (CRY-8)."""
    check_spelling(remote_identity, remote_ephemeral)
    return shared_secret(
        agree(ephemeral, remote_identity), agree(identity, remote_ephemeral), agree(ephemeral, remote_ephemeral)
    )


def seed_key(secret: bytes) -> bytes:
    """What a conversation starts from (PV1-03, `sk`)."""
    return blake2b(32, key=secret, personal=SEED_PERSONAL)


def conversation_ids(seed: bytes, size: int = 18) -> ConversationIds:
    """Ids of 18 bytes in profile libchat, of 16 in profile reference (CT-02).

    >>> conversation_ids(bytes([7] * 32)).base == conversation_ids(bytes([7] * 32), size=16).base
    False
    """
    base = blake2b(size, key=seed, personal=IDS_PERSONAL)
    return ConversationIds(base, blake2b(size, base, b"I").hex(), blake2b(size, base, b"R").hex())


def inbox_id(installation_key: bytes, profile: str = "libchat") -> str:
    """Where invites go: 64 bytes without prefix in profile libchat, 16 bytes with prefix in reference (INBOX-10)."""
    if profile == "libchat":
        return blake2b(64, installation_key).hex()
    return blake2b(16, b"inboxV1", installation_key).hex()


def delivery_address(installation_key: bytes) -> str:
    """Where profile reference publishes invites (INBOX-11)."""
    return blake2b(8, b"inboxV1|addr|", installation_key).hex()


def key_identifier(ephemeral_key: bytes) -> bytes:
    """Four bytes that name a recipient's ephemeral key, RKI (INBOX-07).

    >>> key_identifier(public_key(bytes([0x33] * 32))).hex()
    'b43f8b33'
    """
    return blake2b(4, b"WAP", ephemeral_key)


def write_frame(conversation_type: str, opening: bytes) -> bytes:
    """What an invite says (IBX-1): the opening as it is if it is one ratchet message, any other as plaintext.

    >>> write_frame("private-v1", b"hello").hex()
    '0a172a0a707269766174652d763132090a070a0568656c6c6f'
    """
    if not is_ratchet_message(opening):
        opening = EncryptedPayload.encode({"plaintext": {"payload": opening}})
    return Frame.encode({"invite_private_v1": {"discriminator": conversation_type, "initial_message": opening}})


def is_ratchet_message(opening: bytes) -> bool:
    """Whether these bytes are field 2 of EncryptedPayload, once, and nothing else."""
    try:
        return [(number, kind) for number, kind, _ in read_fields(opening, "opening")] == [(2, LENGTH_DELIMITED)]
    except Refused:
        return False


def conversation_type_of(discriminator: str, profile: str) -> str:
    """IBX-11: profile libchat ignores what it does not know.

    >>> conversation_type_of("anything", "libchat"), conversation_type_of("type/plain", "libchat")
    ('default', 'plain')
    """
    size = len(discriminator.encode())
    if profile == "libchat":
        is_other = discriminator.startswith(OTHER_TYPE) and len(OTHER_TYPE) < size <= len(OTHER_TYPE) + MAX_TYPE
        return discriminator.removeprefix(OTHER_TYPE) if is_other else DEFAULT_TYPE
    require(size <= MAX_TYPE, "too_large", f"a conversation type of {size} bytes, at most {MAX_TYPE}")
    require(size > 0, "malformed", "an invite without conversation type")
    return discriminator


def read_frame(data: bytes, profile: str = "libchat") -> tuple[str, bytes]:
    """Step 5: conversation type and opening. Invites of another kind are unsupported (INIT-04)."""
    invite = Frame.decode(data)["invite_private_v1"]
    conversation_type = conversation_type_of(invite.get("discriminator", ""), profile)
    require("initial_message" in invite, "malformed", "an invite without opening")
    message, arm, content, skips = invite["initial_message"], 0, b"", False
    for number, kind, item in read_fields(message, "initial_message"):
        if number in (1, 2, 3):
            require(kind == LENGTH_DELIMITED, "malformed", f"arm {number} of an opening has wire type {kind}")
            arm, content = number, item
        else:
            skips = True
    require(arm in (1, 2), "unsupported" if arm or skips else "malformed",
            "an opening is plaintext or a ratchet message")  # WIRE-7
    return conversation_type, message if arm == 2 else Plaintext.decode(content).get("payload", b"")


def read_header(fields: dict, profile: str) -> dict:
    """Steps 1 and 2, from a decoded EncryptedPayload: the header, every field of its size."""
    require("inbox_handshake" in fields, "unsupported", "expected a handshake")
    require("header" in fields["inbox_handshake"], "malformed", "a handshake without header")
    header = fields["inbox_handshake"]["header"]
    header = {field.name: header.get(field.name, b"") for field in InboxHeaderV1.fields}
    sizes = tuple(map(len, header.values()))
    expected = HEADER_SIZES[profile]
    fits = all(wanted in (size, None) for size, wanted in zip(sizes, expected))
    require(fits, "malformed", f"sizes in the header are {sizes}, not {expected}")
    return header


def write_invite(identity: bytes, ephemeral: bytes, remote_identity: bytes, remote_ephemeral: bytes,
                 frame: bytes) -> bytes:
    """The invite of profile libchat, from two private and two public keys: the frame stands in clear."""
    header = {
        "initiator_static": public_key(identity), "initiator_ephemeral": public_key(ephemeral),
        "responder_static": remote_identity, "responder_ephemeral": remote_ephemeral,
    }
    return EncryptedPayload.encode({"inbox_handshake": {"header": header, "payload": frame}})


def open_invite(identity: bytes, ephemeral_privates: dict[bytes, bytes],
                fields: dict) -> tuple[dict, bytes, str, bytes]:
    """Opens an invite of profile libchat with the keys that are outstanding (private by public): the header,
    the seed, conversation type and opening. Nothing is authentic before the opening was decrypted."""
    header = read_header(fields, "libchat")
    ephemeral = ephemeral_privates.get(header["responder_ephemeral"])
    require(ephemeral is not None, "unknown_ephemeral_key", "never issued, or used up (INBOX-05)")
    secret = responder_secret(identity, ephemeral, header["initiator_static"], header["initiator_ephemeral"])
    return header, seed_key(secret), *read_frame(fields["inbox_handshake"].get("payload", b""))


def seal_invite(identity: bytes, ephemeral: bytes, remote_identity: bytes, remote_ephemeral: bytes,
                frame: bytes, nonce: bytes) -> bytes:
    """The sealed invite of profile reference (IBX-3, IBX-4): nobody but the recipient learns who the sender is,
    or what is in the frame."""
    header = {"initiator_ephemeral": public_key(ephemeral), "responder_ephemeral": key_identifier(remote_ephemeral)}
    key = header_key(agree(ephemeral, remote_ephemeral), agree(ephemeral, remote_identity))
    sealed = seal(key, bytes(NONCE_SIZE), public_key(identity), InboxHeaderV1.encode(header))
    header = {"initiator_static": sealed, **header}
    key = payload_key(initiator_secret(identity, ephemeral, remote_identity, remote_ephemeral))
    payload = nonce + seal(key, nonce, frame, InboxHeaderV1.encode(header))
    return EncryptedPayload.encode({"inbox_handshake": {"header": header, "payload": payload}})


def open_sealed_invite(identity: bytes, ephemeral_privates: dict[bytes, bytes],
                       fields: dict) -> tuple[bytes, bytes, bytes]:
    """Opens a sealed invite: the sender's installation key, the seed, and the frame."""
    header = read_header(fields, "reference")
    wanted, remote_ephemeral = header["responder_ephemeral"], header["initiator_ephemeral"]
    ephemeral = next((key for public, key in ephemeral_privates.items() if key_identifier(public) == wanted), None)
    require(ephemeral is not None, "unknown_ephemeral_key", "no outstanding key has this identifier")
    check_spelling(remote_ephemeral)
    key = header_key(agree(ephemeral, remote_ephemeral), agree(identity, remote_ephemeral))
    associated = InboxHeaderV1.encode(header | {"initiator_static": b""})
    remote_identity = open_sealed(key, bytes(NONCE_SIZE), header["initiator_static"], associated)
    secret = responder_secret(identity, ephemeral, remote_identity, remote_ephemeral)
    payload = fields["inbox_handshake"].get("payload", b"")
    require(len(payload) >= NONCE_SIZE + TAG_SIZE, "malformed", f"{len(payload)} bytes of sealed invite, at least 28")
    nonce, sealed = payload[:NONCE_SIZE], payload[NONCE_SIZE:]
    frame = open_sealed(payload_key(secret), nonce, sealed, InboxHeaderV1.encode(header))
    return remote_identity, seed_key(secret), frame


def header_key(dh3: bytes, dh2: bytes) -> bytes:
    """k1 seals the sender's identity; it is used once, so the nonce is zero."""
    return hkdf("sha256", bytes(32), dh3 + dh2, HKDF_INFO + b"/hdr", 32)


def payload_key(secret: bytes) -> bytes:
    """k2 seals the frame."""
    return blake2b(32, key=secret, personal=b"InboxV1-Enc")
