"""MESSAGE-SEGMENTATION without parity: a payload becomes segments, and segments a payload again.

>>> segments = split(b"0123456789", 4)
>>> reassembler = Reassembler()
>>> [reassembler.receive(segment) for segment in reversed(segments)]
[None, None, b'0123456789']
"""

from collections import OrderedDict

from .messages import SegmentMessageProto
from .primitives import keccak256
from .refusal import require

MAX_SEGMENTS = 255  # SEG-07: the total stays below 256
HASH_SIZE = 32
MAX_SETS = 32  # SEG-12: incomplete payloads of one sender
MAX_BUFFERED = 32 * 2**20  # SEG-12: bytes of them; the oldest payload goes first
MAX_COMPLETED = 1024  # hashes that late duplicates are compared with (SEG-10)


def split(payload: bytes, segment_size: int) -> list[bytes]:
    """SEG-01 to SEG-04: even a payload that fits, and an empty one, becomes a segment.

    >>> split(b"hello", 64)[0].hex()
    '0a201c8aff950685c2ed4bc3174f3472287b56d9517b9c948127319a09a7a36deac81801220568656c6c6f'
    """
    if segment_size < 1:
        raise ValueError("a segment has at least one byte")
    count = max(1, -(-len(payload) // segment_size))
    require(count <= MAX_SEGMENTS, "too_large", f"{count} segments, at most {MAX_SEGMENTS}")
    digest = keccak256(payload)
    return [
        SegmentMessageProto.encode({
            "entire_message_hash": digest, "data_segment_index": index, "data_segment_count": count,
            "payload": payload[index * segment_size : (index + 1) * segment_size],
        })
        for index in range(count)
    ]


def read_segment(data: bytes) -> dict:
    """SEG-07: what is permitted, and nothing else. Without the code for parity, parity is unsupported."""
    segment = {field.name: 0 for field in SegmentMessageProto.fields}
    segment |= {"entire_message_hash": b"", "payload": b"", "is_parity": False} | SegmentMessageProto.decode(data)
    digest, count, parity_count = (
        segment[name] for name in ("entire_message_hash", "data_segment_count", "parity_segment_count")
    )
    require(len(digest) == HASH_SIZE, "malformed", f"a hash has {len(digest)} bytes, expected {HASH_SIZE}")
    require(count >= 1, "malformed", "no data segments")
    require(count + parity_count <= MAX_SEGMENTS, "malformed", f"{count + parity_count} segments")
    if segment["is_parity"]:
        index = segment["parity_segment_index"]
        require(index < parity_count, "malformed", f"parity index {index} of {parity_count}")
        require(segment["data_segment_index"] == 0, "malformed", "a parity segment with a data index")
        require(False, "unsupported", "parity segments")
    index = segment["data_segment_index"]
    require(index < count, "malformed", f"index {index} of {count}")
    require(segment["parity_segment_index"] == 0, "malformed", "a data segment with a parity index")
    return segment


class Reassembler:
    """Puts the segments of one sender together, within bounds."""

    def __init__(self) -> None:
        self.incomplete: OrderedDict[bytes, tuple[int, int, dict[int, bytes]]] = OrderedDict()
        self.completed: OrderedDict[bytes, None] = OrderedDict()

    def receive(self, data: bytes) -> bytes | None:
        """The payload that a segment completes, or nothing yet (SEG-08, SEG-09). Refusals change nothing, but
        segments that together do not have their hash are dropped together."""
        segment = read_segment(data)
        digest, index = segment["entire_message_hash"], segment["data_segment_index"]
        counts = segment["data_segment_count"], segment["parity_segment_count"]
        if digest in self.completed:
            return None  # SEG-10
        known = self.incomplete.get(digest)
        require(known is None or known[:2] == counts, "malformed", "segments of one payload differ in their count")
        parts = known[2] if known else {}
        require(parts.get(index, segment["payload"]) == segment["payload"], "malformed", f"two segments {index}")
        if len(parts | {index: b""}) < counts[0]:
            self.incomplete[digest] = *counts, parts | {index: segment["payload"]}
            self._evict()
            return None
        payload = b"".join((parts | {index: segment["payload"]})[i] for i in range(counts[0]))
        self.incomplete.pop(digest, None)
        require(keccak256(payload) == digest, "authentication_failed", "a payload does not have its hash")
        self.completed[digest] = None
        while len(self.completed) > MAX_COMPLETED:
            self.completed.popitem(last=False)
        return payload

    def _evict(self) -> None:
        def buffered() -> int:
            return sum(len(part) for _, _, parts in self.incomplete.values() for part in parts.values())

        while len(self.incomplete) > MAX_SETS or buffered() > MAX_BUFFERED:
            self.incomplete.popitem(last=False)
