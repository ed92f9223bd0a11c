"""Erasure-correcting shards (Specs/parity.md): the code of Leopard-RS in GF(2^8), by its closed form.

>>> data = [bytes((16 * i + t) % 256 for t in range(64)) for i in range(5)]
>>> shards = encode(data, 3)
>>> [shard[:8].hex() for shard in shards]
['b5bab3bcbeb1b8b7', '818b8f858882868c', '7d717a7678747f73']
>>> recover([None, data[1], None, data[3], None], shards) == data
True
"""

from functools import cache, reduce
from typing import Sequence

from .refusal import require

BASIS = bytes.fromhex("01d6989256c858e6")  # a label's bits are coordinates in this basis
POLYNOMIAL = 0x11D
SHARD_UNIT = 64


def xor(numbers: Sequence[int]) -> int:
    return reduce(lambda a, b: a ^ b, numbers, 0)


ELEMENTS = [xor([BASIS[t] for t in range(8) if label >> t & 1]) for label in range(256)]
LABELS = {element: label for label, element in enumerate(ELEMENTS)}


@cache
def multiply(a: int, b: int) -> int:
    """The label of the product of the elements that two labels stand for."""
    element, factor, product = ELEMENTS[a], ELEMENTS[b], 0
    while factor:
        product ^= element * (factor & 1)
        element, factor = element << 1, factor >> 1
        element ^= POLYNOMIAL * (element >> 8)
    return LABELS[product]


@cache
def inverse(a: int) -> int:
    """1/a as a label.

    >>> [f"{inverse(a):02x}" for a in (4, 5, 6, 7)]
    ['0d', '0e', '0b', '09']
    """
    return next(b for b in range(1, 256) if multiply(a, b) == 1)


@cache
def table(a: int) -> bytes:
    """a times every label."""
    return bytes(multiply(a, b) for b in range(256))


def quotient(factors: Sequence[int], divisors: Sequence[int]) -> int:
    """A product of labels, divided by another one."""
    return reduce(multiply, factors, inverse(reduce(multiply, divisors, 1)))


def rounded(parity_count: int) -> tuple[int, int]:
    """m and r: the smallest power of two that is at least p, and its logarithm."""
    r = (parity_count - 1).bit_length()
    return 1 << r, r


def is_supported(data_count: int, parity_count: int) -> bool:
    """PAR-2: beyond these counts the deployed library computes in another field."""
    return rounded(parity_count)[0] + data_count <= 256


def check_counts(data_count: int, parity_count: int) -> None:
    """PAR-1, PAR-2."""
    require(1 <= parity_count <= data_count, "malformed", f"{parity_count} parity shards of {data_count}")
    require(is_supported(data_count, parity_count), "unsupported", f"{data_count} + {parity_count} shards in GF(2^8)")


def matrix(data_count: int, parity_count: int) -> list[list[int]]:
    """G, a row for each parity shard."""
    check_counts(data_count, parity_count)
    if parity_count == 1:
        return [[1] * data_count]
    m, r = rounded(parity_count)
    return [[multiply(m + i >> r, inverse((m + i) ^ j)) for i in range(data_count)] for j in range(parity_count)]


def combine(factors: Sequence[int], shards: Sequence[bytes]) -> bytes:
    """The sum of products of labels and shards."""
    products = (int.from_bytes(shard.translate(table(factor))) for factor, shard in zip(factors, shards))
    return xor(list(products)).to_bytes(len(shards[0]))


def encode(data: Sequence[bytes], parity_count: int) -> list[bytes]:
    """The parity of shards of one size, a positive multiple of 64 bytes (PAR-3)."""
    check_counts(len(data), parity_count)
    size = len(data[0])
    require(size > 0 and size % SHARD_UNIT == 0, "malformed", f"a shard of {size} bytes")
    return [combine(row, data) for row in matrix(len(data), parity_count)]


def recover(data: Sequence[bytes | None], parity: Sequence[bytes | None]) -> list[bytes]:
    """All data shards, from those that are there and as much parity as are lost (PAR-4)."""
    check_counts(len(data), len(parity))
    lost = [i for i, shard in enumerate(data) if shard is None]
    used = [j for j, shard in enumerate(parity) if shard is not None][: len(lost)]
    require(len(used) == len(lost), "malformed", f"{len(lost)} shards are lost, with {len(used)} of parity")
    if not lost:
        return list(data)
    size = len(parity[used[0]])
    known = [bytes(size) if shard is None else shard for shard in data]
    rows = matrix(len(data), len(parity))
    rest = [combine([1, *rows[j]], [parity[j], *known]) for j in used]
    if len(parity) == 1:
        known[lost[0]] = rest[0]
        return known
    m, r = rounded(len(parity))
    points = [m + i for i in lost]
    a = {y: quotient([x ^ y for x in used], [y ^ other for other in points if other != y]) for y in points}
    b = {x: quotient([y ^ x for y in points], [x ^ other for other in used if other != x]) for x in used}
    for i, y in zip(lost, points):
        known[i] = combine([quotient([a[y], b[x]], [y >> r, y ^ x]) for x in used], rest)
    return known
