"""proto3 as Specs/wire.md fixes it: what is written, and what is read (WIRE-1 to WIRE-9).

A message is described by a `Message` of `Field`s; its value is a dictionary by field name, in which
an absent name means the default.

>>> note = Message("Note", Field(1, "text", "string"), Field(2, "number", "uint32"))
>>> note.encode({"text": "hi", "number": 300}).hex()
'0a02686910ac02'
>>> note.decode(bytes.fromhex("10ac020a026869"))
{'number': 300, 'text': 'hi'}
"""

from dataclasses import dataclass
from typing import Any, Iterator

from .refusal import Refused, require

MAX_DEPTH = 16  # WIRE-6, the outermost message included
MAX_FIELD_NUMBER = 2**29 - 1

VARINT, FIXED64, LENGTH_DELIMITED, START_GROUP, END_GROUP, FIXED32 = 0, 1, 2, 3, 4, 5
INTEGERS = {"uint32": (32, False), "uint64": (64, False), "int32": (32, True), "int64": (64, True), "bool": (1, False)}


@dataclass(frozen=True)
class Field:
    """Number, name and kind of a field: an integer kind, "bytes", "string", or a `Message`."""

    number: int
    name: str
    kind: Any
    repeated: bool = False
    optional: bool = False  # has presence: written even if it has its default
    oneof: str | None = None  # members of a oneof have presence too

    @property
    def has_presence(self) -> bool:
        return self.optional or self.oneof is not None or isinstance(self.kind, Message)

    @property
    def wire_type(self) -> int:
        return VARINT if self.kind in INTEGERS else LENGTH_DELIMITED


class Message:
    """The layout of a message, with its encoder and its decoder."""

    def __init__(self, name: str, *fields: Field):
        self.name = name
        self.fields = sorted(fields, key=lambda field: field.number)
        self.by_number = {field.number: field for field in fields}
        self.by_name = {field.name: field for field in fields}
        self.oneofs = sorted({field.oneof for field in fields if field.oneof})

    def encode(self, value: dict) -> bytes:
        """Writes fields in ascending order and leaves out defaults that have no presence."""
        unknown = value.keys() - self.by_name.keys()
        if unknown:
            raise ValueError(f"{self.name} has no field {sorted(unknown)}")
        for oneof in self.oneofs:
            if sum(self.by_name[name].oneof == oneof for name in value) > 1:
                raise ValueError(f"{self.name} has two arms of {oneof}")
        output = bytearray()
        for field in self.fields:
            if field.name not in value:
                continue
            for item in value[field.name] if field.repeated else [value[field.name]]:
                if item or field.has_presence or field.repeated:
                    output += write_varint(field.number << 3 | field.wire_type)
                    output += write_value(field.kind, item)
        return bytes(output)

    def decode(self, data: bytes, without_arms: bool = False) -> dict:
        """Reads any valid encoding; raises `Refused` for everything else. Some documents let a oneof be absent."""
        value: dict = {}
        skipping: list[dict] = []
        self._merge(data, value, 1, skipping)
        if not without_arms:
            self._check_oneofs(value, skipping)
        return value

    def _merge(self, data: bytes, value: dict, depth: int, skipping: list[dict]) -> None:
        """Reads fields into a value that may hold some already (WIRE-8). Collects those of which a field was skipped."""
        require(depth <= MAX_DEPTH, "malformed", f"{self.name} is nested more than {MAX_DEPTH} deep")
        for number, wire_type, item in read_fields(data, self.name, depth):
            field = self.by_number.get(number)
            if field is None:
                skipping.append(value)  # WIRE-3, WIRE-9
                continue
            require(wire_type == field.wire_type, "malformed",
                    f"{self.name}.{field.name} has wire type {wire_type}, expected {field.wire_type}")  # WIRE-4
            if field.oneof:  # the last arm counts; the same arm again is merged
                for other in self.fields:
                    if other.oneof == field.oneof and other is not field:
                        value.pop(other.name, None)
            if isinstance(field.kind, Message):
                if field.repeated:
                    value.setdefault(field.name, []).append(inner := {})
                else:
                    inner = value.setdefault(field.name, {})
                field.kind._merge(item, inner, depth + 1, skipping)
            elif field.repeated:
                value.setdefault(field.name, []).append(read_value(field, item))
            else:
                value[field.name] = read_value(field, item)
                if not value[field.name] and not field.has_presence:
                    del value[field.name]  # the last one counts, and it is the default

    def _check_oneofs(self, value: dict, skipping: list[dict]) -> None:
        """WIRE-7, after merging, from the outside in. A skipped field may be the arm of a later version."""
        for oneof in self.oneofs:
            if not any(field.name in value for field in self.fields if field.oneof == oneof):
                code = "unsupported" if any(one is value for one in skipping) else "malformed"
                raise Refused(code, f"{self.name} has none of the known {oneof}")
        for field in self.fields:
            if isinstance(field.kind, Message) and field.name in value:
                for inner in value[field.name] if field.repeated else [value[field.name]]:
                    field.kind._check_oneofs(inner, skipping)


def write_varint(number: int) -> bytes:
    """Seven bits a byte, least significant first, the high bit set on all but the last.

    >>> write_varint(300).hex(), write_varint(-1 % 2**64).hex()
    ('ac02', 'ffffffffffffffffff01')
    """
    output = bytearray()
    while number > 0x7F:
        output.append(number & 0x7F | 0x80)
        number >>= 7
    output.append(number)
    return bytes(output)


def write_value(kind: Any, item: Any) -> bytes:
    """A value without its tag. Negative integers take the ten bytes of their 64-bit form."""
    if kind in INTEGERS:
        bits, signed = INTEGERS[kind]
        low, high = (-(1 << bits - 1), 1 << bits - 1) if signed else (0, 1 << bits)
        if not low <= item < high:
            raise ValueError(f"{item} is no {kind}")
        return write_varint(item % 2**64)
    data = kind.encode(item) if isinstance(kind, Message) else item.encode() if kind == "string" else bytes(item)
    return write_varint(len(data)) + data


def read_varint(data: bytes, at: int, what: str) -> tuple[int, int]:
    """A varint of at most ten bytes and 64 bits (WIRE-2), and the offset behind it."""
    number = 0
    for count in range(10):
        require(at + count < len(data), "malformed", f"{what} ends inside a varint at byte {at}")
        byte = data[at + count]
        number |= (byte & 0x7F) << 7 * count
        if byte < 0x80:
            require(number < 2**64, "malformed", f"{what} has a varint of more than 64 bits at byte {at}")
            return number, at + count + 1
    raise Refused("malformed", f"{what} has a varint of more than ten bytes at byte {at}")


def read_tag(data: bytes, at: int, what: str) -> tuple[int, int, int]:
    """Field number and wire type, and the offset behind them."""
    tag, behind = read_varint(data, at, what)
    require(1 <= tag >> 3 <= MAX_FIELD_NUMBER, "malformed", f"{what} has field number {tag >> 3} at byte {at}")
    return tag >> 3, tag & 7, behind


def read_item(data: bytes, at: int, wire_type: int, what: str) -> tuple[Any, int]:
    """An integer or bytes behind a tag, and the offset behind it."""
    if wire_type == VARINT:
        return read_varint(data, at, what)
    start = at
    if wire_type == LENGTH_DELIMITED:
        length, at = read_varint(data, at, what)
    elif wire_type in (FIXED64, FIXED32):
        length = 8 if wire_type == FIXED64 else 4
    else:
        raise Refused("malformed", f"{what} has wire type {wire_type} before byte {start}")
    require(length <= len(data) - at, "malformed",
            f"{what}: the value at byte {start} goes {at + length - len(data)} bytes beyond the end")
    return data[at : at + length], at + length


def skip_group(data: bytes, at: int, number: int, what: str, depth: int) -> int:
    """The offset behind the end of a group whose first tag was read (WIRE-9)."""
    require(depth <= MAX_DEPTH, "malformed", f"{what} has groups nested more than {MAX_DEPTH} deep")
    while at < len(data):
        inner, wire_type, behind = read_tag(data, at, what)
        if wire_type == END_GROUP:
            require(inner == number, "malformed", f"{what}: group {number} ends as group {inner} at byte {at}")
            return behind
        if wire_type == START_GROUP:
            at = skip_group(data, behind, inner, what, depth + 1)
        else:
            _, at = read_item(data, behind, wire_type, what)
    raise Refused("malformed", f"{what} ends inside group {number}")


def read_fields(data: bytes, what: str, depth: int = 1) -> Iterator[tuple[int, int, Any]]:
    """All fields in their order: number, wire type, and an integer or bytes; of a group nothing (WIRE-9)."""
    at = 0
    while at < len(data):
        number, wire_type, at = read_tag(data, at, what)
        if wire_type == START_GROUP:
            item, at = None, skip_group(data, at, number, what, depth + 1)
        else:
            item, at = read_item(data, at, wire_type, what)
        yield number, wire_type, item


def read_value(field: Field, item: Any) -> Any:
    """An integer cut to its width (WIRE-1), a string checked (WIRE-5), bytes as they are."""
    if field.kind == "bool":
        return item != 0
    if field.kind in INTEGERS:
        bits, signed = INTEGERS[field.kind]
        item %= 1 << bits
        return item - (1 << bits) if signed and item >> bits - 1 else item
    if field.kind == "string":
        try:
            return item.decode()
        except UnicodeDecodeError as error:
            raise Refused("malformed", f"{field.name} is not UTF-8 at byte {error.start}") from None
    return item
