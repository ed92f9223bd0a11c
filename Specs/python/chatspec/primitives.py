"""The primitives that the formats are made of, by name and parameters of their standards.

Curve, cipher and signature check come from libsodium (through PyNaCl), hashes from the standard
library; Keccak-256 is in neither.
"""

import hashlib
import hmac

from nacl import bindings as sodium
from nacl.exceptions import CryptoError

from .refusal import Refused, require

KEY_SIZE, NONCE_SIZE, TAG_SIZE = 32, 12, 16


def public_key(private: bytes) -> bytes:
    """X25519 with the base point (RFC 7748, section 6.1). A private key is clamped when it is used.

    >>> public_key(bytes.fromhex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb")).hex()
    'de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f'
    """
    return sodium.crypto_scalarmult_base(private)


FIELD_PRIME = 2**255 - 19


def check_spelling(*keys: bytes) -> None:
    """CRY-8: a key that names somebody has one spelling, below 2^255 - 19 and with bit 255 clear.

    >>> check_spelling(bytes(32))
    """
    for key in keys:
        require(len(key) == KEY_SIZE, "malformed", f"a public key has {len(key)} bytes, expected {KEY_SIZE}")
        require(int.from_bytes(key, "little") < FIELD_PRIME, "weak_key", "another spelling of a public key")


def agree(private: bytes, public: bytes) -> bytes:
    """X25519 (RFC 7748, section 6.1). A result of zeros, which a key of small order forces, is refused."""
    require(len(public) == KEY_SIZE, "malformed", f"a public key has {len(public)} bytes, expected {KEY_SIZE}")
    try:
        return sodium.crypto_scalarmult(private, public)
    except CryptoError:
        raise Refused("weak_key", "the shared secret is all zeros") from None


def blake2b(count: int, *parts: bytes, key: bytes = b"", personal: bytes = b"") -> bytes:
    """BLAKE2b (RFC 7693) with `count` as digest length parameter; salt and personalization as in its paper.

    >>> blake2b(16, b"abc").hex()
    'cf4ab791c62b8d2b2109c90275287816'
    """
    return hashlib.blake2b(b"".join(parts), digest_size=count, key=key, person=personal).digest()


def hkdf(hash_name: str, salt: bytes, secret: bytes, info: bytes, count: int) -> bytes:
    """HKDF (RFC 5869) over HMAC with any hash; for "blake2b" the hash has 64 bytes and blocks of 128."""
    pseudorandom_key = hmac.digest(salt, secret, hash_name)
    output, block, counter = b"", b"", 1
    while len(output) < count:
        block = hmac.digest(pseudorandom_key, block + info + bytes([counter]), hash_name)
        output, counter = output + block, counter + 1
    return output[:count]


def seal(key: bytes, nonce: bytes, plaintext: bytes, associated: bytes) -> bytes:
    """ChaCha20-Poly1305 of RFC 8439: the ciphertext with its tag behind it."""
    return sodium.crypto_aead_chacha20poly1305_ietf_encrypt(plaintext, associated, nonce, key)


def open_sealed(key: bytes, nonce: bytes, ciphertext: bytes, associated: bytes) -> bytes:
    """The reverse of `seal`; refuses what was changed."""
    require(len(ciphertext) >= TAG_SIZE, "malformed", f"a ciphertext has {len(ciphertext)} bytes, at least {TAG_SIZE}")
    try:
        return sodium.crypto_aead_chacha20poly1305_ietf_decrypt(ciphertext, associated, nonce, key)
    except CryptoError:
        raise Refused("authentication_failed", "the tag of a ciphertext does not fit") from None


def keccak256(data: bytes) -> bytes:
    """Keccak-256 with its original padding 01, which SHA3-256 changed to 06.

    >>> keccak256(b"hello").hex()
    '1c8aff950685c2ed4bc3174f3472287b56d9517b9c948127319a09a7a36deac8'
    """
    return Keccak256().update(data).digest()


class Keccak256:
    """The hash of bytes that come in parts; a copy goes its own way."""

    RATE = 136

    def __init__(self) -> None:
        self.lanes, self.buffer = [0] * 25, b""

    def copy(self) -> "Keccak256":
        other = Keccak256()
        other.lanes, other.buffer = list(self.lanes), self.buffer
        return other

    def update(self, data: bytes) -> "Keccak256":
        data, start = self.buffer + data, 0
        while len(data) - start >= self.RATE:
            for i in range(self.RATE // 8):
                self.lanes[i] ^= int.from_bytes(data[start + 8 * i : start + 8 * i + 8], "little")
            keccak_f(self.lanes)
            start += self.RATE
        self.buffer = data[start:]
        return self

    def digest(self) -> bytes:
        padding = bytearray(self.RATE - len(self.buffer))
        padding[0] |= 0x01
        padding[-1] |= 0x80
        lanes = self.copy().update(bytes(padding)).lanes
        return b"".join(lane.to_bytes(8, "little") for lane in lanes[:4])


def keccak_tables() -> tuple[list[int], list[tuple[int, int, int]]]:
    """Constants of the 24 rounds, and for each lane where it goes and by how much it is rotated (FIPS 202)."""
    constants, register = [], 1
    for _ in range(24):
        constants.append(0)
        for j in range(7):
            constants[-1] |= (register & 1) << (1 << j) - 1
            register = register << 1 ^ (register >> 7) * 0x171
    moves, x, y = [(0, 0, 0)], 1, 0
    for t in range(24):
        source, x, y = x + 5 * y, y, (2 * x + 3 * y) % 5
        moves.append((source, x + 5 * y, (t + 1) * (t + 2) // 2 % 64))
    return constants, moves


ROUND_CONSTANTS, MOVES = keccak_tables()
MASK = 2**64 - 1


def keccak_f(lanes: list[int]) -> None:
    """The permutation Keccak-f[1600] (FIPS 202, section 3.3); lane (x, y) stands at x + 5y."""
    moved = [0] * 25
    for constant in ROUND_CONSTANTS:
        sums = [lanes[x] ^ lanes[x + 5] ^ lanes[x + 10] ^ lanes[x + 15] ^ lanes[x + 20] for x in range(5)]  # theta
        mixed = [sums[x - 1] ^ (sums[x - 4] << 1 & MASK | sums[x - 4] >> 63) for x in range(5)]
        for source, target, count in MOVES:  # rho and pi
            lane = lanes[source] ^ mixed[source % 5]
            moved[target] = (lane << count | lane >> 64 - count) & MASK
        for y in range(0, 25, 5):  # chi
            a, b, c, d, e = moved[y : y + 5]
            lanes[y : y + 5] = a ^ ~b & c, b ^ ~c & d, c ^ ~d & e, d ^ ~e & a, e ^ ~a & b
        lanes[0] ^= constant  # iota
