"""Makes the vector files of this repository: what others' files leave out (Specs/packet-stream.md, section 10).

    python3 -m chatspec.packet_stream.make DIRECTORY

Verdicts are written down here by hand; views and bytes come from this implementation, which has to agree.
"""

import json
import sys
from pathlib import Path
from typing import Any, Iterator

from . import Violation, contract, encoding, wire
from .bounds import RESERVED_TYPE

SCHEMA = "streaming-abi-vectors/1"
AUDIO = {"pcm": b"\0\1", "sample_rate_hz": 16_000, "channels": 1, "codec": "opus"}


def envelope(text: str, mime: str = RESERVED_TYPE, **fields: Any) -> dict:
    return {"binary": {"payload": text.encode(), "mime_type": mime}} | fields


def nested(depth: int) -> dict:
    value: dict = {}
    for _ in range(depth - 1):
        value = {"k": value}
    return value


def packets() -> Iterator[tuple[str, dict | bytes, Any, Any]]:
    """What it is about, the packet or its bytes, and the verdicts of both modes."""
    yield "keys inside a transport that are not known say nothing", envelope(
        '{"payload":{},"transports":[{"name":"live","endpoint":"x","typedConfig":{"token":"y"}}]}'), "valid", "valid"
    yield "an empty message id is none", envelope('{"messageId":"","payload":{}}'), "valid", "valid"
    yield "an empty kind is no kind", envelope('{"kind":"","payload":{}}'), ["SA-27"], ["SA-27"]
    for parameters in ("; v", "; =1", "; a=1; A=2", '; a="1'):
        yield "a good envelope under broken parameters", envelope(
            '{"payload":{}}', RESERVED_TYPE + parameters), ["SA-06"], ["SA-06"]
    yield "a last semicolon says nothing", envelope('{"payload":{}}', RESERVED_TYPE + ";"), "valid", "valid"
    yield "blanks around the reserved type", envelope('{"payload":{}}', " " + RESERVED_TYPE), ["SA-14"], ["SA-14"]
    for bits in ("000000000000f87f", "000000000000f07f", "000000000000f0ff"):
        number = bytes.fromhex("11" + bits)
        struct = wire.delimited(1, wire.delimited(1, b"n") + wire.delimited(2, number))
        yield "a Struct has a number that JSON has not", wire.delimited(2, struct) + wire.encode(
            "DataPacket", {"audio": AUDIO}), ["SA-11"], ["SA-11"]
    yield "a Struct of 32 levels", {"audio": AUDIO, "payload": nested(32)}, "valid", "valid"
    yield "a Struct of 33 levels", {"audio": AUDIO, "payload": nested(33)}, ["SA-00"], ["SA-00"]
    for depth, verdict in ((127, "valid"), (128, ["SA-02"])):
        text = json.dumps({"payload": nested(depth)}, separators=(",", ":"))
        yield f"an envelope of {depth + 1} levels", envelope(text), verdict, verdict
    chunk = {"envelope": {"stream_id": "s", "chunk_id": "c", "chunk_count": 2}}
    yield "a piece of opaque bytes beside a payload", envelope("x", "a/b", payload={}, **chunk), ["SA-40"], ["SA-40"]
    yield "a piece of an envelope beside its mirror", envelope('{"pay', payload={}, **chunk), ["SA-12"], "valid"
    yield "a hook with media and no payload", {
        "audio": AUDIO, "metadata": {"bubu.envelope.kind": "hook"}}, "valid", "valid"
    yield "a hook with inputs alone", envelope('{"kind":"hook","inputs":{}}'), "valid", "valid"
    yield "a shadow timestamp with zeros in front", {
        "audio": AUDIO, "metadata": {"bubu.envelope.timestamp_ms": "007"}}, "valid", "valid"
    yield "of two spellings of a key the last counts", envelope(
        '{"payload":{"a":1},"Payload":{"a":2}}'), ["SA-03"], "valid"
    yield "opaque bytes that mirror the payload", envelope(
        '{"a":1}', "application/json", payload={"a": 1.0}), ["SA-40"], ["SA-40"]
    yield "a heartbeat with a timestamp of its frame", {
        "binary": {"payload": b'{"kind":"heartbeat"}', "mime_type": RESERVED_TYPE, "timestamp_ms": 5}
    }, ["SA-32"], ["SA-32"]
    for key, value in (("retryable", "null"), ("exitCode", "1.0"), ("details", "null"), ("exitClass", '"Retry"')):
        text = '{"kind":"error","payload":{"version":"v1","type":"timeout","message":"late","%s":%s}}' % (key, value)
        yield f"an error whose {key} is {value}", envelope(text), ["SA-34"], ["SA-34"]
    yield "a value of 1,024 characters of four bytes", envelope(
        '{"payload":{}}', metadata={"k": "💬" * 1_024}), "valid", "valid"
    yield "two names that look alike are two", envelope(
        '{"payload":{},"metadata":{"\\u00e9":"1"}}', metadata={"e\u0301": "2"}), "valid", "valid"


MODELS = [
    ("objects nest deeper than a Struct may", {"audio": AUDIO, "payload": nested(33)}, ["SA-00"]),
    ("a kind that is not data is named", {"audio": AUDIO, "kind": "speech.audio.v1"}, "valid"),
    ("hook by the shadow kind", {"audio": AUDIO, "kind": "hook", "messageId": "m"}, "valid"),
]


def traces() -> Iterator[dict]:
    key = "env|s||1"
    yield {
        "comment": "done after the session that delivered it: it does not come again", "what": "dedupe", "limit": 4,
        "events": [
            {"do": "arrive", "key": key}, {"do": "reconnect"}, {"do": "done", "key": key}, {"do": "arrive", "key": key},
        ],
        "out": ["deliver", "clear-pending", "receipt-none", "drop-completed+receipt"],
    }
    yield {
        "comment": "names that look alike are two", "what": "dedupe", "limit": 4,
        "events": [{"do": "arrive", "key": "msg|\u00e9"}, {"do": "arrive", "key": "msg|e\u0301"}],
        "out": ["deliver", "deliver"],
    }
    yield {
        "comment": "the last number that there is", "what": "order",
        "seqs": [["s", "", str(2**64 - 1)], ["s", "", str(2**64 - 1)], ["s", "", "1"]],
        "out": ["next", "duplicate", "duplicate"],
    }
    ready = {"action": 9, "metadata": {"startup.capabilities": "none"}}
    late = wire.encode("ControlResponse", ready).hex()
    yield {
        "comment": "the version comes behind the first packet", "what": "handshake",
        "trace": [{"event": "ready", "capabilities": "none", "hex": late}, {"event": "data"},
                  {"event": "protocol", "version": "1.0.0"}],
        "out": "SA-60", "at": 2,
    }


def shown(value: Any, free: bool = False, key: str = "") -> Any:
    """A view as files have it."""
    if isinstance(value, dict):
        inner = free or key in ("metadata", "payload", "inputs")
        return {name: shown(one, inner, "" if inner else name) for name, one in value.items()}
    if isinstance(value, list):
        return [shown(one, free, key) for one in value]
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, bool) or not isinstance(value, int) or free:
        return value if isinstance(value, (str, bool, int, float, type(None))) else json.loads(value.text)
    return str(value) if key in ("timestamp_ms", "sequence", "timestampMs", "mediaTimestampMs") else value


def verdict(step: Any, expected: Any, what: str) -> Any:
    try:
        value = step()
    except Violation as violation:
        if expected == "valid" or violation.rule not in expected:
            raise ValueError(f"{what}: {violation}, expected {expected}") from None
        return None
    if expected != "valid":
        raise ValueError(f"{what} is taken, expected {expected}")
    return value


def packet_case(number: int, comment: str, packet: dict | bytes, canonical: Any, interop: Any) -> dict:
    message = sorted(wire.PACKETS)[number % len(wire.PACKETS)] if isinstance(packet, dict) else "DataPacket"
    data = wire.encode(message, packet) if isinstance(packet, dict) else packet
    case = {"id": f"own-p{number}", "comment": comment, "message": message, "hex": data.hex()}
    for mode, expected in (("canonical", canonical), ("interop", interop)):
        case[mode] = expected
        view = verdict(lambda: contract.decode(message, data, mode), expected, f"{comment} ({mode})")
        if view is not None and str(view).count("{") < 30:  # a deep one says no more than that it is taken
            case[f"{mode}_view"] = shown(view)
    return case


def encode_case(number: int, comment: str, model: dict, expected: Any) -> dict:
    message = sorted(wire.PACKETS)[number % len(wire.PACKETS)]
    case = {"id": f"own-e{number}", "comment": comment, "message": message, "model": shown(model), "expect": expected}
    data = verdict(lambda: encoding.encode(message, model), expected, comment)
    if data is not None:
        view = shown(contract.decode(message, data, "canonical"))
        case |= {"hex": data.hex(), "bytes_exact": "audio" in model, "view": view}
    return case


def files() -> dict[str, str]:
    """Names and contents."""
    kinds = {
        "packets": [packet_case(number, *entry) for number, entry in enumerate(packets(), 1)],
        "encode": [encode_case(number, *entry) for number, entry in enumerate(MODELS, 1)],
        "trace": [{"id": f"own-s{number}"} | entry for number, entry in enumerate(traces(), 1)],
    }
    return {f"{kind}.json": document(kind, cases) for kind, cases in kinds.items()}


def document(kind: str, cases: list) -> str:
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    return f'{{"schema":"{SCHEMA}","kind":"{kind}","cases":[\n{lines}\n]}}\n'


if __name__ == "__main__":
    for name, content in files().items():
        (Path(sys.argv[1]) / name).write_text(content)
