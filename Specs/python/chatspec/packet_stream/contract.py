"""Decoding packets in both modes (Specs/packet-stream.md, sections 4 to 6).

A view is a dictionary as the vector files have it: texts, bytes as bytes, 64-bit numbers as integers.
"""

import json
import re
from typing import Any

from ..agent_chat.jsontext import Number, depth, has_surrogate, same
from . import Violation, wire
from .bounds import MAX_FRAME, check_bounds, media_type, padded, refuse

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
