"""InboxV1: how a stranger's invite is made and opened (INBOX; libchat where the document is open).

X3DH between the installation keys, the ephemeral key of a bundle and a fresh ephemeral key gives a
seed, and the seed everything else: conversation ids and the first root key of the double ratchet.
"""

from typing import NamedTuple

from .messages import EncryptedPayload, InboxHeaderV1, InboxV1Frame
from .primitives import KEY_SIZE, NONCE_SIZE, TAG_SIZE, agree, blake2b, hkdf, open_sealed, public_key, seal
from .refusal import require

HKDF_INFO = b"logos_chat_inbox"
SEED_PERSONAL, IDS_PERSONAL = b"InboxV1-Seed", b"L-PV1-CID"
DELIVERY_ADDRESS = "delivery_address"  # profile libchat: one for everything
DISCRIMINATOR = "default"


class ConversationIds(NamedTuple):
    """The id of the whole, and one for each role; an envelope carries that of its recipient."""

    base: bytes
    initiator: str
    responder: str


def shared_secret(dh1: bytes, dh2: bytes, dh3: bytes) -> bytes:
    """X3DH without one-time key: HKDF-SHA256 of the three results, salt of 32 zeros, no FF prefix."""
    return hkdf("sha256", bytes(32), dh1 + dh2 + dh3, HKDF_INFO, 32)


def initiator_secret(identity: bytes, ephemeral: bytes, remote_identity: bytes, remote_ephemeral: bytes) -> bytes:
    """Saro's side: two private keys, two public keys."""
    return shared_secret(
        agree(identity, remote_ephemeral), agree(ephemeral, remote_identity), agree(ephemeral, remote_ephemeral)
    )


def responder_secret(identity: bytes, ephemeral: bytes, remote_identity: bytes, remote_ephemeral: bytes) -> bytes:
    """Raya's side: `ephemeral` is the private key of the bundle that Saro used."""
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


def write_invite(header: dict, opening: dict) -> bytes:
    """The invite of profile libchat: the frame stands in the handshake in clear. `opening` is the first message
    of the conversation, as fields of EncryptedPayload."""
    invite = {"discriminator": DISCRIMINATOR, "initial_message": opening}
    frame = InboxV1Frame.encode({"invite_private_v1": invite})
    return EncryptedPayload.encode({"inbox_handshake": {"header": header, "payload": frame}})


def open_invite(identity: bytes, ephemeral_privates: dict[bytes, bytes], handshake: dict) -> tuple[dict, bytes, dict]:
    """Opens an invite of profile libchat with the keys that are outstanding (private by public): the header,
    the seed and the opening. Nothing is authentic before the opening was decrypted. As in libchat, neither the
    responder's static key nor the discriminator is looked at."""
    require("header" in handshake, "malformed", "a handshake without header")
    header = {field.name: handshake["header"].get(field.name, b"") for field in InboxHeaderV1.fields}
    ephemeral = ephemeral_privates.get(header["responder_ephemeral"])
    require(ephemeral is not None, "unknown_ephemeral_key", "never issued, or used up (INBOX-05)")
    secret = responder_secret(identity, ephemeral, header["initiator_static"], header["initiator_ephemeral"])
    invite = InboxV1Frame.decode(handshake.get("payload", b""))["invite_private_v1"]  # others: unsupported (INIT-04)
    require("initial_message" in invite, "malformed", "an invite without opening")
    return header, seed_key(secret), invite["initial_message"]


def seal_invite(identity: bytes, ephemeral: bytes, remote_identity: bytes, remote_ephemeral: bytes,
                frame: bytes, nonce: bytes) -> bytes:
    """The sealed invite of profile reference, a private extension (INBOX promises the properties, but gives no
    key schedule): nobody but the recipient learns who the sender is, or what is in the frame."""
    sealed_static = seal(header_key(agree(ephemeral, remote_ephemeral), agree(ephemeral, remote_identity)),
                         bytes(NONCE_SIZE), public_key(identity), b"")
    header = {
        "initiator_static": sealed_static,
        "initiator_ephemeral": public_key(ephemeral),
        "responder_ephemeral": key_identifier(remote_ephemeral),
    }
    key = payload_key(initiator_secret(identity, ephemeral, remote_identity, remote_ephemeral))
    payload = nonce + seal(key, nonce, frame, InboxHeaderV1.encode(header))
    return EncryptedPayload.encode({"inbox_handshake": {"header": header, "payload": payload}})


def open_sealed_invite(identity: bytes, ephemeral_privates: dict[bytes, bytes],
                       handshake: dict) -> tuple[bytes, bytes, bytes]:
    """Opens a sealed invite: the sender's installation key, the seed, and the frame."""
    header = handshake.get("header", {})
    remote_ephemeral = header.get("initiator_ephemeral", b"")
    sealed_static = header.get("initiator_static", b"")
    require(len(sealed_static) == KEY_SIZE + TAG_SIZE, "malformed", f"{len(sealed_static)} bytes of sealed key")
    wanted = header.get("responder_ephemeral")
    ephemeral = next((key for public, key in ephemeral_privates.items() if key_identifier(public) == wanted), None)
    require(ephemeral is not None, "unknown_ephemeral_key", "no outstanding key has this identifier")
    key = header_key(agree(ephemeral, remote_ephemeral), agree(identity, remote_ephemeral))
    remote_identity = open_sealed(key, bytes(NONCE_SIZE), sealed_static, b"")
    secret = responder_secret(identity, ephemeral, remote_identity, remote_ephemeral)
    payload = handshake.get("payload", b"")
    require(len(payload) >= NONCE_SIZE, "malformed", f"{len(payload)} bytes of sealed invite")
    associated = InboxHeaderV1.encode(header)
    frame = open_sealed(payload_key(secret), payload[:NONCE_SIZE], payload[NONCE_SIZE:], associated)
    return remote_identity, seed_key(secret), frame


def key_identifier(ephemeral_key: bytes) -> bytes:
    """Four bytes that name a recipient's ephemeral key (INBOX-07).

    >>> key_identifier(public_key(bytes([0x33] * 32))).hex()
    'b43f8b33'
    """
    return blake2b(4, b"WAP", ephemeral_key)


def header_key(ephemeral_ephemeral: bytes, ephemeral_identity: bytes) -> bytes:
    """Seals the sender's installation key; used once, so the nonce is zero."""
    return hkdf("sha256", bytes(32), ephemeral_ephemeral + ephemeral_identity, HKDF_INFO + b"/hdr", 32)


def payload_key(secret: bytes) -> bytes:
    """Seals the invite of profile reference."""
    return blake2b(32, key=secret, personal=b"InboxV1-Enc")
