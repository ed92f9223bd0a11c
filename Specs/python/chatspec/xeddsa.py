"""XEdDSA: Ed25519 signatures made and checked with X25519 keys ("The XEdDSA and VXEdDSA Signature Schemes").

>>> private = bytes.fromhex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb")
>>> signature = sign(private, b"hello", bytes(range(64)))
>>> verify(primitives.public_key(private), b"hello", signature)
>>> verify(primitives.public_key(private), b"hallo", signature)
Traceback (most recent call last):
chatspec.refusal.Refused: authentication_failed: the signature does not fit
"""

import hashlib

from nacl import bindings as sodium
from nacl.exceptions import CryptoError

from . import primitives
from .primitives import FIELD_PRIME
from .refusal import Refused, require

GROUP_ORDER = 2**252 + 27742317777372353535851937790883648493
SIGNATURE_SIZE, Z_SIZE = 64, 64


def sign(private: bytes, message: bytes, z: bytes, unreduced: bool = False) -> bytes:
    """Section 3.3, with 64 random bytes `z`. Two signers may differ, and a verifier cannot tell them apart:
    the paper hashes the private scalar modulo the group order, libxeddsa hashes the clamped key as it is
    when it needs no negation (`unreduced`)."""
    scalar = clamp(private)
    edwards = base_point_times(scalar)
    if edwards[31] & 0x80:
        scalar, unreduced = -scalar % GROUP_ORDER, False
    key = bytes([*edwards[:31], edwards[31] & 0x7F])
    hashed = scalar if unreduced else scalar % GROUP_ORDER
    r = hash_to_scalar(b"\xfe" + b"\xff" * 31, hashed.to_bytes(32, "little"), message, z)
    point = base_point_times(r)
    s = (r + hash_to_scalar(point, key, message) * scalar) % GROUP_ORDER
    return point + s.to_bytes(32, "little")


def verify(public: bytes, message: bytes, signature: bytes) -> None:
    """Section 3.3, with the checks of libsodium's Ed25519: canonical s, no points of small order (CRY-3)."""
    require(len(signature) == SIGNATURE_SIZE, "malformed", f"a signature has {len(signature)} bytes, expected 64")
    key = edwards_key(public)
    try:
        sodium.crypto_sign_open(signature + message, key)
    except CryptoError:
        raise Refused("authentication_failed", "the signature does not fit") from None


def edwards_key(public: bytes) -> bytes:
    """Section 2.3: y = (u - 1) / (u + 1), with sign bit 0. u = -1 has no image, and u must be canonical (CRY-2)."""
    require(len(public) == primitives.KEY_SIZE, "malformed", f"a public key has {len(public)} bytes, expected 32")
    u = int.from_bytes(public, "little")
    require(u < FIELD_PRIME - 1, "weak_key", "the public key has no Edwards form")
    y = (u - 1) * pow(u + 1, -1, FIELD_PRIME) % FIELD_PRIME
    return y.to_bytes(32, "little")


def clamp(private: bytes) -> int:
    """The scalar of an X25519 private key (RFC 7748, section 5)."""
    return int.from_bytes(private, "little") & 2**255 - 8 | 1 << 254


def base_point_times(scalar: int) -> bytes:
    """A multiple of the Ed25519 base point, compressed."""
    return sodium.crypto_scalarmult_ed25519_base_noclamp(scalar.to_bytes(32, "little"))


def hash_to_scalar(*parts: bytes) -> int:
    """SHA-512, read as a little-endian number modulo the group order."""
    return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little") % GROUP_ORDER
