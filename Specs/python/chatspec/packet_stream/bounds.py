"""Bounds and MIME types (Specs/packet-stream.md, sections 3 and 5)."""

import re
from typing import Any

from . import Violation, wire

RESERVED_TYPE = "application/vnd.bubu.packet+json"
MAX_FRAME, MAX_TOTAL, MAX_CHUNKS = 10_485_760, 67_108_864, 256
TOKEN = r"[!#$%&'*+\-.^_`{|}~0-9A-Za-z]+"
QUOTED = r'"(?:[^"\\]|\\.)*"'
PARAMETERS = re.compile(rf"(?:[ \t]*{TOKEN}[ \t]*=[ \t]*(?:{TOKEN}|{QUOTED})[ \t]*(?:;|$))*[ \t]*", re.DOTALL)
ESSENCE = re.compile(rf"{TOKEN}/{TOKEN}")


def refuse(condition: Any, rule: str, reason: str) -> None:
    if condition:
        raise Violation(rule, reason)


def padded(text: str) -> bool:
    return text != text.strip()


def check_schema(name: str, value: dict) -> None:
    """What a validator of the schema checks of one message (SA-04, SA-50)."""
    limits = {
        "AudioFrame": {"codec": 32}, "VideoFrame": {"codec": 32}, "BinaryFrame": {"mime_type": 255},
        "TransportDescriptor": {"name": 128, "kind": 128, "mode": 128},
        "TypedConfig": {"transport_ref": 253, "mode_reason": 512}, "PartitionAck": {"partition": 128},
        "StreamEnvelope": {"stream_id": 128, "partition": 128, "chunk_id": 128}, "ControlError": {"message": 2048},
        "ControlRequest": {"custom_action": 128}, "ControlResponse": {"custom_action": 128},
    }
    for field, limit in limits.get(name, {}).items():
        refuse(len(value.get(field, "")) > limit, "SA-04", f"{name}.{field}")
    for number, (field, kind, repeated) in wire.MESSAGES[name].items():
        if field not in value:
            continue
        if kind == "map":
            pairs = value[field]
            refuse(len(pairs) > (50 if name == "ControlError" else 100), "SA-04", "too many pairs")
            refuse(any(not 0 < len(key) <= 128 for key in pairs), "SA-04", "a key")
            refuse(any(len(item) > 1024 for item in pairs.values()), "SA-04", "a value")
        elif kind in wire.MESSAGES:
            for item in value[field] if repeated else [value[field]]:
                check_schema(kind, item)
    if name in wire.PACKETS:
        refuse(len(value.get("transports", [])) > 10, "SA-04", "transports")
    elif name == "FlowControl":
        refuse(len(value.get("partition_acks", [])) > 256, "SA-04", "partition_acks")
    elif name == "ControlError":
        refuse(value.get("code", 0) < 0, "SA-04", "code")
    elif name == "AudioFrame":
        refuse(len(value.get("pcm", b"")) > MAX_FRAME, "SA-04", "pcm")
        refuse(not 8_000 <= value.get("sample_rate_hz", 0) <= 192_000, "SA-04", "sample rate")
        refuse(not 1 <= value.get("channels", 0) <= 8, "SA-04", "channels")
    elif name == "VideoFrame":
        refuse(len(value.get("payload", b"")) > MAX_FRAME, "SA-04", "payload")
        refuse(max(value.get("width", 0), value.get("height", 0)) > 16_384, "SA-04", "pixels")
    elif name == "BinaryFrame":
        refuse(len(value.get("payload", b"")) > MAX_FRAME, "SA-04", "payload")
    elif name == "StreamEnvelope":
        check_stream(value)


def check_stream(stream: dict) -> None:
    count = stream.get("chunk_count", 0)
    refuse(count > MAX_CHUNKS, "SA-04", "chunk_count")
    refuse(stream.get("chunk_bytes", 0) > MAX_FRAME, "SA-04", "chunk_bytes")
    refuse(stream.get("total_bytes", 0) > MAX_TOTAL, "SA-04", "total_bytes")
    if count == 0:
        refuse(any(key.startswith("chunk") or key == "total_bytes" for key in stream), "SA-50", "no chunk_count")
        return
    refuse(not stream.get("stream_id") or not stream.get("chunk_id"), "SA-50", "a chunk without ids")
    refuse(stream.get("chunk_index", 0) >= count, "SA-50", "chunk_index")


def check_bounds(packet: dict, assembled: bool = False) -> None:
    frame = packet.get("binary", {}).get("payload", b"")
    without = packet | {"binary": packet["binary"] | {"payload": b"x"}} if assembled and frame else packet
    check_schema("DataPacket", without)
    refuse(any(padded(key) for key in packet.get("metadata", {})), "SA-24", "a padded key")
    refuse("several frames" in packet, "SA-05", "several frames")
    for name, field in (("audio", "pcm"), ("video", "payload"), ("binary", "payload")):
        refuse(name in packet and not packet[name].get(field), "SA-05", f"{name} is empty")
    video = packet.get("video", {"codec": "none"})
    refuse(not video.get("raw") and not video.get("codec"), "SA-04", "no codec")
    refuse(video.get("raw") and not (video.get("width") and video.get("height")), "SA-04", "no width or height")
    stream = packet.get("envelope", {})
    if stream.get("chunk_count"):
        refuse("binary" not in packet, "SA-50", "chunks of something else")
        size = stream.get("chunk_bytes", 0)
        refuse(size and size != len(packet["binary"]["payload"]), "SA-51", "chunk_bytes")


def media_type(text: str) -> tuple[bool, bool]:
    """Whether it is the reserved one, and whether all of it is well-formed."""
    essence, semicolon, parameters = text.partition(";")
    essence = essence.strip().lower()
    good = bool(ESSENCE.fullmatch(essence))
    if semicolon:
        match = PARAMETERS.fullmatch(parameters)
        names = re.findall(rf"({TOKEN})[ \t]*=[ \t]*(?:{TOKEN}|{QUOTED})", parameters)
        good = good and bool(match) and len({name.lower() for name in names}) == len(names)
    return essence == RESERVED_TYPE, good
