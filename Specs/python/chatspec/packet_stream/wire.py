"""The protobuf layer (Specs/packet-stream.md, section 3): tables, and one reader and writer for all of them.

A value is a dictionary by field name without defaults, except that a message that is present is there also when it is
empty. Bytes are bytes, 64-bit numbers integers.

>>> encode("FlowControl", {"ack": 300, "signal": 1}).hex()
'08ac023801'
>>> decode("FlowControl", bytes.fromhex("3801" "08ac02"))
{'signal': 1, 'ack': 300}
"""

import struct
from typing import Any, Iterator

from . import Violation

MAX_MESSAGE = 12 * 2**20
MAX_DEPTH = 32  # of objects and lists inside a Struct
MAX_GROUPS = 16
INTEGERS = {"int32": (32, True), "uint32": (32, False), "uint64": (64, False), "bool": (1, False), "enum": (32, True)}


def packet(metadata: int, payload: int, inputs: int, transports: int, audio: int, video: int, binary: int) -> dict:
    """The eight fields of a packet under a set of numbers."""
    return {
        metadata: ("metadata", "map", False), payload: ("payload", "Struct", False),
        inputs: ("inputs", "Struct", False), transports: ("transports", "TransportDescriptor", True),
        audio: ("audio", "AudioFrame", False), video: ("video", "VideoFrame", False),
        binary: ("binary", "BinaryFrame", False), 8: ("envelope", "StreamEnvelope", False),
    }


def fields(*entries: tuple[int, str, str]) -> dict:
    return {number: (name, kind, False) for number, name, kind in entries}


HUB, PUSH, CONNECTOR = packet(1, 2, 3, 4, 5, 6, 7), packet(1, 2, 3, 7, 4, 5, 6), packet(4, 5, 6, 7, 1, 2, 3)
PACKETS = {
    "DataPacket": HUB, "HubPushResponse": HUB, "HubPushRequest": PUSH, "PublishRequest": CONNECTOR,
    "DataRequest": CONNECTOR, "DataResponse": CONNECTOR,
}
FRAMES = ("audio", "video", "binary")  # one oneof
CONTROL = fields(
    (1, "action", "enum"), (2, "metadata", "map"), (3, "flow", "FlowControl"), (4, "custom_action", "string"))
MESSAGES = PACKETS | {
    "AudioFrame": fields(
        (1, "pcm", "bytes"), (2, "sample_rate_hz", "int32"), (3, "channels", "int32"), (4, "codec", "string"),
        (5, "timestamp_ms", "uint64")),
    "VideoFrame": fields(
        (1, "payload", "bytes"), (2, "codec", "string"), (3, "width", "uint32"), (4, "height", "uint32"),
        (5, "timestamp_ms", "uint64"), (6, "raw", "bool")),
    "BinaryFrame": fields((1, "payload", "bytes"), (2, "mime_type", "string"), (3, "timestamp_ms", "uint64")),
    "TransportDescriptor": fields(
        (1, "name", "string"), (2, "kind", "string"), (3, "mode", "string"), (5, "typed_config", "TypedConfig")),
    "TypedConfig": fields((1, "transport_ref", "string"), (2, "mode_reason", "string")),
    "StreamEnvelope": fields(
        (1, "stream_id", "string"), (2, "sequence", "uint64"), (3, "partition", "string"), (4, "chunk_id", "string"),
        (5, "chunk_index", "uint32"), (6, "chunk_count", "uint32"), (7, "chunk_bytes", "uint32"),
        (8, "total_bytes", "uint32")),
    "FlowControl": fields((1, "ack", "uint64"), (2, "credits_messages", "uint32"), (3, "credits_bytes", "uint32"))
    | {6: ("partition_acks", "PartitionAck", True), 7: ("signal", "enum", False)},
    "PartitionAck": fields((1, "partition", "string"), (2, "ack", "uint64")),
    "ProcessRequest": fields((1, "packet", "DataPacket"), (2, "flow", "FlowControl")),
    "ProcessResponse": fields((1, "packet", "DataPacket"), (2, "flow", "FlowControl")),
    "ControlRequest": CONTROL,
    "ControlResponse": CONTROL | {5: ("error", "ControlError", False)},
    "ControlError": fields((1, "code", "int32"), (2, "message", "string"), (3, "details", "map")),
}


def decode(name: str, data: bytes) -> dict:
    """Reads any encoding of a message, or raises SA-00, and SA-04 for one that is too long."""
    if len(data) > MAX_MESSAGE:
        raise Violation("SA-04", f"{len(data)} bytes")
    value: dict = {}
    merge(name, data, value)
    return value


def records(data: bytes, depth: int = 0) -> Iterator[tuple[int, int, Any]]:
    """Field number, wire type and raw value; the end of everything is checked."""
    at = 0
    while at < len(data):
        tag, at = varint(data, at)
        number, form = tag >> 3, tag & 7
        if not 0 < number < 2**29:
            raise Violation("SA-00", f"field number {number}")
        if form == 0:
            value, at = varint(data, at)
        elif form in (1, 5):
            size = 8 if form == 1 else 4
            value, at = data[at : at + size], at + size
        elif form == 2:
            size, at = varint(data, at)
            value, at = data[at : at + size], at + size
        elif form == 3:
            value, at = None, skip_group(data, at, number, depth + 1)
        else:
            raise Violation("SA-00", f"wire type {form}")
        if at > len(data):
            raise Violation("SA-00", "it ends too early")
        yield number, form, value


def varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for index in range(10):
        if at + index >= len(data):
            raise Violation("SA-00", "a varint without end")
        byte = data[at + index]
        value |= (byte & 0x7F) << 7 * index
        if byte < 0x80:
            if value >= 2**64:
                break
            return value, at + index + 1
    raise Violation("SA-00", "a varint of more than 64 bits")


def skip_group(data: bytes, at: int, number: int, depth: int) -> int:
    if depth > MAX_GROUPS:
        raise Violation("SA-00", "groups nest too deep")
    while True:
        tag, at = varint(data, at)
        inner, form = tag >> 3, tag & 7
        if not 0 < inner < 2**29 or form > 5:
            raise Violation("SA-00", f"tag {tag}")
        if form == 4:
            if inner != number:
                raise Violation("SA-00", "a group ends that did not begin")
            return at
        if form == 3:
            at = skip_group(data, at, inner, depth + 1)
        elif form == 0:
            at = varint(data, at)[1]
        else:
            size, at = varint(data, at) if form == 2 else (8 if form == 1 else 4, at)
            at += size
        if at > len(data):
            raise Violation("SA-00", "a group without end")


def text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Violation("SA-00", "text that is not UTF-8") from error


def merge(name: str, data: bytes, value: dict) -> None:
    table = MESSAGES[name]
    for number, form, raw in records(data):
        if number not in table:
            continue
        field, kind, repeated = table[number]
        if form != (0 if kind in INTEGERS else 2):
            continue  # a known number of another wire type is unknown
        if kind in INTEGERS:
            set_scalar(value, field, integer(kind, raw))
        elif kind == "string":
            set_scalar(value, field, text(raw))
        elif kind == "bytes":
            set_scalar(value, field, raw)
        elif kind == "map":
            key, entry = map_entry(raw)
            value.setdefault(field, {})[key] = entry
        elif kind == "Struct":
            merge_struct(raw, value.setdefault(field, {}), 1)
        elif repeated:
            if field == "transports" and len(value.get(field, [])) >= 10:
                raise Violation("SA-04", "more than ten transports")
            item: dict = {}
            merge(kind, raw, item)
            value.setdefault(field, []).append(item)
        else:
            if name in PACKETS and field in FRAMES:
                for other in FRAMES:
                    if other != field and value.pop(other, None) is not None:
                        value["several frames"] = True
            merge(kind, raw, value.setdefault(field, {}))


def integer(kind: str, raw: int) -> Any:
    bits, signed = INTEGERS[kind]
    if kind == "bool":
        return raw != 0
    low = raw % 2**bits
    return low - 2**bits if signed and low >= 2 ** (bits - 1) else low


def set_scalar(value: dict, field: str, item: Any) -> None:
    value.pop(field, None)
    if item:
        value[field] = item


def map_entry(data: bytes) -> tuple[str, str]:
    pair = {1: "", 2: ""}
    for number, form, raw in records(data):
        if number in pair and form == 2:
            pair[number] = text(raw)
    return pair[1], pair[2]


def merge_struct(data: bytes, value: dict, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise Violation("SA-00", "nested too deep")
    for number, form, raw in records(data):
        if (number, form) == (1, 2):
            key, holder = "", [None]
            for inner, inner_form, inner_raw in records(raw):
                if (inner, inner_form) == (1, 2):
                    key = text(inner_raw)
                elif (inner, inner_form) == (2, 2):
                    merge_value(inner_raw, holder, depth)
            value[key] = holder[0]


def merge_value(data: bytes, holder: list, depth: int) -> None:
    """The last arm counts; an object or a list in pieces is one."""
    for number, form, raw in records(data):
        if (number, form) == (1, 0):
            holder[0] = None
        elif (number, form) == (2, 1):
            number = struct.unpack("<d", raw)[0]
            if number != number or number in (float("inf"), float("-inf")):
                raise Violation("SA-11", "no number of JSON")
            holder[0] = number
        elif (number, form) == (3, 2):
            holder[0] = text(raw)
        elif (number, form) == (4, 0):
            holder[0] = raw != 0
        elif (number, form) == (5, 2):
            holder[0] = holder[0] if isinstance(holder[0], dict) else {}
            merge_struct(raw, holder[0], depth + 1)
        elif (number, form) == (6, 2):
            holder[0] = holder[0] if isinstance(holder[0], list) else []
            if depth >= MAX_DEPTH:
                raise Violation("SA-00", "nested too deep")
            for inner, inner_form, inner_raw in records(raw):
                if (inner, inner_form) == (1, 2):
                    item = [None]
                    merge_value(inner_raw, item, depth + 1)
                    holder[0].append(item[0])


def encode(name: str, value: dict) -> bytes:
    """Fields in the order of their numbers, map keys in that of their bytes, defaults left out."""
    output = bytearray()
    for number, (field, kind, repeated) in sorted(MESSAGES[name].items()):
        if field not in value:
            continue
        item = value[field]
        if kind in INTEGERS:
            if item:
                output += write_varint(number << 3) + write_varint(int(item) % 2**64)
        elif kind == "string":
            output += delimited(number, item.encode()) if item else b""
        elif kind == "bytes":
            output += delimited(number, item) if item else b""
        elif kind == "map":
            for key, entry in sorted(item.items(), key=lambda pair: pair[0].encode()):
                output += delimited(number, delimited(1, key.encode()) + delimited(2, entry.encode()))
        elif kind == "Struct":
            output += delimited(number, encode_struct(item))
        else:
            for one in item if repeated else [item]:
                output += delimited(number, encode(kind, one))
    return bytes(output)


def encode_struct(value: dict) -> bytes:
    return b"".join(
        delimited(1, delimited(1, key.encode()) + delimited(2, encode_value(item)))
        for key, item in sorted(value.items(), key=lambda pair: pair[0].encode())
    )


def encode_value(value: Any) -> bytes:
    if value is None:
        return b"\x08\x00"
    if isinstance(value, bool):
        return b"\x20\x01" if value else b"\x20\x00"
    if isinstance(value, str):
        return delimited(3, value.encode())
    if isinstance(value, dict):
        return delimited(5, encode_struct(value))
    if isinstance(value, list):
        return delimited(6, b"".join(delimited(1, encode_value(item)) for item in value))
    return b"\x11" + struct.pack("<d", float(str(value)))


def delimited(number: int, data: bytes) -> bytes:
    return write_varint(number << 3 | 2) + write_varint(len(data)) + data


def write_varint(value: int) -> bytes:
    output = bytearray()
    while value >= 0x80:
        output.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(output) + bytes([value])
