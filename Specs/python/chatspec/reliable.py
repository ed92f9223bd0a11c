"""The stage that makes a conversation reliable (Specs/reliable.md): frames, segments, SDS messages.

What it gives is encrypted by the conversation, what the conversation decrypts is given to it. It answers repair
requests, acknowledges, and sends again what was not acknowledged; it asks for nothing itself.

>>> saro, raya = Stage("I", "R", "0"), Stage("R", "I", "0", is_responder=True)
>>> lost, second = saro.send(1000, b"1")[0], saro.send(1000, b"2")[0]
>>> raya.receive(1000, second), [saro.receive(1000, message) for message in raya.due(2000)]
([], [[]])
>>> [raya.receive(7000, message) for message in saro.due(7000)][0]
[b'1', b'2']
"""

from typing import Any

from . import sds, segmentation
from .messages import PrivateV1FrameDocument, SdsMessage
from .primitives import blake2b
from .privatev1 import frame_id
from .proto3 import Field, Message
from .refusal import Refused, require

MAX_SEGMENT = 102_400  # REL-1
NEWEST, FRONTIER = 2, 8  # SDS-04: ids of the log, and of what nobody has named yet
SYNC_ID, SYNC_PAUSE = "sync", 1_000  # SDS-12, milliseconds
FIRST_PAUSE, LONGEST_PAUSE = 5_000, 600_000  # SDS-11
MAX_CLOCK = 2**63 - 1  # SDS-R4

BloomFilter = Message(
    "BloomFilter", Field(1, "bits", "bytes"), Field(2, "capacity", "uint64"), Field(3, "error_rate", "uint64"),
    Field(4, "hashes", "uint64"), Field(5, "bit_count", "uint64"),
)


def bloom_filter(ids: list[str], capacity: int = 2_000, millionths: int = 1_000, hashes: int = 10,
                 bit_count: int = 28_756) -> bytes:
    """The filter of some ids ("Filter" in sds.md).

    >>> bloom_filter(["a1"], 4, 10_000, 3, 64).hex()
    '0a080004410000000000100418904e20032840'
    """
    bits = bytearray((bit_count + 63) // 64 * 8)
    for message_id in ids:
        digest = blake2b(16, message_id.encode())
        first, second = int.from_bytes(digest[:8], "little"), int.from_bytes(digest[8:], "little")
        for i in range(hashes):
            bit = (first + i * second) % 2**64 % bit_count
            bits[bit // 8] |= 1 << bit % 8
    return BloomFilter.encode({
        "bits": bytes(bits), "capacity": capacity, "error_rate": millionths, "hashes": hashes, "bit_count": bit_count,
    })


class Stage:
    """One of two participants. `has_filter` is PVR-5."""

    def __init__(self, own: str, peer: str, channel: str, is_responder: bool = False, has_filter: bool = False):
        self.peer, self.parity, self.has_filter = peer, int(is_responder), has_filter
        self.channel = sds.Channel(channel, own)
        self.segments = segmentation.Reassembler()
        self.unacknowledged: dict[str, dict] = {}  # own messages: bytes, ids they named, when to send again
        self.frontier: list[str] = []  # delivered ids that no own message has named
        self.sync_at: int | None = None

    def send(self, now: int, content: bytes) -> list[bytes]:
        """The messages of one content, a segment each (REL-1, REL-2, REL-3)."""
        timestamp = max(now, self.channel.lamport + 1)
        timestamp += timestamp % 2 != self.parity
        frame = PrivateV1FrameDocument.encode({"timestamp": timestamp, "content": content})
        segments = segmentation.split(frame, MAX_SEGMENT)
        ids = [frame_id(frame)] if len(segments) == 1 else [frame_id(segment) for segment in segments]
        return [self._message(now, timestamp, *both) for both in zip(ids, segments)]

    def receive(self, now: int, data: bytes) -> list[bytes]:
        """The contents that a message completes. One that is no good message is lost, as REL-5 has it."""
        try:
            message = SdsMessage.decode(data)
            self._check(message)
        except Refused:
            return []
        for entry in message.get("causal_history", []):  # SDS-09, with ancestors
            self._acknowledge(entry["message_id"])
        for entry in message.get("repair_request", []):  # SDSR-06
            if entry["message_id"] in self.unacknowledged:
                self.unacknowledged[entry["message_id"]]["due"] = now
        if message.get("content") and self.sync_at is None:
            self.sync_at = now + SYNC_PAUSE
        if message["message_id"] not in self.frontier and message.get("content"):
            self.frontier.append(message["message_id"])
        contents = [self._content(delivered.get("content", b"")) for delivered in self.channel.receive(data)]
        return [content for content in contents if content is not None]

    def due(self, now: int) -> list[bytes]:
        """What is sent again or acknowledged now (SDS-11, SDS-12)."""
        messages = []
        for sent in self.unacknowledged.values():
            if sent["due"] <= now:
                messages.append(sent["data"])
                sent["pause"] = min(2 * sent["pause"], LONGEST_PAUSE)
                sent["due"] = now + sent["pause"]
        if self.sync_at is not None and self.sync_at <= now:
            messages.append(self._encoded(max(now, self.channel.lamport + 1), SYNC_ID, b"", self._history()))
        return messages

    def _history(self) -> list[str]:
        """SDS-04, in the order of the log; what is named once is not in the frontier any more."""
        log = [known for _, known in self.channel.log]
        named = [known for known in log[-NEWEST:]] + [i for i in self.frontier if i in log][:FRONTIER]
        self.frontier = [known for known in self.frontier if known not in named]
        self.sync_at = None
        return sorted(set(named), key=log.index)

    def _message(self, now: int, lamport: int, message_id: str, content: bytes) -> bytes:
        history = self._history()
        lamport = max(lamport, self.channel.lamport + 1)
        data = self._encoded(lamport, message_id, content, history)
        self.channel._insert(lamport, message_id)
        self.unacknowledged[message_id] = {
            "data": data, "named": history, "pause": FIRST_PAUSE, "due": now + FIRST_PAUSE,
        }
        return data

    def _encoded(self, lamport: int, message_id: str, content: bytes, history: list[str]) -> bytes:
        message: dict[str, Any] = {
            "sender_id": self.channel.sender_id, "message_id": message_id, "channel_id": self.channel.channel_id,
            "lamport_timestamp": lamport, "causal_history": [{"message_id": known} for known in history],
        }
        if self.has_filter:
            message["bloom_filter"] = bloom_filter([known for _, known in self.channel.log][-1_000:])
        return SdsMessage.encode(message | ({"content": content} if content else {}))

    def _check(self, message: dict) -> None:
        """SDS-R3, SDS-R4, PV1-12."""
        require(message.get("sender_id", "") == self.peer, "malformed", "another sender than the other side")
        require(message.get("channel_id", "") == self.channel.channel_id, "malformed", "another channel")
        require(message.get("message_id", "") != "", "malformed", "a message without id")
        require(message.get("lamport_timestamp", 0) <= MAX_CLOCK, "malformed", "a clock beyond the end")
        entries = message.get("causal_history", []) + message.get("repair_request", [])
        require(all(entry.get("message_id", "") for entry in entries), "malformed", "an entry without id")

    def _acknowledge(self, message_id: str) -> None:
        waiting = [message_id]
        while waiting:
            sent = self.unacknowledged.pop(waiting.pop(), None)
            waiting += sent["named"] if sent else []

    def _content(self, segment: bytes) -> bytes | None:
        try:
            frame = self.segments.receive(segment)
            return None if frame is None else PrivateV1FrameDocument.decode(frame, without_arms=True).get("content")
        except Refused:
            return None

    def state(self) -> dict:
        """Everything, as JSON has it."""
        return {
            "own": self.channel.sender_id, "peer": self.peer, "channel": self.channel.channel_id,
            "is_responder": bool(self.parity), "has_filter": self.has_filter, "lamport": self.channel.lamport,
            "log": self.channel.log, "waiting": [SdsMessage.encode(m).hex() for m in self.channel.waiting.values()],
            "unacknowledged": [
                [known, {**sent, "data": sent["data"].hex()}] for known, sent in self.unacknowledged.items()
            ],
            "frontier": self.frontier, "sync_at": self.sync_at,
            "segments": [
                segmentation.SegmentMessageProto.encode({
                    "entire_message_hash": digest, "data_segment_count": pieces.counts[0],
                    "data_segment_index": index, "payload": piece,
                }).hex()
                for digest, pieces in self.segments.incomplete.items() for index, piece in pieces.data.items()
            ],
        }

    @classmethod
    def restore(cls, state: dict) -> "Stage":
        """Reads what `state` gave; raises `KeyError`, `TypeError` or `ValueError` for anything else."""
        self = cls(state["own"], state["peer"], state["channel"], state["is_responder"], state["has_filter"])
        self.channel.lamport = int(state["lamport"])
        self.channel.log = [(int(lamport), str(known)) for lamport, known in state["log"]]
        for data in state["waiting"]:
            message = SdsMessage.decode(bytes.fromhex(data))
            self.channel.waiting[message["message_id"]] = message
        for known, sent in state["unacknowledged"]:
            self.unacknowledged[known] = {**sent, "data": bytes.fromhex(sent["data"])}
        self.frontier, self.sync_at = list(state["frontier"]), state["sync_at"]
        for segment in state["segments"]:
            self.segments.receive(bytes.fromhex(segment))
        return self
