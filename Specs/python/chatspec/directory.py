"""Directory entries (Specs/directory.md): introduction bundles under a name, signed by their publisher.

>>> address("raya")
'edd1cdfa05e7823e'
>>> seed = bytes([0x11] * 32)
>>> entry = Entry("raya", publisher_key(seed), 1_700_000_000_000, 1_700_604_800_000,
...               (Bundle("openinvite_1", bytes([1, 2, 3]), 1_700_086_400_000, True),))
>>> len(write(entry, seed)), read(write(entry, seed), "raya", now_ms=1_700_000_000_001) == entry
(154, True)
>>> write_text("raya", publisher_key(seed))
'raya@0EqyMnQrtKs6E2i9RhXk5tAiSrcaAWuvhSCjMsl3hzc'
"""

import re
from typing import Iterable, NamedTuple

from nacl import bindings as sodium
from nacl.exceptions import CryptoError

from .messages import DirectoryEntry, SignedDirectoryEntry
from .primitives import blake2b
from .refusal import Refused, require
from .texts import read_base64url, write_base64url

VERSION = 1
SIGNED_PREFIX = b"chat_directory_1_"
MAX_ENTRY, MAX_BUNDLES, MAX_SCHEME, MAX_NAME = 32_768, 32, 64, 64
NAME = re.compile("[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?")  # DIR-1


class Bundle(NamedTuple):
    """An introduction bundle of any scheme; an expiry of 0 is none."""

    scheme: str
    data: bytes
    expiry: int = 0
    single_use: bool = False


class Entry(NamedTuple):
    """What a publisher says under a name, once. Times are milliseconds since 1970."""

    name: str
    publisher: bytes
    sequence: int
    expiry: int
    bundles: tuple[Bundle, ...] = ()


def publisher_key(seed: bytes) -> bytes:
    """The Ed25519 key of a seed (RFC 8032)."""
    return sodium.crypto_sign_seed_keypair(seed)[0]


def address(name: str) -> str:
    """The delivery address of a name's entries."""
    return blake2b(8, b"directory|", name.encode()).hex()


def read_name(text: str) -> str:
    """DIR-1: capitals of ASCII are folded, other characters refused."""
    name = text.translate({upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)})
    require(len(name) <= MAX_NAME, "too_large", f"a name has {len(name)} characters, at most {MAX_NAME}")
    require(NAME.fullmatch(name) is not None, "malformed", "a name is a-z and 0-9, and between those . - _")
    return name


def write_text(name: str, publisher: bytes) -> str:
    """What finds the entries of one publisher and nobody else's."""
    return f"{name}@{write_base64url(publisher)}"


def read_text(text: str) -> tuple[str, bytes | None]:
    """DIR-2: a name, or a name with a key.

    >>> read_text(" Raya\\n")
    ('raya', None)
    """
    name, at, encoded = text.strip(" \t\r\n").partition("@")
    publisher = read_base64url(encoded) if at else None
    require(publisher is None or len(publisher) == 32, "malformed", "a key has 43 characters of base64url")
    return read_name(name), publisher


def write(entry: Entry, seed: bytes) -> bytes:
    """The signed entry. What readers would refuse is refused here too (DISCOVERY-2)."""
    encoded = DirectoryEntry.encode({
        "name": entry.name, "publisher": entry.publisher, "sequence": entry.sequence, "expiry": entry.expiry,
        "bundles": [
            {"scheme": bundle.scheme, "bytes": bundle.data, "expiry": bundle.expiry, "single_use": bundle.single_use}
            for bundle in entry.bundles
        ],
    })
    check(entry, "too_large")
    signature = sodium.crypto_sign(SIGNED_PREFIX + encoded, sodium.crypto_sign_seed_keypair(seed)[1])[:64]
    signed = SignedDirectoryEntry.encode({"version": VERSION, "entry": encoded, "signature": signature})
    require(len(signed) <= MAX_ENTRY, "too_large", f"an entry has {len(signed)} bytes, at most {MAX_ENTRY}")
    return signed


def read(data: bytes, name: str, now_ms: int, publisher: bytes | None = None) -> Entry:
    """DIR-3, and of DIR-6 all that one entry tells. Another name or publisher than was asked for is refused as
    unsupported: the entry may be good for somebody else."""
    require(len(data) <= MAX_ENTRY, "malformed", f"an entry has {len(data)} bytes, at most {MAX_ENTRY}")
    signed = SignedDirectoryEntry.decode(data)
    version, signature = signed.get("version", 0), signed.get("signature", b"")
    require(version > 0, "malformed", "an entry without version")
    require(version == VERSION, "unsupported", f"version {version}")
    require(len(signature) == 64, "malformed", f"a signature has {len(signature)} bytes, expected 64")
    encoded = signed.get("entry", b"")
    fields = DirectoryEntry.decode(encoded)
    bundles = tuple(
        Bundle(item.get("scheme", ""), item.get("bytes", b""), item.get("expiry", 0), item.get("single_use", False))
        for item in fields.get("bundles", [])
    )
    numbers = fields.get("sequence", 0), fields.get("expiry", 0)
    entry = check(Entry(fields.get("name", ""), fields.get("publisher", b""), *numbers, bundles), "malformed")
    require(entry.name == name, "unsupported", "an entry of another name")
    require(publisher in (None, entry.publisher), "unsupported", "an entry of another publisher")
    require(entry.expiry > now_ms, "expired", "an entry that has expired")
    try:
        sodium.crypto_sign_open(signature + SIGNED_PREFIX + encoded, entry.publisher)
    except CryptoError:
        raise Refused("authentication_failed", "the signature of an entry does not fit") from None
    return entry


def check(entry: Entry, beyond_limit: str) -> Entry:
    """Sizes and limits; a reader counts what is beyond a limit as malformed (DIR-6), a writer is told."""
    require(len(entry.publisher) == 32, "malformed", f"a publisher has {len(entry.publisher)} bytes, expected 32")
    require(len(entry.bundles) <= MAX_BUNDLES, beyond_limit, f"{len(entry.bundles)} bundles, at most {MAX_BUNDLES}")
    for bundle in entry.bundles:
        size = len(bundle.scheme.encode())
        require(size > 0, "malformed", "a bundle without scheme")
        require(size <= MAX_SCHEME, beyond_limit, f"a scheme has {size} bytes, at most {MAX_SCHEME}")
    return entry


def latest(entries: Iterable[Entry]) -> dict[bytes, Entry]:
    """DIR-5, DIR-7: by publisher, in the order in which they were first seen, the entry that counts."""
    newest: dict[bytes, Entry] = {}
    for entry in entries:
        if entry.publisher not in newest or entry.sequence > newest[entry.publisher].sequence:
            newest[entry.publisher] = entry
    return newest


def next_sequence(now_ms: int, last: int | None) -> int:
    """DIR-4: it grows even if the clock goes back."""
    return now_ms if last is None else max(now_ms, last + 1)
