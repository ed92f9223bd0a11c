"""Files of the kinds leopard-…: the field, the matrix, shards and segments with parity, as far as it is GF(2^8)."""

import hashlib
from typing import Callable

from .. import parity, segmentation
from ..primitives import keccak256
from ..refusal import Refused
from ..texts import read_hex
from .common import Mismatch, NotApplicable, expect, expect_fields


def require_small_field(case: dict) -> None:
    if case.get("field", "gf256") not in ("gf256", "any") or case.get("bits", 8) != 8:
        raise NotApplicable("GF(2^16)")


def expand(seed: str, index: int, size: int) -> bytes:
    """A shard of the file: SHA-256 over seed, index and block number."""
    blocks = range(-(-size // 32))
    stream = (hashlib.sha256(seed.encode() + index.to_bytes(4, "big") + n.to_bytes(4, "big")).digest() for n in blocks)
    return b"".join(stream)[:size]


def expect_bytes(name: str, actual: list[bytes], case: dict) -> None:
    """Compares with the list of that name in hex, or of its SHA-256 values."""
    if name in case:
        expect(name, [item.hex() for item in actual], case[name])
    else:
        hashes = [hashlib.sha256(item).hexdigest() for item in actual]
        expect(f"{name}_sha256", hashes, case[f"{name}_sha256"])


def without(items: list[bytes], lost: list[int]) -> list[bytes | None]:
    return [None if index in lost else item for index, item in enumerate(items)]


def check_field(case: dict) -> None:
    require_small_field(case)
    for label, element in case["label_to_element"]:
        expect(f"element of {label}", parity.ELEMENTS[int(label, 16)], int(element, 16))
    for a, b, product in case["products"]:
        expect(f"{a} · {b}", parity.multiply(int(a, 16), int(b, 16)), int(product, 16))
    for a, inverted in case["inverses"]:
        expect(f"1 / {a}", parity.inverse(int(a, 16)), int(inverted, 16))


def check_matrix(case: dict) -> None:
    require_small_field(case)
    rows = parity.matrix(case["data_count"], case["parity_count"])
    expect("rows", [bytes(row).hex() for row in rows], case["rows"])


def check_code(case: dict) -> None:
    require_small_field(case)
    shards = [expand(case["seed"], index, case["shard_size"]) for index in range(case["data_count"])]
    expect("data_sha256", hashlib.sha256(b"".join(shards)).hexdigest(), case["data_sha256"])
    made = parity.encode(shards, case["parity_count"])
    expect_bytes("parity", made, case)
    for losses in case["decode"]:
        check_losses(losses, shards, made)


def check_losses(losses: dict, shards: list[bytes], made: list[bytes]) -> None:
    try:
        found = parity.recover(without(shards, losses["lost_data"]), without(made, losses["lost_parity"]))
    except Refused as refusal:
        if losses["result"] != "need_more_data":
            raise Mismatch(f"{losses['lost_data']} lost: {refusal}") from None
        return
    expect("result", "recovered" if losses["lost_data"] else "complete", losses["result"])
    for entry in losses.get("recovered", []):
        expect(f"shard {entry['index']}", found[entry["index"]].hex(), entry["shard"])
    for entry in losses.get("recovered_sha256", []):
        expect(f"shard {entry['index']}", hashlib.sha256(found[entry["index"]]).hexdigest(), entry["sha256"])


def check_invalid(case: dict) -> None:
    counts = case["data_count"], case["parity_count"]
    try:
        fault = "invalid_counts"
        parity.check_counts(*counts)
        fault = "invalid_size"
        parity.encode([bytes(case["shard_size"])] * counts[0], counts[1])
    except Refused:
        expect("result", fault, case["result"])
        return
    raise Mismatch(f"encoded, the file has {case['result']}")


def check_segments(case: dict) -> None:
    require_small_field(case)
    length, tail = case["payload_length"], case["zero_tail"]
    payload = expand(case["seed"], 0, length)[: length - tail] + bytes(tail)
    expect("payload_sha256", hashlib.sha256(payload).hexdigest(), case["payload_sha256"])
    expect("payload_keccak256", keccak256(payload).hex(), case["payload_keccak256"])
    segments = segmentation.split(payload, case["segment_size"], case["parity_rate_millionths"])
    expect_bytes("segments", segments, case)
    count = case["data_count"]
    expect("segments", len(segments), count + case["parity_count"])
    if "last_data_length" in case:
        expect_fields(case, last_data_length=length - (count - 1) * case["segment_size"])
    for later in map(read_hex, case.get("segments_nim", [])):
        expect("the later message", is_unsupported(later), True)
    for losses in case["reassemble"]:
        left = without(segments[:count], losses["lost_data"]) + without(segments[count:], losses["lost_parity"])
        reassembler = segmentation.Reassembler()
        payloads = [reassembler.receive(segment) for segment in reversed(left) if segment is not None]
        found = [one for one in payloads if one is not None]
        expect(f"without {losses}", "completes" if found else "incomplete", losses["result"])
        expect(f"without {losses}", found, [payload] if found else [])


def is_unsupported(segment: bytes) -> bool:
    try:
        segmentation.read_segment(segment)
    except Refused as refusal:
        return refusal.code == "unsupported"
    return False


KINDS: dict[str, Callable[[dict], None]] = {
    "leopard-field": check_field, "leopard-matrix": check_matrix, "leopard-code": check_code,
    "leopard-invalid": check_invalid, "leopard-segments": check_segments,
}
