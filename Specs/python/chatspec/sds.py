"""SCALABLE-DATA-SYNC, the part that decides what is delivered and acknowledged; no Bloom filter, no repair.

>>> saro, raya = Channel("c", "saro"), Channel("c", "raya")
>>> first, second = saro.send(1000, "a1", b"1"), saro.send(1001, "a2", b"2")
>>> raya.receive(second), [message["message_id"] for message in raya.receive(first)]
([], ['a1', 'a2'])
>>> saro.receive(raya.send(1002, "b1", b"3"))[0]["content"], saro.outgoing
(b'3', {'a1': 'acknowledged', 'a2': 'acknowledged'})
"""

from .messages import SdsMessage
from .primitives import blake2b
from .refusal import require

HISTORY_LENGTH = 2  # recommended by the document
MAX_HISTORY = 200  # entries of a received message
MAX_WAITING = 1000  # messages that wait for their causal past; the oldest goes first


def libchat_message_id(channel: str, sender: str, lamport: int, content: bytes) -> str:
    """The id that the existing implementation derives; the timestamp has four bytes, big-endian.

    >>> libchat_message_id("c", "alice", 1, b"1")[:16]
    '6aad9515d6c18e9a'
    """
    number = lamport.to_bytes(4, "big", signed=True)
    return blake2b(32, b"|".join([b"deterministic_frame_id", channel.encode(), sender.encode(), number, content])).hex()


class Channel:
    """One participant of one channel."""

    def __init__(self, channel_id: str, sender_id: str, lamport: int = 0, history_length: int = HISTORY_LENGTH):
        self.channel_id, self.sender_id, self.history_length = channel_id, sender_id, history_length
        self.lamport = lamport
        self.log: list[tuple[int, str]] = []  # SDS-08: by time, then by id
        self.waiting: dict[str, dict] = {}  # SDS-07
        self.outgoing: dict[str, str] = {}  # SDS-05: own messages and what is known of them

    def send(self, now_ms: int, message_id: str, content: bytes) -> bytes:
        """SDS-04, SDS-05. The own message enters the log, so that later ones depend on it."""
        lamport = max(now_ms, self.lamport + 1)
        require(lamport < 2**64, "too_large", "the clock is at its end")
        history = [{"message_id": known} for _, known in self.log[max(0, len(self.log) - self.history_length) :]]
        message = {
            "sender_id": self.sender_id, "message_id": message_id, "channel_id": self.channel_id,
            "lamport_timestamp": lamport, "causal_history": history, "content": content,
        }
        encoded = SdsMessage.encode(message)
        self._insert(lamport, message_id)
        self.outgoing[message_id] = "unacknowledged"
        return encoded

    def receive(self, data: bytes) -> list[dict]:
        """The messages that are delivered, in order: perhaps none, perhaps others that waited for this one."""
        message = SdsMessage.decode(data)
        history = message.get("causal_history", [])
        require(len(history) <= MAX_HISTORY, "too_large", f"{len(history)} entries of history, at most {MAX_HISTORY}")
        message_id = message.get("message_id", "")
        if message.get("sender_id", "") == self.sender_id or message.get("channel_id", "") != self.channel_id:
            return []  # SDS-06
        if message_id in self.waiting or self._is_in_log(message_id):
            return []
        if "lamport_timestamp" not in message:
            return [message] if message.get("content") else []  # SDS-14, ephemeral
        for entry in history:  # SDS-09
            if entry.get("message_id", "") in self.outgoing:
                self.outgoing[entry.get("message_id", "")] = "acknowledged"
        if not message.get("content"):
            return []  # SDS-12, a sync message
        self.waiting[message_id] = message
        while len(self.waiting) > MAX_WAITING:
            del self.waiting[next(iter(self.waiting))]
        return self._deliver_ready()

    def _deliver_ready(self) -> list[dict]:
        """Delivers what waits for nothing any more, earliest first, until there is none (SDS-07, SDS-10)."""
        delivered = []
        while ready := [m for m in self.waiting.values() if self._has_causal_past(m)]:
            message = min(ready, key=lambda m: (m["lamport_timestamp"], m.get("message_id", "")))
            del self.waiting[message.get("message_id", "")]
            self._insert(message["lamport_timestamp"], message.get("message_id", ""))
            delivered.append(message)
        return delivered

    def _has_causal_past(self, message: dict) -> bool:
        return all(self._is_in_log(entry.get("message_id", "")) for entry in message.get("causal_history", []))

    def _is_in_log(self, message_id: str) -> bool:
        return any(known == message_id for _, known in self.log)

    def _insert(self, lamport: int, message_id: str) -> None:
        """SDS-08: the clock never goes back, the log is sorted."""
        self.lamport = max(self.lamport, lamport)
        self.log.append((lamport, message_id))
        self.log.sort()
