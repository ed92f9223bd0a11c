"""EnvelopeV1 in both profiles (Specs/envelope-v1.md).

>>> wrap("convo-1", b"hello").hex()
'0a07636f6e766f2d312a0568656c6c6f'
>>> len(wrap_salted("convo-1", 1, b"hello"))
75
"""

import hashlib
from typing import Iterable, NamedTuple

from .messages import EnvelopeV1
from .proto3 import Field, Message
from .refusal import Refused

MAX_ROUTE = 255  # EV1-3, in bytes
UNREAD = Message(  # EnvelopeV1 with a hint that is not text yet
    "EnvelopeV1", Field(1, "conversation_hint", "bytes"), Field(2, "salt", "uint64"), Field(5, "payload", "bytes")
)


class Envelope(NamedTuple):
    """The outside of every payload: whose it is, and the bytes for them."""

    hint: str
    salt: int
    payload: bytes


def hint(route: str, salt: int) -> str:
    """Profile reference: BLAKE2s-256 of the salt, least significant byte first, and the route (ENV-02).

    >>> hint("convo-1", 1)
    '2fe02c2719ac4714080927265a45d44347f2b85d76417766be8e645e2d39fc98'
    """
    return hashlib.blake2s(salt.to_bytes(8, "little") + route.encode()).hexdigest()


def wrap(route: str, payload: bytes) -> bytes:
    """Profile libchat: the hint is the route."""
    return EnvelopeV1.encode({"conversation_hint": route, "payload": payload})


def wrap_salted(route: str, salt: int, payload: bytes) -> bytes:
    """Profile reference: a salted hint, with 64 fresh random bits of salt."""
    return EnvelopeV1.encode({"conversation_hint": hint(route, salt), "salt": salt, "payload": payload})


def unwrap(data: bytes) -> Envelope:
    """Reads an envelope of either profile (EV1-1, EV1-6). A hint that is longer than any route is nobody's, so it
    is not looked at further: it comes out empty (EV1-3)."""
    fields = UNREAD.decode(data)
    hint = fields.get("conversation_hint", b"")
    try:
        text = hint.decode() if len(hint) <= MAX_ROUTE else ""
    except UnicodeDecodeError:
        raise Refused("malformed", "a hint that is not UTF-8") from None
    return Envelope(text, fields.get("salt", 0), fields.get("payload", b""))


def find_route(envelope: Envelope, routes: Iterable[str]) -> str | None:
    """Profile reference: the one of our routes that an envelope is for, or none, which is no error (EV1-2, EV1-3)."""
    return next((route for route in routes if hint(route, envelope.salt) == envelope.hint), None)
