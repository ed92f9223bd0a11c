"""The double ratchet of PRIVATE1 with the constants of either profile (Specs/double-ratchet.md).

>>> seed, prekey = bytes([7] * 32), bytes([0x33] * 32)
>>> saro = Ratchet.initiator(LIBCHAT, seed, own_private=bytes([0x55] * 32), remote=public_key(prekey))
>>> raya = Ratchet.responder(LIBCHAT, seed, own_private=prekey)
>>> messages = [saro.encrypt(text, nonce=bytes([n] * 12)) for n, text in enumerate([b"one", b"two"])]
>>> raya.decrypt(messages[1]), raya.decrypt(messages[0])
(b'two', b'one')
>>> raya.decrypt(messages[0])
Traceback (most recent call last):
chatspec.refusal.Refused: replay: message 0 of the current chain was received before
"""

from dataclasses import dataclass, field, replace
from typing import Callable, NamedTuple

from .primitives import KEY_SIZE, NONCE_SIZE, TAG_SIZE, agree, blake2b, hkdf, open_sealed, public_key, seal
from .refusal import require

MAX_COUNTER = 2**32 - 1  # message numbers are uint32 on the wire
MAX_STORED_KEYS = 2000  # DR-8: keys of missing messages kept at once; the oldest go first
MAX_REPLACED = 16  # DR-9: earlier remote keys, to tell a repeat from a turn


class Suite(NamedTuple):
    """Where profiles differ: infos of root and message key derivation, and how many messages may be skipped."""

    root_info: bytes
    message_key_info: bytes | None
    max_skip: int
    max_ahead: int | None = None  # None: no gap may be longer than the keys that are kept


LIBCHAT = Suite(b"DoubleRatchetRootKey", None, 10)
REFERENCE = Suite(b"PrivateV1RootKey", b"PrivateV1MessageKey", 1000, 2**18)


class Message(NamedTuple):
    """What goes over the wire; `ciphertext` is nonce, ciphertext and tag."""

    dh: bytes
    number: int
    previous_chain_length: int
    ciphertext: bytes

    def header(self) -> bytes:
        """The associated data: 40 bytes, integers big-endian."""
        return self.dh + self.number.to_bytes(4, "big") + self.previous_chain_length.to_bytes(4, "big")


def kdf_root(root_key: bytes, dh: bytes, info: bytes) -> tuple[bytes, bytes]:
    """KDF_RK: HKDF-BLAKE2b-512; the next root key and a chain key.

    >>> [key.hex()[:16] for key in kdf_root(bytes([0x11] * 32), bytes([0x22] * 32), b"DoubleRatchetRootKey")]
    ['fc9578d127d1febb', 'b3b2f4b091903790']
    """
    keys = hkdf("blake2b", root_key, dh, info, 64)
    return keys[:32], keys[32:]


def kdf_chain(chain_key: bytes) -> tuple[bytes, bytes]:
    """KDF_CK: keyed BLAKE2b over nothing; the next chain key and a message key.

    >>> [key.hex()[:16] for key in kdf_chain(bytes([0xFF] * 32))]
    ['96f5434af30901f4', 'da847bbfc87a352d']
    """
    return blake2b(32, key=chain_key, personal=b"ck"), blake2b(32, key=chain_key, personal=b"mk")


def kdf_message(message_key: bytes, info: bytes | None) -> bytes:
    """KDF_MK: HKDF-SHA256 without salt. Profile libchat has no such step."""
    return message_key if info is None else hkdf("sha256", bytes(32), message_key, info, 32)


@dataclass
class Ratchet:
    """One side's state."""

    suite: Suite
    root_key: bytes
    own_private: bytes
    remote: bytes | None = None
    sending_chain: bytes | None = None
    receiving_chain: bytes | None = None
    sent: int = 0
    received: int = 0
    previous_chain_length: int = 0
    skipped: dict[tuple[bytes, int], bytes] = field(default_factory=dict)
    replaced: list[bytes] = field(default_factory=list)

    @classmethod
    def initiator(cls, suite: Suite, seed: bytes, own_private: bytes, remote: bytes) -> "Ratchet":
        """Saro: a fresh key pair against the ephemeral key of Raya's bundle."""
        root_key, chain_key = kdf_root(seed, agree(own_private, remote), suite.root_info)
        return cls(suite, root_key, own_private, remote, sending_chain=chain_key)

    @classmethod
    def responder(cls, suite: Suite, seed: bytes, own_private: bytes) -> "Ratchet":
        """Raya: the seed is the root key, and the ephemeral key of the bundle the first ratchet key."""
        return cls(suite, seed, own_private)

    def copy(self) -> "Ratchet":
        """A state of its own, to try something on."""
        return replace(self, skipped=dict(self.skipped), replaced=list(self.replaced))

    def encrypt(self, plaintext: bytes, nonce: bytes | Callable[[], bytes],
                fresh_private: Callable[[], bytes] = lambda: b"") -> Message:
        """Encrypts under the next message key. `fresh_private` is called for the first message after a turn; a nonce
        that is given as a function is drawn after it (PVL-4)."""
        trial = self.copy()
        if trial.sending_chain is None:
            require(trial.remote is not None, "invalid_state", "nothing was received yet")  # DR-10
            trial.own_private = fresh_private()
            shared = agree(trial.own_private, trial.remote)
            trial.root_key, trial.sending_chain = kdf_root(trial.root_key, shared, trial.suite.root_info)
            trial.previous_chain_length, trial.sent = trial.sent, 0
        require(trial.sent < MAX_COUNTER, "invalid_state", "the chain has no message numbers left")  # DR-6
        nonce = nonce() if callable(nonce) else nonce
        trial.sending_chain, key = kdf_chain(trial.sending_chain)
        message = Message(public_key(trial.own_private), trial.sent, trial.previous_chain_length, b"")
        key = kdf_message(key, trial.suite.message_key_info)
        message = message._replace(ciphertext=nonce + seal(key, nonce, plaintext, message.header()))
        trial.sent += 1
        self.__dict__.update(trial.__dict__)
        return message

    def decrypt(self, message: Message) -> bytes:
        """Decrypts, or refuses and stays as it was (DR-3): all work is done on a copy."""
        require(len(message.dh) == KEY_SIZE, "invalid_header", f"dh has {len(message.dh)} bytes, expected {KEY_SIZE}")
        require(len(message.ciphertext) >= NONCE_SIZE + TAG_SIZE, "malformed",
                f"ciphertext has {len(message.ciphertext)} bytes, at least {NONCE_SIZE + TAG_SIZE}")
        trial = self.copy()
        key = kdf_message(trial._take_message_key(message), trial.suite.message_key_info)
        nonce, sealed = message.ciphertext[:NONCE_SIZE], message.ciphertext[NONCE_SIZE:]
        plaintext = open_sealed(key, nonce, sealed, message.header())
        self.__dict__.update(trial.__dict__)
        return plaintext

    def _take_message_key(self, message: Message) -> bytes:
        key = self.skipped.pop((message.dh, message.number), None)
        if key is not None:
            return key
        require(message.dh not in self.replaced, "replay", "a message of a chain that was replaced")  # DR-9
        if message.dh == self.remote:  # DR-1
            require(self.receiving_chain is not None, "invalid_header", "a key that has not sent anything")
            require(message.number >= self.received, "replay",
                    f"message {message.number} of the current chain was received before")
        else:  # DR-2
            self._skip_until(message.previous_chain_length, has_ended=True)
            shared = agree(self.own_private, message.dh)
            self.root_key, self.receiving_chain = kdf_root(self.root_key, shared, self.suite.root_info)
            if self.remote is not None:
                self.replaced = [*self.replaced, self.remote][-MAX_REPLACED:]
            self.sending_chain, self.remote, self.received = None, message.dh, 0
        self._skip_until(message.number)
        self.receiving_chain, key = kdf_chain(self.receiving_chain)
        self.received += 1
        return key

    def _skip_until(self, number: int, has_ended: bool = False) -> None:
        """Keeps the keys of the last `max_skip` messages that did not arrive yet (DR-7)."""
        most = self.suite.max_ahead or self.suite.max_skip
        require(number <= self.received + most or (has_ended and self.suite.max_ahead is not None),
                "too_many_skipped", f"{number - self.received} messages skipped, at most {most}")
        require(self.receiving_chain is not None or number <= self.received, "invalid_header",
                f"{number} messages of a chain that does not exist")
        if number > self.received + most:  # of a chain that has ended, nothing is needed any more
            return
        while self.received < number:
            self.receiving_chain, key = kdf_chain(self.receiving_chain)
            if number - self.received <= self.suite.max_skip:
                self.skipped[self.remote, self.received] = key
            self.received += 1
        while len(self.skipped) > MAX_STORED_KEYS:
            del self.skipped[next(iter(self.skipped))]

    def state(self) -> bytes:
        """The state in the byte form of the existing implementation, version 1, which has no replaced keys."""
        def maybe(value: bytes | None) -> bytes:
            return b"\x00" if value is None else b"\x01" + value

        counters = (self.sent, self.received, self.previous_chain_length, len(self.skipped))
        return b"".join([
            b"\x01", self.root_key, maybe(self.sending_chain), maybe(self.receiving_chain),
            self.own_private, maybe(self.remote), *(counter.to_bytes(4, "big") for counter in counters),
            *(dh + number.to_bytes(4, "big") + key for (dh, number), key in self.skipped.items()),
        ])

    @classmethod
    def from_state(cls, suite: Suite, data: bytes) -> "Ratchet":
        """Reads what `state` wrote; refuses everything else."""
        at = 0

        def take(count: int) -> bytes:
            nonlocal at
            require(len(data) - at >= count, "malformed", f"a ratchet state ends at byte {len(data)}")
            at += count
            return data[at - count : at]

        def maybe() -> bytes | None:
            mark = take(1)
            require(mark in (b"\x00", b"\x01"), "malformed", f"a ratchet state has mark {mark.hex()} at byte {at - 1}")
            return take(KEY_SIZE) if mark == b"\x01" else None

        version = take(1)[0]
        require(version == 1, "unsupported", f"a ratchet state of version {version}")
        root_key, sending, receiving, own, remote = take(KEY_SIZE), maybe(), maybe(), take(KEY_SIZE), maybe()
        sent, received, previous, count = (int.from_bytes(take(4), "big") for _ in range(4))
        skipped = {}
        for _ in range(count):
            dh, number = take(KEY_SIZE), int.from_bytes(take(4), "big")
            skipped[dh, number] = take(KEY_SIZE)
        require(at == len(data) and len(skipped) == count, "malformed", "a ratchet state is too long or repeats a key")
        return cls(suite, root_key, own, remote, sending, receiving, sent, received, previous, skipped)
