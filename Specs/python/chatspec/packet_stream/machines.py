"""What delivers packets: keys, lists, chunks, order, receipts, pauses, back-off, and the start of a session
(Specs/packet-stream.md, section 7).
"""

from collections import OrderedDict
from typing import Any

from . import Violation, wire
from .bounds import check_bounds, check_schema, refuse

PROTOCOL_VERSION = "1.0.0"
ACTIONS = (
    "", "noop", "start", "stop", "start-upstream", "stop-upstream", "start-downstream", "stop-downstream", "heartbeat",
    "connector.ready", "connector.capabilities", "handoff.draining", "handoff.cutover", "handoff.ready", "ack", "error",
    "codec-select",
)
NOT_RETRIABLE = {
    "InvalidArgument", "PermissionDenied", "Unauthenticated", "Unimplemented", "FailedPrecondition", "HandshakeTimeout",
    "ProtocolMismatch", "MissingBinding",
}


def key_of(stream: dict | None, message_id: str | None) -> str | None:
    stream = stream or {}
    if stream.get("stream_id") and stream.get("sequence"):
        return f"env|{stream['stream_id']}|{stream.get('partition', '')}|{stream['sequence']}"
    return f"msg|{message_id}" if message_id else None


class Deduplication:
    """New, pending, completed; both lists are bounded."""

    def __init__(self, limit: int):
        self.limit = limit
        self.pending: set[str] = set()
        self.completed: OrderedDict[str, None] = OrderedDict()

    def arrive(self, key: str | None) -> str:
        if key is None:
            return "deliver"
        if key in self.completed:
            return "drop-completed+receipt" if key.startswith("env|") else "drop-completed"
        if key in self.pending:
            return "drop-pending"
        if len(self.pending) >= self.limit:
            return "overflow"
        self.pending.add(key)
        return "deliver"

    def done(self, key: str) -> str:
        known = key in self.pending
        self.pending.discard(key)
        self.completed.setdefault(key)
        if len(self.completed) > self.limit:
            self.completed.popitem(last=False)
        return "receipt" if known and key.startswith("env|") else "receipt-none"

    def release(self, key: str) -> str:
        self.pending.discard(key)
        return "released"

    def reconnect(self) -> str:
        self.pending.clear()
        return "clear-pending"


class Reassembly:
    """Pieces to packets; what is refused changes nothing."""

    def __init__(self, assemblies: int = 256, in_flight: int = 67_108_864, chunk: int = 10_485_760):
        self.assemblies, self.in_flight, self.chunk = assemblies, in_flight, chunk
        self.held: dict[tuple, dict] = {}

    def receive(self, packet: dict, now: int) -> tuple[str, dict | None]:
        check_bounds(packet)
        stream, frame = packet["envelope"], packet["binary"]
        data, index = frame["payload"], stream.get("chunk_index", 0)
        self.held = {key: one for key, one in self.held.items() if now - one["touched"] <= 120_000}
        key = (stream["stream_id"], stream.get("partition", ""), stream["chunk_id"])
        same = (
            stream["chunk_count"], stream.get("total_bytes", 0), frame.get("mime_type", ""),
            packet.get("metadata", {}),
        )
        if len(data) > self.chunk:
            raise Violation("SA-51", "a chunk is too long")
        one = self.held.get(key)
        if one is None and len(self.held) >= self.assemblies:
            raise Violation("SA-51", "too many packets wait")
        if one is not None and one["same"] != same:
            raise Violation("SA-51", "chunks differ")
        if one is not None and index in one["pieces"]:
            one["touched"] = now
            return "duplicate", None
        held = sum(len(piece) for other in self.held.values() for piece in other["pieces"].values())
        if held + len(data) > self.in_flight:
            raise Violation("SA-51", "too many bytes wait")
        pieces = dict(one["pieces"] if one else {}) | {index: data}
        first = packet if index == 0 else one and one["first"]
        if len(pieces) < stream["chunk_count"]:
            self.held[key] = {"same": same, "pieces": pieces, "first": first, "touched": now}
            return "collecting", None
        whole = b"".join(pieces[place] for place in sorted(pieces))
        if stream.get("total_bytes", len(whole)) != len(whole):
            raise Violation("SA-51", "total_bytes")
        self.held.pop(key, None)
        kept = ("stream_id", "sequence", "partition")
        place = {key: value for key, value in first["envelope"].items() if key in kept}
        return "assembled", first | {"envelope": place, "binary": first["binary"] | {"payload": whole}}


class Order:
    """The first number of a stream and partition begins its count."""

    def __init__(self) -> None:
        self.last: dict[tuple[str, str], int] = {}

    def take(self, stream: str, partition: str, sequence: int) -> str:
        if not stream or not sequence:
            return "unsequenced"
        last = self.last.get((stream, partition))
        if last is not None and sequence <= last:
            return "duplicate"
        if last is not None and sequence > last + 1:
            return "gap"
        self.last[stream, partition] = sequence
        return "next"


class Gauge:
    """Pause at 90 % of a buffer, resume at 50 %."""

    def __init__(self, capacity: int):
        self.capacity, self.depth, self.paused = capacity, 0, False

    def step(self, character: str) -> str | None:
        self.depth += 1 if character == "+" else -1
        if not self.paused and character == "+" and self.depth * 100 >= self.capacity * 90:
            self.paused = True
            return "pause"
        if self.paused and character == "-" and self.depth * 100 <= self.capacity * 50:
            self.paused = False
            return "resume"
        return None


class Backoff:
    """500 ms, twice as long each time, ten tries until something is delivered."""

    def __init__(self, cap: int = 30_000, retries: int = 10):
        self.cap, self.retries, self.failures = cap, retries, 0

    def step(self, event: str) -> Any:
        if event == "delivered":
            self.failures = 0
            return "reset"
        if event.removeprefix("fail ") in NOT_RETRIABLE or self.failures >= self.retries:
            return "stop"
        self.failures += 1
        return min(500 * 2 ** (self.failures - 1), self.cap)


def receipt(stream: dict | None, size: int) -> dict | None:
    """The directive that says that a step is done with a packet."""
    stream = stream or {}
    if not stream.get("stream_id") or not stream.get("sequence"):
        return None
    metadata = {
        "stream_id": stream["stream_id"], "sequence": str(stream["sequence"]), "partition": stream.get("partition", ""),
        "size_bytes": str(size),
    }
    return {"metadata": metadata, "custom_action": "downstream.delivered"}


def name_of(control: dict) -> str:
    """What a directive asks for: the custom action unless it is blank."""
    custom = control.get("custom_action", "")
    action = control.get("action", 0)
    return custom if custom.strip() else ACTIONS[action] if 0 <= action < len(ACTIONS) else ""


class Handshake:
    """ready, perhaps capabilities, then packets."""

    def __init__(self) -> None:
        self.ready: str | None = None
        self.capable = self.packets = False

    @property
    def running(self) -> bool:
        return self.ready == "none" or self.ready == "required" and self.capable

    def protocol(self, version: str | None) -> None:
        refuse(self.packets, "SA-60", "behind the first packet")
        refuse(version is None or version.strip() != PROTOCOL_VERSION, "SA-60", repr(version))

    def directive(self, data: bytes) -> None:
        control = wire.decode("ControlResponse", data)
        try:
            check_schema("ControlResponse", control)
        except Violation as violation:
            raise Violation("SA-61", str(violation)) from violation
        if name_of(control) == "connector.ready":
            stated = control.get("metadata", {}).get("startup.capabilities", "").strip().lower()
            refuse(stated not in ("none", "required"), "SA-60", repr(stated))
            self.ready = self.ready or stated
        elif name_of(control) == "connector.capabilities":
            self.capable = True

    def packet(self) -> None:
        refuse(not self.running, "SA-61", "a packet before the handshake is done")
        self.packets = True
