"""Ratcheting private identifiers (Specs/rpi-v1.md): 16 bytes that only the two ends of a route can derive.

>>> key = identifier_key(b"\\x11" * 32, "a", "convo-1")
>>> identifier(key, 1).hex()
'b238bf5ae1dd6377155696427229451e'
>>> salted(key, bytes(range(8))).hex()
'00010203040506076c42177ecc2edc07'
"""

import hmac

from .primitives import blake2b
from .refusal import require

SIZE, SALT_SIZE = 16, 8
MAX_ROUTE = 255
MAX_MISSING, MAX_SEQUENCE = 2_000, 2**62


def route_secret(key: bytes) -> bytes:
    """The secret of a route, which follows from a key that both sides have (CONVERSATION-13)."""
    return blake2b(32, key=key, personal=b"L-Route-Secret")


def identifier_key(secret: bytes, address: str, route: str) -> bytes:
    """What a route's identifiers are derived with (RPIV1-2)."""
    place = address.encode()
    return hmac.digest(secret, b"logos-chat/rpi/v1" + len(place).to_bytes(4, "big") + place + route.encode(), "sha256")


def derive(key: bytes, use: int, number: bytes) -> bytes:
    """Eight bytes for a use of a number (RPIV1-1)."""
    return blake2b(8, bytes([use]) + number, key=key)


def masked(key: bytes, tag: bytes, number: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(derive(key, 2, tag), number))


def identifier(key: bytes, sequence: int) -> bytes:
    """The identifier of a sequence (RPIV1-1)."""
    tag = derive(key, 1, sequence.to_bytes(8, "big"))
    return tag + masked(key, tag, sequence.to_bytes(8, "big"))


def read_sequence(key: bytes, found: bytes) -> int | None:
    """The sequence that an identifier holds; nothing where it is of another route.

    >>> read_sequence(bytes(32), identifier(bytes(32), 77)), read_sequence(bytes(32), bytes(16))
    (77, None)
    """
    number = masked(key, found[:8], found[8:])
    return int.from_bytes(number, "big") if derive(key, 1, number) == found[:8] else None


def salted(key: bytes, salt: bytes) -> bytes:
    """The identifier of a payload that is not counted (RPIV1-3)."""
    return salt + derive(key, 3, salt)


def wrap(
    address: str, route: str, secret: bytes | None, sequence: int, payload: bytes, *, is_first_contact: bool,
    salt: bytes | None = None,
) -> bytes:
    """Puts the identifier in front of a payload; a salt is needed where nothing is counted."""
    count = len(route.encode())
    require(1 <= count <= MAX_ROUTE, "malformed", f"a route has {count} bytes, not 1 to {MAX_ROUTE}")
    require(secret is not None or is_first_contact, "unsupported", "a conversation's route has no secret (RPIV1-5)")
    key = identifier_key(route.encode() if secret is None else secret, address, route)
    if secret is not None and sequence > 0:
        return identifier(key, sequence) + payload
    assert salt is not None and len(salt) == SALT_SIZE
    return salted(key, salt) + payload


def admits(one: dict, sequence: int) -> bool:
    """Whether a payload with a sequence may still come to a listening that nothing was received of since (RPIV1-9)."""
    lowest = max(1, min(one["lowest_wanted"], MAX_SEQUENCE))
    highest = min(max(one["highest_seen"] or 0, lowest - 1), MAX_SEQUENCE)
    return max(lowest, highest + 1 - MAX_MISSING) <= sequence <= MAX_SEQUENCE


def unwrap(address: str, listening: list[dict], data: bytes, *, is_first_contact: bool) -> tuple[dict, int, bytes] | None:
    """Whose a payload is: the listening, the sequence and the payload; nothing where it is foreign (RPIV1-6).

    A listening has `route`, `secret` (or None), `lowest_wanted` and `highest_seen` (or None). Every key is tried, as a
    client may that has few routes on an address (RPIV1-10); which identifiers another client keeps is its own matter.
    """
    require(len(data) >= SIZE, "malformed", f"{len(data)} bytes, an identifier has {SIZE}")
    found, payload = data[:SIZE], data[SIZE:]
    for one in listening:
        if one["secret"] is None and not is_first_contact:
            continue
        key = identifier_key(one["secret"] or one["route"].encode(), address, one["route"])
        sequence = read_sequence(key, found) if one["secret"] is not None else None
        if sequence is not None and admits(one, sequence):
            return one, sequence, payload
        if one["lowest_wanted"] == 0 and salted(key, found[:SALT_SIZE]) == found:
            return one, 0, payload
    return None
