"""Files of kinds messages and segmentation, and the messages of kind sds: bytes and their fields."""

from typing import Any

from .. import content, messages, segmentation
from ..proto3 import Message
from ..texts import read_hex
from .common import Mismatch, NotApplicable, data, demand, expect, expect_fields


# messages


def layout_of(case: dict) -> Message:
    if case["message"] not in messages.ALL:
        raise NotApplicable(f"message {case['message']}")
    return messages.ALL[case["message"]]


def from_json(layout: Message, fields: dict) -> dict:
    """Fields as they stand in a file: bytes as hex."""
    def convert(kind: Any, value: Any) -> Any:
        return from_json(kind, value) if isinstance(kind, Message) else read_hex(value) if kind == "bytes" else value

    return {name: [convert(layout.by_name[name].kind, item) for item in value] if layout.by_name[name].repeated
            else convert(layout.by_name[name].kind, value) for name, value in fields.items()}


def decode(layout: Message, encoded: bytes) -> dict:
    """With the rules that go beyond the encoding."""
    fields = layout.decode(encoded)
    return content.check(fields) if layout is messages.ContentFrame else fields


def check_roundtrip(case: dict) -> None:
    layout = layout_of(case)
    check_decode(case)
    if case["result"] == "valid":
        expect_fields(case, bytes=layout.encode(from_json(layout, case["fields"])))


def check_decode(case: dict) -> None:
    layout = layout_of(case)
    fields = demand(case, lambda: decode(layout, *data(case, "bytes")))
    if fields is not None:
        expect("fields", fields, from_json(layout, case["fields"]))


# segmentation


def check_split(case: dict) -> None:
    segments = demand(case, lambda: segmentation.split(*data(case, "payload"), case["segment_size"]))
    if segments is not None:
        expect_fields(case, segments=[segment.hex() for segment in segments])


def check_reassemble(case: dict) -> None:
    reassembler = segmentation.Reassembler()
    for number, step in enumerate(case["steps"]):
        try:
            payload = demand(step, lambda: reassembler.receive(*data(step, "segment")))
            if step["result"] in ("valid", "ignored"):
                expect("completes", None if payload is None else payload.hex(), step.get("completes"))
        except Mismatch as error:
            raise Mismatch(f"step {number}: {error}") from None
