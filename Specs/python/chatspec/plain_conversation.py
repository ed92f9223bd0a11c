"""PlainConversation (Specs/plain-conversation.md): numbers and content, no cryptography.

>>> secret = bytes.fromhex("5ba426a048966c72f33b45b21f6c0f5d224860ea7bc59f094eb1066c3dfd2916")
>>> address(secret)
'8dedecd96e235a7e'
>>> write(0, b"hello").hex()
'0101000000000000000068656c6c6f'
>>> raya = Receiver()
>>> [raya.receive(write(number, b"")) for number in (0, 2, 1)]
[b'', b'', b'']
"""

from .inbox import ConversationIds, conversation_ids
from .primitives import blake2b
from .refusal import require

VERSION, CONTENT = 1, 1
HEADER_SIZE = 10
MAX_RANGES = 2000  # ranges of missing numbers that are remembered; the lowest are given up
LIMIT = 2**63  # numbers lie below it


def ids(secret: bytes) -> ConversationIds:
    """Base id and the ids of both roles, 16 bytes each; a payload's route is that of its recipient.

    >>> ids(bytes.fromhex("5ba426a048966c72f33b45b21f6c0f5d224860ea7bc59f094eb1066c3dfd2916")).initiator
    '36d232c82a91d36375cfef8436934266'
    """
    return conversation_ids(secret, size=16)


def address(secret: bytes) -> str:
    """The delivery address of both directions."""
    return blake2b(8, b"plain|addr|", ids(secret).base).hex()


def write(number: int, content: bytes) -> bytes:
    """A payload; each side counts its own from 0, the opening included."""
    return bytes([VERSION, CONTENT]) + number.to_bytes(8, "big") + content


class Receiver:
    """One direction of a conversation, as its recipient sees it."""

    def __init__(self) -> None:
        self.next = 0
        self.missing: list[range] = []  # ascending, none empty

    def receive(self, data: bytes) -> bytes:
        """The content of a payload, once. A refused payload changes nothing."""
        require(len(data) >= HEADER_SIZE, "malformed", f"{len(data)} bytes, at least {HEADER_SIZE}")
        version, kind, number = data[0], data[1], int.from_bytes(data[2:HEADER_SIZE], "big")
        require((version, kind) == (VERSION, CONTENT), "unsupported", f"version {version}, kind {kind}")
        require(number < LIMIT, "invalid_header", f"number {number}")
        if number >= self.next:
            parts, place = [range(self.next, number)], len(self.missing)
            self.next = number + 1
        else:
            place = next((place for place, gap in enumerate(self.missing) if number in gap), None)
            require(place is not None, "replay", f"number {number} was received, or given up")
            gap = self.missing.pop(place)
            parts = [range(gap.start, number), range(number + 1, gap.stop)]
        self.missing[place:place] = [part for part in parts if part]
        del self.missing[:-MAX_RANGES]
        return data[HEADER_SIZE:]
