"""Bytes as text: hex and base64url (Specs/wire.md, "Texts")."""

import base64
import binascii
import re

from .refusal import require

HEX = re.compile("(?:[0-9a-fA-F]{2})*")


def read_hex(text: str) -> bytes:
    """Two digits a byte in either case, no prefix, no spaces.

    >>> read_hex("00fF")
    b'\\x00\\xff'
    >>> read_hex("0 0")
    Traceback (most recent call last):
    chatspec.refusal.Refused: malformed: not hex
    """
    require(HEX.fullmatch(text) is not None, "malformed", "not hex")
    return bytes.fromhex(text)


def write_base64url(data: bytes) -> str:
    """RFC 4648, section 5, without padding."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def read_base64url(text: str) -> bytes:
    """Strict: a value has exactly one text.

    >>> read_base64url("-_8").hex()
    'fbff'
    >>> read_base64url("-_9")
    Traceback (most recent call last):
    chatspec.refusal.Refused: malformed: not base64url without padding
    """
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        data = None
    require(data is not None and write_base64url(data) == text, "malformed", "not base64url without padding")
    return data
