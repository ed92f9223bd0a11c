"""Segmentation (Specs/segmentation.md): a payload becomes segments, and enough of them a payload again.

>>> segments = split(b"0123456789", 4)
>>> reassembler = Reassembler()
>>> [reassembler.receive(segment) for segment in reversed(segments)]
[None, None, b'0123456789']
>>> segments = split(bytes(100) + b"0123456789", 64, parity_millionths=500_000)  # two, and one of parity
>>> [payload and payload[-10:] for payload in map(reassembler.receive, segments[::2])]
[None, b'0123456789']
"""

from collections import OrderedDict
from dataclasses import dataclass, field

from . import parity
from .messages import SegmentMessageProto
from .primitives import Keccak256, keccak256
from .proto3 import LENGTH_DELIMITED, VARINT, read_fields
from .refusal import require

MAX_SEGMENTS = 255  # SEG-R1
HASH_SIZE = 32
MAX_PARITY = 153_600  # SEG-R3, bytes of a parity segment
MAX_SETS = 32  # SEG-12: incomplete payloads of one sender
MAX_BUFFERED, SEGMENT_COST = 32 * 2**20, 64  # bytes of them, with so many for each segment; the oldest payload goes
MAX_COMPLETED = 4096  # hashes that late repetitions are compared with (SEG-10)


def split(payload: bytes, segment_size: int, parity_millionths: int = 0) -> list[bytes]:
    """SEG-01 to SEG-06: even a payload that fits, and an empty one, becomes a segment.

    >>> split(b"hello", 64)[0].hex()
    '0a201c8aff950685c2ed4bc3174f3472287b56d9517b9c948127319a09a7a36deac81801220568656c6c6f'
    """
    if segment_size < 1:
        raise ValueError("a segment has at least one byte")
    count = max(1, -(-len(payload) // segment_size))
    parity_count = min(count, -(-count * parity_millionths // 1_000_000))
    require(count + parity_count <= MAX_SEGMENTS, "too_large", f"{count} + {parity_count} segments")
    pieces = [payload[index * segment_size : (index + 1) * segment_size] for index in range(count)]
    counts = {"data_segment_count": count, "parity_segment_count": parity_count}
    common = {"entire_message_hash": keccak256(payload), **counts}
    segments = [common | {"data_segment_index": index, "payload": piece} for index, piece in enumerate(pieces)]
    if parity_count:
        shards = parity.encode([piece.ljust(segment_size, b"\0") for piece in pieces], parity_count)
        segments += [
            common | {"parity_segment_index": index, "is_parity": True, "payload": shard}
            for index, shard in enumerate(shards)
        ]
    return list(map(SegmentMessageProto.encode, segments))


@dataclass(frozen=True)
class Segment:
    """A segment that keeps to SEG-07. Its index counts among data or among parity."""

    digest: bytes
    counts: tuple[int, int]
    is_parity: bool
    index: int
    payload: bytes


def read_segment(data: bytes) -> Segment:
    """SEG-R6, then SEG-07 and what SEG-R3 says of one segment."""
    later = [(number, kind) in ((4, VARINT), (7, LENGTH_DELIMITED)) for number, kind, _ in read_fields(data, "segment")]
    require(not any(later), "unsupported", "the later message of nim-segmentation")
    fields = SegmentMessageProto.decode(data)
    digest, payload, is_parity = (
        fields.get(name, default)
        for name, default in (("entire_message_hash", b""), ("payload", b""), ("is_parity", False))
    )
    count, parity_count = fields.get("data_segment_count", 0), fields.get("parity_segment_count", 0)
    require(len(digest) == HASH_SIZE, "malformed", f"a hash has {len(digest)} bytes, expected {HASH_SIZE}")
    require(count >= 1, "malformed", "no data segments")
    require(count + parity_count <= MAX_SEGMENTS, "malformed", f"{count} + {parity_count} segments")
    own, other = ("parity", "data") if is_parity else ("data", "parity")
    index, limit = fields.get(f"{own}_segment_index", 0), parity_count if is_parity else count
    require(index < limit, "malformed", f"{own} index {index} of {limit}")
    require(fields.get(f"{other}_segment_index", 0) == 0, "malformed", f"a {own} segment with a {other} index")
    if is_parity:
        fits = 0 < len(payload) <= MAX_PARITY and len(payload) % parity.SHARD_UNIT == 0
        require(fits, "malformed", f"a parity segment of {len(payload)} bytes")
        parity.check_counts(count, parity_count)  # SEG-R5
    else:
        require(payload != b"" or count == 1, "malformed", "an empty one of several segments")
    return Segment(digest, (count, parity_count), is_parity, index, payload)


@dataclass
class Set:
    """The segments of one payload."""

    counts: tuple[int, int]
    data: dict[int, bytes] = field(default_factory=dict)
    parity: dict[int, bytes] = field(default_factory=dict)

    def cost(self) -> int:
        return sum(len(payload) + SEGMENT_COST for payload in [*self.data.values(), *self.parity.values()])

    def adding(self, segment: Segment) -> "Set":
        """With one more; refuses what contradicts the others (SEG-R3)."""
        require(segment.counts == self.counts, "malformed", "segments of one payload differ in their counts")
        other = Set(self.counts, dict(self.data), dict(self.parity))
        payloads = other.parity if segment.is_parity else other.data
        known = payloads.setdefault(segment.index, segment.payload)
        require(known == segment.payload, "malformed", f"two segments {segment.index}")
        last = self.counts[0] - 1
        sizes = {len(payload) for index, payload in other.data.items() if index != last}
        sizes |= {len(payload) for payload in other.parity.values()}
        require(len(sizes) <= 1, "malformed", "segments of one payload differ in their size")
        is_short = len(other.data.get(last, b"")) <= min(sizes, default=2**32)
        require(is_short, "malformed", "the last segment is longer than the others")
        return other

    def is_enough(self) -> bool:
        return len(self.data) + len(self.parity) >= self.counts[0]

    def payload(self, digest: bytes) -> bytes | None:
        """The payload if it has its hash; of a last piece that was lost the length is found by trying (SEG-R4)."""
        count, parity_count = self.counts
        if len(self.data) < count:
            size = len(next(iter(self.parity.values())))
            data = [self.data[i].ljust(size, b"\0") if i in self.data else None for i in range(count)]
            data = parity.recover(data, [self.parity.get(j) for j in range(parity_count)])
        else:
            data = [self.data[i] for i in range(count)]
        *pieces, last = data
        hashed = Keccak256().update(b"".join(pieces))
        if count - 1 in self.data:
            shortest = longest = len(self.data[count - 1])
        else:
            shortest, longest = max(len(last.rstrip(b"\0")), min(count - 1, 1)), len(last)
        for length in range(shortest, longest + 1):
            if hashed.copy().update(last[:length]).digest() == digest:
                return b"".join(pieces) + last[:length]
        return None


class Reassembler:
    """Puts the segments of one sender together, within bounds."""

    def __init__(self) -> None:
        self.incomplete: OrderedDict[bytes, Set] = OrderedDict()
        self.completed: OrderedDict[bytes, None] = OrderedDict()

    def receive(self, data: bytes) -> bytes | None:
        """The payload that a segment completes, or nothing yet (SEG-08). Refusals change nothing, but segments
        that together do not have their hash are forgotten together (SEG-09)."""
        segment = read_segment(data)
        if segment.digest in self.completed:
            return None  # SEG-10
        together = self.incomplete.get(segment.digest, Set(segment.counts)).adding(segment)
        require(together.cost() <= MAX_BUFFERED, "too_large", f"a payload of {together.cost()} bytes")
        if not together.is_enough():
            self.incomplete[segment.digest] = together
            while len(self.incomplete) > MAX_SETS or sum(map(Set.cost, self.incomplete.values())) > MAX_BUFFERED:
                self.incomplete.popitem(last=False)
            return None
        self.incomplete.pop(segment.digest, None)
        payload = together.payload(segment.digest)
        require(payload is not None, "authentication_failed", "a payload does not have its hash")
        self.completed[segment.digest] = None
        while len(self.completed) > MAX_COMPLETED:
            self.completed.popitem(last=False)
        return payload
