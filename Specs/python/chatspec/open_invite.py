"""OpenInvite (Specs/open-invite.md): the least that an initialization must do; nothing is protected.

>>> inbox = bytes([0x44] * 16)
>>> write_bundle(inbox, expiry=1_700_000_060_000).hex()
'0a104444444444444444444444444444444410e0a499ffbc31'
>>> route(inbox), address(inbox)
('44444444444444444444444444444444', 'fc322f0d1d12c134')
>>> read_invite(write_invite("plain", bytes([0x55] * 32), b"hello"))[::2]
('plain', b'hello')
"""

from .messages import OpenBundle, OpenInvite
from .primitives import blake2b
from .refusal import require

INBOX_SIZE, SECRET_SIZE, MAX_TYPE = 16, 32, 255


def write_bundle(inbox: bytes, expiry: int = 0) -> bytes:
    """OPEN-1; an expiry of 0 is none."""
    return OpenBundle.encode({"inbox": inbox, "expiry": expiry})


def read_bundle(data: bytes, now_ms: int) -> bytes:
    """The inbox of a bundle whose time is not over (OPEN-5)."""
    fields = OpenBundle.decode(data)
    inbox, expiry = fields.get("inbox", b""), fields.get("expiry", 0)
    require(len(inbox) == INBOX_SIZE, "malformed", f"an inbox has {len(inbox)} bytes, expected {INBOX_SIZE}")
    require(expiry == 0 or now_ms < expiry, "expired", "the bundle has expired")
    return inbox


def route(inbox: bytes) -> str:
    """OPEN-2."""
    return inbox.hex()


def address(inbox: bytes) -> str:
    """OPEN-2."""
    return blake2b(8, b"openinvite|addr|", inbox).hex()


def write_invite(conversation_type: str, secret: bytes, opening: bytes) -> bytes:
    """OPEN-3."""
    return OpenInvite.encode({"type": conversation_type, "secret": secret, "opening": opening})


def read_invite(data: bytes) -> tuple[str, bytes, bytes]:
    """OPEN-3: conversation type, secret and opening."""
    fields = OpenInvite.decode(data)
    conversation_type, secret = fields.get("type", ""), fields.get("secret", b"")
    size = len(conversation_type.encode())
    require(size > 0, "malformed", "an invite without conversation type")
    require(size <= MAX_TYPE, "too_large", f"a conversation type of {size} bytes, at most {MAX_TYPE}")
    require(len(secret) == SECRET_SIZE, "malformed", f"a secret has {len(secret)} bytes, expected {SECRET_SIZE}")
    return conversation_type, secret, fields.get("opening", b"")


def first_private_key(secret: bytes) -> bytes:
    """OPEN-4: the responder's first key pair, which both sides compute.

    >>> from chatspec.primitives import public_key
    >>> public_key(first_private_key(bytes([0x55] * 32))).hex()
    'cc1477cf8d23bd017f81ccb5349ddbbd60638a39c8625f880df2a8e11410ba3c'
    """
    return blake2b(32, key=secret, personal=b"OpenInvite-Key")


def seen_name(secret: bytes) -> bytes:
    """What is remembered of an invite, to refuse it a second time (OPEN-6)."""
    return blake2b(16, secret)
