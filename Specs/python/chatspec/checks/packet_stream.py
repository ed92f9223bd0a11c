"""Vector files of streaming packets, format `streaming-abi-vectors/1` (Specs/packet-stream.md, section 10)."""

import json
from typing import Any, Callable

from ..agent_chat.jsontext import Number, same
from ..packet_stream import Violation, bounds, contract, encoding, machines, wire
from .common import Mismatch, NotApplicable

SCHEMA = "streaming-abi-vectors/1"
LONGS = ("timestamp_ms", "sequence", "ack", "timestampMs", "mediaTimestampMs")
FREE = ("metadata", "details", "payload", "inputs")  # what the application fills


def parse(document: bytes) -> Any:
    """A file, whose numbers keep their spelling."""
    return json.loads(document, parse_int=Number, parse_float=Number)


def check(document: dict, case: dict) -> None:
    kind = document.get("kind")
    if kind not in KINDS:
        raise NotApplicable(f"kind {kind!r}")
    KINDS[kind](case)


def expect(what: str, actual: Any, expected: Any) -> None:
    if not same(actual, expected):
        raise Mismatch(f"{what} is {actual!r:.300}, the file has {expected!r:.300}")


def verdict(step: Callable[[], Any], expected: Any, what: str) -> Any:
    """What a step gives; None if it was refused as the file has it."""
    try:
        value = step()
    except Violation as violation:
        if not isinstance(expected, list) or violation.rule not in expected:
            raise Mismatch(f"{what} is refused ({violation}), the file has {expected}") from None
        return None
    if isinstance(expected, list):
        raise Mismatch(f"{what} is taken, the file refuses it ({expected})")
    return value


def data_of(case: dict, key: str = "hex") -> bytes:
    if key in case:
        return bytes.fromhex(case[key])
    return b"".join(bytes.fromhex(part) * count.whole for part, count in case["hex_parts"])


def number(value: Any) -> Number:
    return Number(repr(value)) if "e" not in repr(value) else Number(repr(value).replace("e+", "e"))


def shown(value: Any, free: bool = False, key: str = "") -> Any:
    """A view as files have it: bytes in hex, 64-bit numbers as texts."""
    if isinstance(value, dict):
        inner = free or key in FREE
        return {name: shown(one, inner, "" if inner else name) for name, one in value.items()}
    if isinstance(value, list):
        return [shown(one, free, key) for one in value]
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return value
    return str(value) if not free and key in LONGS else number(value)


def taken(value: Any, place: str = "") -> Any:
    """A model of a file as the codec has it; what the application fills stays as it is."""
    if isinstance(value, dict):
        return {name: one if not place and name in FREE else taken(one, name) for name, one in value.items()}
    if isinstance(value, list):
        return [taken(one, place) for one in value]
    if isinstance(value, Number):
        return int(value.text)
    if place in ("pcm", "bytes", "payload"):
        return bytes.fromhex(value)
    return int(value) if place in LONGS else value


def wire_case(case: dict) -> None:
    name, data = case["message"], data_of(case)
    if name not in wire.MESSAGES:
        raise NotApplicable(f"message {name}")
    kind = case.get("kind", "roundtrip")
    value = verdict(lambda: wire.decode(name, data), ["SA-00"] if kind == "reject" else None, name)
    if value is None:
        return
    expect("the view", shown(value), case["view"])
    if kind == "roundtrip":
        expect("the encoding", wire.encode(name, value).hex(), data.hex())


def packet_case(case: dict) -> None:
    data = data_of(case)
    reject = case.get("options", {}).get("rejectShadowConflict", False)
    for mode in ("canonical", "interop"):
        view = verdict(lambda: contract.decode(case["message"], data, mode, reject), case[mode], mode)
        key = f"{mode}_view"
        if view is not None and key in case:
            expect(key, shown(view), case["canonical_view"] if case[key] == "same" else case[key])


def encode_case(case: dict) -> None:
    message = case["message"]
    data = verdict(lambda: encoding.encode(message, taken(case["model"])), case["expect"], "the model")
    if data is None:
        return
    expect("the view", shown(contract.decode(message, data, "canonical")), case["view"])
    if case["bytes_exact"]:
        return expect("the encoding", data.hex(), case["hex"])
    mine, other = wire.decode(message, data), wire.decode(message, bytes.fromhex(case["hex"]))
    expect("metadata", mine.get("metadata", {}), other.get("metadata", {}))
    expect("MIME type", mine["binary"]["mime_type"], other["binary"]["mime_type"])


def sdk_case(case: dict) -> None:
    what = case["what"]
    if what in ("emit", "read"):
        if "hex" in case:
            packet_case(case)
    elif what == "wire":
        wire_case(case)
    elif what == "chunks":
        chunks(case)
    elif what == "bounds":
        within(case)
    else:
        raise NotApplicable(f"what {what}")


def within(case: dict) -> None:
    name = case["message"]
    try:
        bounds.check_schema(name, wire.decode(name, data_of(case)))
        valid = True
    except Violation:
        valid = False
    expect("valid", valid, case["valid"])


def trace_case(case: dict) -> None:
    if case["what"] not in TRACES:
        raise NotApplicable(f"what {case['what']}")
    TRACES[case["what"]](case)


def dedupe(case: dict) -> None:
    lists, out = machines.Deduplication(case["limit"].whole), []
    for event in case["events"]:
        step = getattr(lists, event["do"])
        out.append(step() if event["do"] == "reconnect" else step(event.get("key")))
    expect("the trace", out, case["out"])


def dedupe_key(case: dict) -> None:
    stream = taken(case["stream"]) if case["stream"] else None
    expect("the key", machines.key_of(stream, case["messageId"]), case["key"])


def chunks(case: dict) -> None:
    limits = {key: value.whole for key, value in case.get("limits", {}).items()}
    reassembly = machines.Reassembly(**limits)
    for place, (step, expected) in enumerate(zip(case["steps"], case["out"], strict=True)):
        packet = {
            "metadata": step["metadata"], "envelope": taken(step["stream"]),
            "binary": {"payload": bytes.fromhex(step["bytes"]), "mime_type": step["mime"]},
        }
        before = dict(reassembly.held)
        rule = expected.get("rule")
        now = step["at_ms"].whole if "at_ms" in step else 0
        result = verdict(
            lambda: reassembly.receive(packet, now), [rule] if isinstance(rule, str) else rule, f"chunk {place}")
        if result is None:
            return expect("what is held", reassembly.held == before, True)
        state, whole = result
        shown_result = {"state": state}
        if whole is not None:
            shown_result |= {"bytes": whole["binary"]["payload"].hex(), "stream": shown(whole["envelope"])}
        expect(f"chunk {place}", shown_result, expected)


def handshake(case: dict) -> None:
    start, out, at = machines.Handshake(), None, 0
    for at, event in enumerate(case["trace"]):
        try:
            out = happen(start, event)
        except Violation as violation:
            out = violation.rule
        if out:
            break
    expect("the outcome", out or ("running" if start.running else "waiting"), case["out"])
    expect("its place", at, case["at"].whole)


def happen(start: machines.Handshake, event: dict) -> str | None:
    if event["event"] == "protocol":
        start.protocol(event.get("version"))
    elif event["event"] == "data":
        start.packet()
    elif event["event"] == "timeout":
        return None if start.running else "timeout"
    elif event["event"] in ("ready", "capabilities"):
        start.directive(bytes.fromhex(event["hex"]))
    else:
        raise NotApplicable(f"event {event['event']}")
    return None


def order(case: dict) -> None:
    counts = machines.Order()
    expect("the trace", [counts.take(one, part, int(at)) for one, part, at in case["seqs"]], case["out"])


def backoff(case: dict) -> None:
    pauses = machines.Backoff(case["cap_ms"].whole)
    out = [pauses.step(event) for event in case["events"]]
    expect("the trace", [Number(str(one)) if isinstance(one, int) else one for one in out], case["out"])


def pause(case: dict) -> None:
    gauge = machines.Gauge(case["capacity"].whole)
    signals = [(place, gauge.step(one)) for place, one in enumerate(case["steps"])]
    expect("the trace", [[Number(str(place)), signal] for place, signal in signals if signal], case["out"])


def receipt(case: dict) -> None:
    message = machines.receipt(taken(case["stream"]) if case["stream"] else None, case["size"].whole)
    if message is None or case["out"] is None:
        return expect("the receipt", message, case["out"])
    expect("the metadata", message["metadata"], case["out"]["metadata"])
    expect("the receipt", wire.encode("ControlRequest", message).hex(), case["out"]["hex"])


def ack(case: dict) -> None:
    name = machines.name_of(wire.decode("ControlResponse", bytes.fromhex(case["request_hex"])))
    expect("the type", None if name == "ack" else name, case["answer_type"])


TRACES = {
    "dedupe": dedupe, "dedupe-key": dedupe_key, "chunks": chunks, "handshake": handshake, "order": order,
    "backoff": backoff, "pause": pause, "receipt": receipt, "ack": ack,
}
KINDS = {"wire": wire_case, "packets": packet_case, "encode": encode_case, "trace": trace_case, "sdk": sdk_case}
