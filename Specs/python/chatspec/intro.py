"""Introduction bundles and links (INTRODUCTION-ENCODING, Specs/intro-links.md).

>>> private = bytes.fromhex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb")
>>> link = create(private, public_key(bytes([0x33] * 32)), z=bytes(range(64)))
>>> len(link), link[:38]
(197, 'logos_chatintro_1_CiDentt9e33BtNNbYcLs')
>>> parse(link).installation_key == public_key(private)
True
"""

from typing import NamedTuple

from . import xeddsa
from .messages import IntroBundle
from .primitives import KEY_SIZE, public_key
from .refusal import Refused, require
from .texts import read_base64url, write_base64url

PREFIX = "logos_chatintro_1_"
MAX_LINK = 8192  # LINK-3, in characters


class Bundle(NamedTuple):
    """What a sender learns of a recipient: the long-term key, and a key for one invite."""

    installation_key: bytes
    ephemeral_key: bytes
    signature: bytes


def signed_message(ephemeral_key: bytes) -> bytes:
    """What the installation key signs (INTRO-07): 18 bytes of prefix, 32 of ephemeral key."""
    return PREFIX.encode() + ephemeral_key


def create(identity_private: bytes, ephemeral_key: bytes, z: bytes) -> str:
    """A link (INTRO-01 to INTRO-04) with a signature made with 64 random bytes `z`."""
    signature = xeddsa.sign(identity_private, signed_message(ephemeral_key), z)
    return write(Bundle(public_key(identity_private), ephemeral_key, signature))


def write(bundle: Bundle) -> str:
    """The text of a bundle: 197 characters."""
    fields = zip(("installation_pubkey", "ephemeral_pubkey", "signature"), bundle)
    return PREFIX + write_base64url(IntroBundle.encode(dict(fields)))


def parse(link: str) -> Bundle:
    """Reads a link and checks it: form (INTRO-02, INTRO-03), sizes and signature (INTRO-07)."""
    require(len(link) <= MAX_LINK, "too_large", f"a link has {len(link)} characters, at most {MAX_LINK}")
    parts = link.split("_", 3)
    require(len(parts) == 4 and parts[0] == "logos", "malformed", "a link is logos_<namespace>_<version>_<payload>")
    _, namespace, version, payload = parts
    require(1 <= len(namespace) <= 32 and namespace.isascii() and namespace.isprintable(), "malformed", "namespace")
    is_decimal = version.isascii() and version.isdigit() and len(version) <= 10
    require(is_decimal and str(int(version)) == version, "malformed", "a version is decimal without leading zeros")
    data = read_base64url(payload)
    require(data != b"", "malformed", "a link without payload")
    require((namespace, version) == ("chatintro", "1"), "unsupported", f"namespace {namespace}, version {version}")
    fields = IntroBundle.decode(data)
    bundle = Bundle(*(fields.get(name, b"") for name in ("installation_pubkey", "ephemeral_pubkey", "signature")))
    sizes = tuple(map(len, bundle))
    require(sizes == (KEY_SIZE, KEY_SIZE, xeddsa.SIGNATURE_SIZE), "malformed", f"sizes are {sizes}, not (32, 32, 64)")
    try:
        xeddsa.verify(bundle.installation_key, signed_message(bundle.ephemeral_key), bundle.signature)
    except Refused as refused:
        raise Refused("authentication_failed", f"a forged link: {refused}") from None
    return bundle


def find(text: str) -> Bundle:
    """What discovery by links does with a text that people pasted: white space around it goes (LINK-2)."""
    return parse(text.strip(" \t\r\n"))
