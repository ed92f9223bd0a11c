"""Encoding packets, canonically (Specs/packet-stream.md, section 6)."""

import json
from decimal import Decimal
from typing import Any

from ..agent_chat.jsontext import Number
from . import wire
from .bounds import MAX_FRAME, RESERVED_TYPE, check_bounds, media_type, padded, refuse
from .contract import KEYS, SHADOW, check_kind, decode, present


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
        pairs = (json.dumps(key, ensure_ascii=False) + ":" + write_json(one) for key, one in value.items())
        return "{" + ",".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(write_json, value)) + "]"
    return value.text if isinstance(value, Number) else json.dumps(value, ensure_ascii=False)
