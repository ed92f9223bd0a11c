"""Sealed hops of UDP (Specs/udp-sealed.md): handshake, cookies, packets, names; not their timing.

>>> relay = bytes([0x11] * 32)
>>> client = Client(bytes([1] * 8), public_key(relay), bytes([0x22] * 32))
>>> hello = client.hello(client_parameters(b"\\2", 1 << 21, 1452))
>>> answer, theirs = welcome(relay, hello, bytes([0x33] * 32), refusal(3, 5000))
>>> payload, ours = client.read_welcome(answer)
>>> len(hello), len(answer), ours == theirs, payload.startswith(refusal(3, 5000))
(1200, 1200, True, True)
"""

import hashlib
import hmac
from typing import NamedTuple

from nacl import bindings as sodium
from nacl.exceptions import CryptoError

from .primitives import agree, blake2b, hkdf, open_sealed, public_key, seal
from .refusal import Refused, require
from .texts import read_base64url, write_base64url

VERSION = 2
HELLO, RETRY, WELCOME, RESET, PACKET = 1, 2, 3, 4, 5
SIZE, HEADER, CODE, MASKED, TAG = 1200, 10, 16, 9, 16
NOISE = b"Noise_NK_25519_ChaChaPoly_BLAKE2b"
SCHEME = "relay://"
VERSIONS, WINDOW, LARGEST, ID, TOKEN, LIMITS, REFUSAL = 1, 2, 3, 4, 5, 6, 7


class Keys(NamedTuple):
    """What both sides have after the handshake."""

    to_relay: bytes
    to_client: bytes
    hash: bytes
    root: bytes


class Symmetric:
    """Noise's SymmetricState."""

    def __init__(self, prologue: bytes, relay: bytes):
        self.hash = self.chaining = NOISE.ljust(64, b"\0")
        self.key, self.nonce = b"", 0
        self.mix(prologue)
        self.mix(relay)

    def mix(self, data: bytes) -> None:
        self.hash = hashlib.blake2b(self.hash + data).digest()

    def mix_key(self, secret: bytes) -> None:
        keys = hkdf("blake2b", self.chaining, secret, b"", 128)
        self.chaining, self.key, self.nonce = keys[:64], keys[64:96], 0

    def seal(self, payload: bytes) -> bytes:
        sealed = seal(self.key, nonce(self.nonce), payload, self.hash)
        self.nonce += 1
        self.mix(sealed)
        return sealed

    def open(self, sealed: bytes) -> bytes:
        payload = open_sealed(self.key, nonce(self.nonce), sealed, self.hash)
        self.nonce += 1
        self.mix(sealed)
        return payload

    def split(self) -> Keys:
        keys = hkdf("blake2b", self.chaining, b"", b"", 128)
        root = hkdf("blake2b", self.chaining, b"", b"chat-udp 2 root", 64)
        return Keys(keys[:32], keys[64:96], self.hash, root)


def nonce(number: int) -> bytes:
    """The nonce of a packet: least significant byte first."""
    return bytes(4) + number.to_bytes(8, "little")


def header(kind: int, connection: bytes) -> bytes:
    return bytes([VERSION, kind]) + connection


def prologue(connection: bytes) -> bytes:
    return b"chat-udp" + bytes([VERSION]) + connection


def first_code(data: bytes, relay: bytes) -> bytes:
    return blake2b(CODE, data, key=blake2b(32, b"chat-udp 2 first", relay))


class Client:
    """The client's side: `ephemeral` is a private key for this handshake alone."""

    def __init__(self, connection: bytes, relay: bytes, ephemeral: bytes):
        self.connection, self.relay, self.ephemeral = connection, relay, ephemeral
        self.state = Symmetric(prologue(connection), relay)

    def hello(self, parameters: bytes, cookie: bytes = b"") -> bytes:
        """The HELLO, the same with and without a cookie but for its second code."""
        state = Symmetric(prologue(self.connection), self.relay)
        own = public_key(self.ephemeral)
        state.mix(own)
        state.mix_key(agree(self.ephemeral, self.relay))
        message = own + state.seal(parameters.ljust(SIZE - HEADER - 2 * CODE - 48, b"\0"))
        self.state = state
        data = header(HELLO, self.connection) + message
        data += first_code(data, self.relay)
        return data + (blake2b(CODE, data, key=cookie) if cookie else bytes(CODE))

    def read_welcome(self, data: bytes) -> tuple[bytes, Keys]:
        require(len(data) == SIZE and data[:2] == bytes([VERSION, WELCOME]), "malformed", "no WELCOME")
        require(data[2:HEADER] == self.connection, "foreign", "a WELCOME of another connection")
        state = Symmetric.__new__(Symmetric)
        state.__dict__.update(self.state.__dict__)
        remote = data[HEADER:HEADER + 32]
        state.mix(remote)
        state.mix_key(agree(self.ephemeral, remote))
        return state.open(data[HEADER + 32:]), state.split()


def read_hello(private: bytes, data: bytes) -> tuple[bytes, Symmetric]:
    """The client's parameters, and the state for the answer; refuses before it computes where the first code does not fit."""
    require(len(data) == SIZE and data[:2] == bytes([VERSION, HELLO]), "malformed", "no HELLO")
    own, end = public_key(private), SIZE - 2 * CODE
    require(hmac.compare_digest(first_code(data[:end], own), data[end:end + CODE]), "authentication_failed", "first code")
    state = Symmetric(prologue(data[2:HEADER]), own)
    remote = data[HEADER:HEADER + 32]
    state.mix(remote)
    state.mix_key(agree(private, remote))
    return state.open(data[HEADER + 32:end]), state


def welcome(private: bytes, hello: bytes, ephemeral: bytes, parameters: bytes) -> tuple[bytes, Keys]:
    """The relay's answer to a HELLO."""
    _, state = read_hello(private, hello)
    own = public_key(ephemeral)
    state.mix(own)
    state.mix_key(agree(ephemeral, hello[HEADER:HEADER + 32]))
    message = own + state.seal(parameters.ljust(SIZE - HEADER - 48, b"\0"))
    return header(WELCOME, hello[2:HEADER]) + message, state.split()


def is_proven(hello: bytes, cookie: bytes) -> bool:
    """Whether a HELLO has a good second code."""
    return hmac.compare_digest(blake2b(CODE, hello[:-CODE], key=cookie), hello[-CODE:])


def retry(hello: bytes, relay: bytes, cookie: bytes, drawn: bytes) -> bytes:
    """A RETRY; `drawn` are 24 random bytes."""
    key, code = blake2b(32, b"chat-udp 2 retry", relay), hello[-2 * CODE:-CODE]
    sealed = sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(cookie, code, drawn, key)
    return header(RETRY, hello[2:HEADER]) + drawn + sealed


def read_retry(data: bytes, hello: bytes, relay: bytes) -> bytes:
    """The cookie in an answer to one's own HELLO."""
    require(len(data) == HEADER + 24 + 32 and data[:HEADER] == header(RETRY, hello[2:HEADER]), "malformed", "no RETRY")
    key, code = blake2b(32, b"chat-udp 2 retry", relay), hello[-2 * CODE:-CODE]
    try:
        return sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(data[HEADER + 24:], code, data[HEADER:HEADER + 24], key)
    except CryptoError:
        raise Refused("authentication_failed", "the cookie of another HELLO") from None


def parameter(kind: int, value: bytes) -> bytes:
    return kind.to_bytes(2) + len(value).to_bytes(2) + value


def client_parameters(versions: bytes, window: int, largest: int) -> bytes:
    return (parameter(VERSIONS, versions) + parameter(WINDOW, window.to_bytes(4))
            + parameter(LARGEST, largest.to_bytes(2)))


def refusal(limit: int, milliseconds: int) -> bytes:
    return parameter(REFUSAL, bytes([limit]) + milliseconds.to_bytes(4))


def read_parameters(data: bytes) -> dict[int, bytes]:
    """UDP2-6: types and values.

    >>> read_parameters(refusal(3, 5000) + bytes(9))
    {7: b'\\x03\\x00\\x00\\x13\\x88'}
    """
    values: dict[int, bytes] = {}
    while len(data) >= 2:
        kind, data = int.from_bytes(data[:2]), data[2:]
        if kind == 0:
            break
        require(len(data) >= 2, "malformed", "a parameter without a length")
        count = int.from_bytes(data[:2])
        require(len(data) >= 2 + count, "malformed", "a parameter that is longer than the list")
        require(kind not in values, "malformed", f"type {kind} twice")
        values[kind], data = data[2:2 + count], data[2 + count:]
    require(not any(data), "malformed", "something behind the end")
    return values


def mask_key(root: bytes, direction: str) -> bytes:
    """HKDF-Expand alone: the first block has 64 bytes."""
    return hmac.digest(root, b"chat-udp 2 mask " + direction.encode() + b"\1", "blake2b")[:32]


def next_key(key: bytes, shared: bytes) -> bytes:
    return hkdf("blake2b", key, shared, b"chat-udp 2 key", 32)


def mask(key: bytes, sealed: bytes) -> bytes:
    """ChaCha20's key stream from counter 1 on, which the cipher adds to zeros."""
    return seal(key, sealed[:12], bytes(MASKED), b"")[:MASKED]


def packet(key: bytes, masking: bytes, connection: bytes, generation: int, number: int, frames: bytes) -> bytes:
    """A PACKET."""
    hidden = bytes([generation & 1]) + number.to_bytes(8)
    sealed = seal(key, nonce(number), frames, header(PACKET, connection) + hidden)
    shown = bytes(a ^ b for a, b in zip(hidden, mask(masking, sealed)))
    return header(PACKET, connection) + shown + sealed


def read_packet(keys: dict[int, bytes], masking: bytes, data: bytes) -> tuple[int, bytes]:
    """Number and frames; `keys` by the bit of their generation."""
    require(len(data) >= HEADER + MASKED + TAG and data[:2] == bytes([VERSION, PACKET]), "malformed", "no PACKET")
    sealed = data[HEADER + MASKED:]
    hidden = bytes(a ^ b for a, b in zip(data[HEADER:], mask(masking, sealed)))[:MASKED]
    require(hidden[0] in keys, "malformed", f"flags {hidden[0]}")
    number = int.from_bytes(hidden[1:])
    return number, open_sealed(keys[hidden[0]], nonce(number), sealed, data[:HEADER] + hidden)


def key_after(key: bytes, exchanges: list[bytes]) -> bytes:
    """The key of a direction after some exchanges."""
    for shared in exchanges:
        key = next_key(key, shared)
    return key


def reset_token(connection: bytes, private: bytes) -> bytes:
    """UDP2-14: what proves a RESET."""
    return blake2b(16, connection, key=blake2b(32, b"chat-udp 2 reset", key=private))


def write_name(place: str, key: bytes) -> str:
    return f"{SCHEME}{place}/#{write_base64url(key)}"


def read_name(text: str) -> tuple[str, bytes]:
    """UDP2-2: the place and the key of a relay.

    >>> read_name(write_name("relay.example:9220", bytes(32))) == ("relay.example:9220", bytes(32))
    True
    """
    place, separator, key = text.removeprefix(SCHEME).partition("/#")
    require(text.startswith(SCHEME) and bool(separator), "malformed", "no name of a sealed relay")
    data = read_base64url(key)
    require(len(data) == 32, "malformed", f"a key has {len(data)} bytes, expected 32")
    return place, data
