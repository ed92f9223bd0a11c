"""The filter of SDS messages (Specs/sds.md, "Filter"): a set of ids that errs on the side of yes.

>>> write(["a1"], Size(4, 10_000, 3, 64)).hex()
'0a080004410000000000100418904e20032840'
>>> [contains(read(write(["a1"])), message_id) for message_id in ("a1", "a2")]
[True, False]
"""

from typing import NamedTuple

from .primitives import blake2b
from .proto3 import Field, Message
from .refusal import require

MAX_BYTES, MAX_HASHES = 16_384, 32  # of a filter that is read

BloomFilter = Message(
    "BloomFilter", Field(1, "bits", "bytes"), Field(2, "capacity", "uint64"), Field(3, "error_rate", "uint64"),
    Field(4, "hashes", "uint64"), Field(5, "bit_count", "uint64"),
)


class Size(NamedTuple):
    """How many ids it is for, errors in a million, bits for each id, bits in all."""

    capacity: int
    millionths: int
    hashes: int
    bit_count: int


STANDARD = Size(2_000, 1_000, 10, 28_756)  # PV1-13


def places(message_id: str, hashes: int, bit_count: int) -> list[int]:
    """The bits of an id."""
    digest = blake2b(16, message_id.encode())
    first, second = int.from_bytes(digest[:8], "little"), int.from_bytes(digest[8:], "little")
    return [(first + i * second) % 2**64 % bit_count for i in range(hashes)]


def size_in_bytes(bit_count: int) -> int:
    """Filled up to whole words of 64 bits."""
    return (bit_count + 63) // 64 * 8


def write(ids: list[str], size: Size = STANDARD) -> bytes:
    """The filter of some ids, in its container."""
    bits = bytearray(size_in_bytes(size.bit_count))
    for message_id in ids:
        for place in places(message_id, size.hashes, size.bit_count):
            bits[place // 8] |= 1 << place % 8
    return BloomFilter.encode({
        "bits": bytes(bits), "capacity": size.capacity, "error_rate": size.millionths, "hashes": size.hashes,
        "bit_count": size.bit_count,
    })


def read(data: bytes) -> dict:
    """The fields of a filter that can be used."""
    fields = {"bits": b"", "capacity": 0, "error_rate": 0, "hashes": 0, "bit_count": 0} | BloomFilter.decode(data)
    size = len(fields["bits"])
    require(size <= MAX_BYTES, "too_large", f"{size} bytes of bits, at most {MAX_BYTES}")
    require(1 <= fields["hashes"] <= MAX_HASHES, "malformed", f"{fields['hashes']} hashes")
    fits = fields["bit_count"] >= 1 and size_in_bytes(fields["bit_count"]) == size
    require(fits, "malformed", f"{fields['bit_count']} bits in {size} bytes")
    return fields


def contains(fields: dict, message_id: str) -> bool:
    """Whether an id was added, perhaps."""
    bits = fields["bits"]
    return all(bits[at // 8] >> at % 8 & 1 for at in places(message_id, fields["hashes"], fields["bit_count"]))


def is_saturated(fields: dict) -> bool:
    """SDS-R6: whether so many bits are set that it says nothing."""
    return int.from_bytes(fields["bits"], "big").bit_count() > fields["bit_count"] * 6 // 10
