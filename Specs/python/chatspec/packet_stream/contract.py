"""Packets: decoding in both modes, and canonical encoding (Specs/packet-stream.md, sections 4 to 6).

A view is a dictionary as the vector files have it: texts, bytes as bytes, 64-bit numbers as integers.
"""

import json
import re
from decimal import Decimal
from typing import Any

from ..agent_chat.jsontext import Number, depth, has_surrogate, same
from . import Violation, wire

RESERVED_TYPE = "application/vnd.bubu.packet+json"
MAX_FRAME, MAX_TOTAL, MAX_CHUNKS = 10_485_760, 67_108_864, 256
MAX_DEPTH = 128
SHADOW = {
    "kind": "bubu.envelope.kind", "messageId": "bubu.envelope.message_id", "timestampMs": "bubu.envelope.timestamp_ms",
}
KEYS = ("version", "kind", "messageId", "timestampMs", "metadata", "payload", "inputs", "transports")
RESERVED_KINDS = ("heartbeat", "noop", "hook", "error")
ERROR_TYPES = (
    "timeout", "storage_error", "serialization_error", "validation_error", "initialization_error", "execution_error",
    "unknown",
)
EXIT_CLASSES = ("success", "retry", "terminal", "rateLimited", "unknown")
TOKEN = r"[!#$%&'*+\-.^_`{|}~0-9A-Za-z]+"
QUOTED = r'"(?:[^"\\]|\\.)*"'
PARAMETERS = re.compile(rf"(?:[ \t]*{TOKEN}[ \t]*=[ \t]*(?:{TOKEN}|{QUOTED})[ \t]*(?:;|$))*[ \t]*", re.DOTALL)
ESSENCE = re.compile(rf"{TOKEN}/{TOKEN}")


def refuse(condition: Any, rule: str, reason: str) -> None:
    if condition:
        raise Violation(rule, reason)


def padded(text: str) -> bool:
    return text != text.strip()


# Bounds.


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


# MIME types.


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


# Decoding.


def decode(message: str, data: bytes, mode: str, reject_conflict: bool = False) -> dict:
    """The view of a message, or `Violation`."""
    return view(wire.decode(message, data), mode, reject_conflict)


def view(packet: dict, mode: str, reject_conflict: bool = False, assembled: bool = False) -> dict:
    check_bounds(packet, assembled)
    stream = packet.get("envelope", {})
    if not any(name in packet for name in wire.FRAMES):
        heartbeat = packet == {"metadata": {"bubu-heartbeat": "true"}}
        refuse(not heartbeat or mode == "canonical", "SA-31", "no frame")
        return {"carrier": "none", "kind": "heartbeat", "delivered": False}
    if stream.get("chunk_count"):
        check_alone(packet, mode)
        piece = {"carrier": "chunk", "stream": stream, "bytes": packet["binary"]["payload"]}
        return piece | present(mime=packet["binary"].get("mime_type"), metadata=packet.get("metadata"))
    envelope = None
    if "binary" in packet:
        mime = packet["binary"].get("mime_type", "")
        refuse(not mime or padded(mime), "SA-14", "no MIME type")
        reserved, good = media_type(mime)
        refuse(not reserved and not good, "SA-14", mime)
        if reserved:
            envelope = read_envelope(packet["binary"]["payload"], mode)
            refuse(not good, "SA-06", "broken parameters")
            result = structured(packet, envelope, mode, reject_conflict)
        else:
            frame = packet["binary"]
            result = {"carrier": "opaque", "mime": mime, "bytes": frame["payload"]}
            result |= present(mediaTimestampMs=frame.get("timestamp_ms"), **headers(packet, mode))
    else:
        carrier = "audio" if "audio" in packet else "video"
        result = {"carrier": carrier, "frame": packet[carrier]} | present(**headers(packet, mode))
        for key in ("payload", "inputs"):
            if key in packet:
                result[key] = packet[key]
        if packet.get("transports"):
            result["transports"] = [camel(one) for one in packet["transports"]]
    if "envelope" in packet:
        result["stream"] = stream
    check_kind(result)
    check_alone(packet, mode)
    if envelope is not None and mode == "interop":
        check_mirror(packet, envelope)
    return result | {"delivered": result["kind"] not in ("heartbeat", "noop")}


def present(**entries: Any) -> dict:
    return {key: value for key, value in entries.items() if value}


def camel(transport: dict) -> dict:
    result = {key: transport[key] for key in ("name", "kind", "mode") if key in transport}
    if "typed_config" in transport:
        names = {"transport_ref": "transportRef", "mode_reason": "modeReason"}
        result["typedConfig"] = {names[key]: value for key, value in transport["typed_config"].items()}
    return result


def check_alone(packet: dict, mode: str) -> None:
    """Structures of the packet beside bytes (SA-12, SA-40)."""
    if "binary" in packet and ("payload" in packet or "inputs" in packet or packet.get("transports")):
        reserved, _ = media_type(packet["binary"].get("mime_type", ""))
        refuse(not reserved, "SA-40", "beside opaque bytes")
        refuse(mode == "canonical", "SA-12", "beside an envelope")


def headers(packet: dict, mode: str) -> dict:
    """Headers and visible metadata where shadow keys are the only carrier (SA-22)."""
    metadata = dict(packet.get("metadata", {}))
    kind = metadata.pop(SHADOW["kind"], "data")
    message_id = metadata.pop(SHADOW["messageId"], None)
    stamp = metadata.pop(SHADOW["timestampMs"], None)
    timestamp = None
    if stamp is not None:
        good = re.fullmatch("[0-9]+", stamp) and 0 < int(stamp) < 2**63
        refuse(not good and mode == "canonical", "SA-22", stamp)
        timestamp = int(stamp) if good else None
    refuse(not kind, "SA-27", "no kind")
    return {"kind": kind, "messageId": message_id, "timestampMs": timestamp, "metadata": metadata}


def read_envelope(data: bytes, mode: str) -> dict:
    document = read_json(data)
    refuse(not isinstance(document, dict), "SA-02", "no object")
    envelope: dict = {}
    for key, value in document.items():
        known = key if key in KEYS else None
        if known is None and mode == "interop":
            known = next((one for one in KEYS if one.lower() == ascii_lower(key)), None)
            if known is None:
                continue
        refuse(known is None, "SA-03", key)
        read_key(known, value, envelope)
    return envelope


def ascii_lower(text: str) -> str:
    return "".join(chr(ord(one) + 32) if "A" <= one <= "Z" else one for one in text)


def read_json(data: bytes) -> Any:
    refuse(len(data) > MAX_FRAME, "SA-02", "too long")
    try:
        text = data.decode("utf-8")
        refuse(depth(text) > MAX_DEPTH, "SA-02", "nested too deep")
        value = json.loads(
            text, parse_int=Number, parse_float=Number, parse_constant=no_constant, object_pairs_hook=no_repeats)
    except (ValueError, RecursionError) as error:
        raise Violation("SA-02", str(error)) from error
    refuse(text.startswith("\ufeff") or has_surrogate(text, value), "SA-02", "a character")
    return value


def no_constant(word: str) -> Any:
    raise ValueError(word)


def no_repeats(pairs: list) -> dict:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a key twice")
    return value


def read_key(key: str, value: Any, envelope: dict) -> None:
    if key == "version":
        refuse(value != "v1", "SA-01", repr(value))
    elif key in ("kind", "messageId"):
        refuse(not isinstance(value, str), "SA-06", key)
    elif key == "timestampMs":
        good = isinstance(value, Number) and re.fullmatch("-?[0-9]+", value.text) and 0 <= int(value.text) < 2**63
        refuse(not good, "SA-23", repr(value))
        value = int(value.text)
    elif key == "metadata":
        refuse(not isinstance(value, dict), "SA-06", key)
        refuse(not all(isinstance(one, str) for one in value.values()), "SA-06", key)
        refuse(any(not one or padded(one) for one in value), "SA-24", key)
    elif key == "transports":
        refuse(not isinstance(value, list), "SA-06", key)
        value = [read_transport(one) for one in value]
    else:
        refuse(not isinstance(value, dict), "SA-10", key)
    envelope[key] = value


def read_transport(value: Any) -> dict:
    refuse(not isinstance(value, dict) or not isinstance(value.get("name"), str), "SA-06", "a transport")
    result = {"name": value["name"]} if value["name"] else {}
    for key in ("kind", "mode"):
        refuse(not isinstance(value.get(key, ""), str), "SA-06", key)
        result |= present(**{key: value.get(key)})
    if "typedConfig" in value:
        config = value["typedConfig"]
        refuse(not isinstance(config, dict), "SA-06", "typedConfig")
        names = ("transportRef", "modeReason")
        refuse(not all(isinstance(config.get(key, ""), str) for key in names), "SA-06", "typedConfig")
        result["typedConfig"] = present(**{key: config.get(key) for key in names})
    return result


def structured(packet: dict, envelope: dict, mode: str, reject_conflict: bool) -> dict:
    visible = dict(packet.get("metadata", {}))
    shadow = {header: visible.pop(key) for header, key in SHADOW.items() if key in visible}
    said = {key: envelope.get(key) for key in SHADOW}
    said["timestampMs"] = str(said["timestampMs"]) if said["timestampMs"] else None
    conflict = any(said[key] is not None and said[key] != shadow[key] for key in shadow)
    refuse(conflict and reject_conflict, "SA-20", "a shadow key")
    timestamp = envelope.get("timestampMs") or packet["binary"].get("timestamp_ms", 0)
    refuse(timestamp >= 2**63, "SA-23", "timestamp")
    message_id = envelope.get("messageId") or (shadow.get("messageId") if mode == "interop" else None)
    content = "payload" in envelope or "inputs" in envelope
    kind = envelope.get("kind", "data" if content else None)
    refuse(kind is None, "SA-30", "neither kind nor content")
    refuse(kind == "", "SA-27", "no kind")
    metadata = visible if mode == "interop" and visible else envelope.get("metadata", {}) | visible
    result = {"carrier": "structured", "kind": kind}
    result |= present(
        messageId=message_id, timestampMs=timestamp, metadata=metadata, transports=envelope.get("transports"),
        diagnostics=["shadowConflict"] if conflict else None)
    return result | {key: envelope[key] for key in ("payload", "inputs") if key in envelope}


def check_mirror(packet: dict, envelope: dict) -> None:
    for key in ("payload", "inputs"):
        if key in packet:
            good = key in envelope and same(doubles(packet[key]), doubles(envelope[key]))
            refuse(not good, "SA-12", f"{key} differs")
    mirror = [camel(one) for one in packet.get("transports", [])]
    refuse(mirror and mirror != envelope.get("transports", []), "SA-12", "transports differ")


def doubles(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: doubles(item) for key, item in value.items()}
    if isinstance(value, list):
        return [doubles(item) for item in value]
    if isinstance(value, Number):
        nearest = float(value.text)
        return value if nearest in (float("inf"), float("-inf")) else nearest
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


# Kinds.


def check_kind(packet: dict) -> None:
    kind, message_id = packet["kind"], packet.get("messageId")
    refuse(padded(kind), "SA-24", "kind")
    refuse(not re.fullmatch("[A-Za-z0-9._-]+", kind), "SA-27", "kind")
    refuse(kind not in RESERVED_KINDS and kind.lower() in RESERVED_KINDS, "SA-27", "a reserved word")
    if message_id is not None:
        refuse(not message_id or padded(message_id) or len(message_id) > 1024, "SA-24", "messageId")
    media = packet["carrier"] != "structured"
    if kind in ("heartbeat", "noop"):
        refuse(packet.keys() - {"carrier", "kind", "diagnostics"} or media, "SA-32", "something beside the kind")
    elif kind == "hook":
        event = packet.get("payload", {"event": "none"}).get("event")
        refuse(not isinstance(event, str) or not event, "SA-33", "event")
    elif kind == "error":
        refuse(media or "payload" not in packet, "SA-34", "an error has a payload and no media")
        check_error(packet["payload"])
    else:
        refuse(not media and "payload" not in packet and "inputs" not in packet, "SA-30", "no content")


def check_error(payload: dict) -> None:
    def check(good: Any, key: str) -> None:
        refuse(not good, "SA-34", key)

    message, code = payload.get("message"), payload.get("exitCode", Number("0"))
    check(payload.get("version") == "v1", "version")
    check(payload.get("type") in ERROR_TYPES, "type")
    check(isinstance(message, str) and message.strip(), "message")
    check(isinstance(payload.get("retryable", True), bool), "retryable")
    check(isinstance(code, Number) and re.fullmatch("-?[0-9]+", code.text), "exitCode")
    check(-(2**31) <= int(code.text) < 2**31, "exitCode")
    check(payload.get("exitClass", "unknown") in EXIT_CLASSES, "exitClass")
    check(isinstance(payload.get("code", ""), str), "code")
    check(isinstance(payload.get("details", {}), dict), "details")


# Encoding.


def encode(message: str, model: dict) -> bytes:
    """The bytes of a packet as a file describes it, or `Violation` for what decoding would refuse (SA-62)."""
    carriers = [key for key in wire.FRAMES[:2] + ("opaque",) if key in model]
    refuse(len(carriers) > 1, "SA-05", "several frames")
    for key in ("payload", "inputs"):
        refuse(key in model and not isinstance(model[key], dict), "SA-10", key)
    metadata = model.get("metadata", {})
    refuse(any(not key or padded(key) for key in metadata), "SA-24", "a metadata key")
    refuse(any(key.startswith("bubu.") for key in metadata), "SA-26", "a reserved key")
    timestamp = model.get("timestampMs")
    refuse(timestamp is not None and not 0 < timestamp < 2**63, "SA-23", "timestamp")
    view_of_model = {"carrier": "structured", "kind": "data"} | {
        key: value for key, value in model.items() if key not in wire.FRAMES and key != "opaque"
    }
    if carriers:
        view_of_model["carrier"] = carriers[0]
    check_kind(view_of_model)
    packet = encode_media(model, carriers[0]) if carriers else encode_structured(model)
    if "stream" in model:
        packet["envelope"] = model["stream"]
    check_bounds(packet)
    data = wire.encode(message, packet)
    decode(message, data, "canonical")
    return data


def encode_media(model: dict, carrier: str) -> dict:
    metadata = dict(model.get("metadata", {}))
    metadata |= {SHADOW[key]: str(model[key]) for key in SHADOW if key in model}
    packet = {"metadata": metadata} if metadata else {}
    for key in ("payload", "inputs"):
        if key in model:
            refuse(carrier == "opaque", "SA-40", key)
            check_numbers(model[key])
            packet[key] = model[key]
    if model.get("transports"):
        refuse(carrier == "opaque", "SA-40", "transports")
        packet["transports"] = [snake(one) for one in model["transports"]]
    if carrier != "opaque":
        return packet | {carrier: model[carrier]}
    opaque = model["opaque"]
    refuse(not opaque["mime"] or padded(opaque["mime"]), "SA-14", "no MIME type")
    reserved, good = media_type(opaque["mime"])
    refuse(reserved, "SA-07", "the reserved type")
    refuse(not good, "SA-14", "MIME type")
    frame = {"payload": opaque["bytes"], "mime_type": opaque["mime"]}
    return packet | {"binary": frame | present(timestamp_ms=opaque.get("mediaTimestampMs"))}


def snake(transport: dict) -> dict:
    result = {key: transport[key] for key in ("name", "kind", "mode") if key in transport}
    if "typedConfig" in transport:
        names = {"transportRef": "transport_ref", "modeReason": "mode_reason"}
        result["typed_config"] = {names[key]: value for key, value in transport["typedConfig"].items()}
    return result


def check_numbers(value: Any) -> None:
    """A Struct holds doubles, and nothing is rounded in silence (SA-11)."""
    if isinstance(value, dict):
        for item in value.values():
            check_numbers(item)
    elif isinstance(value, list):
        for item in value:
            check_numbers(item)
    elif isinstance(value, Number):
        nearest = float(value.text)
        refuse(nearest in (float("inf"), float("-inf")), "SA-11", value.text)
        refuse(Decimal(nearest) != Decimal(value.text), "SA-11", value.text)


def encode_structured(model: dict) -> dict:
    envelope: dict = {"version": "v1", "kind": model.get("kind", "data")}
    for key in KEYS[2:]:
        if key in model and (model[key] or key in ("payload", "inputs")):
            envelope[key] = model[key]
    data = write_json(envelope).encode()
    refuse(len(data) > MAX_FRAME, "SA-02", "too long")
    frame = {"payload": data, "mime_type": RESERVED_TYPE}
    return {"binary": frame | present(timestamp_ms=model.get("timestampMs"))}


def write_json(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ",".join(json.dumps(key, ensure_ascii=False) + ":" + write_json(one) for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(write_json, value)) + "]"
    return value.text if isinstance(value, Number) else json.dumps(value, ensure_ascii=False)
