"""The stage that makes a conversation reliable (Specs/reliable.md): frames, segments, SDS messages.

What it gives is encrypted by the conversation, what the conversation decrypts is given to it.

>>> saro, raya = Stage("I", "R", "0", 0), Stage("R", "I", "0", 0, is_responder=True)
>>> lost, second = saro.send(1000, b"1")[0], saro.send(1000, b"2")[0]
>>> raya.receive(1000, second).missing == [raya.channel.missing.popitem()[0]]
True
>>> [raya.receive(3000, message).contents for message in saro.wake(3000).messages]
[[b'1', b'2'], []]
>>> saro.receive(3500, raya.wake(3500).messages[0]).finished
[1, 2]
"""

from dataclasses import dataclass, field

from . import bloom, member, segmentation
from .messages import PrivateV1FrameDocument
from .privatev1 import frame_id
from .refusal import Refused, require

MAX_SEGMENT = 102_400  # REL-1


@dataclass
class Step:
    """What came of one step: messages to be encrypted, and what the application hears."""

    messages: list[bytes] = field(default_factory=list)
    contents: list[bytes] = field(default_factory=list)
    placeholders: list[int] = field(default_factory=list)
    finished: list[int] = field(default_factory=list)  # own contents, from 1, that the other side has
    failed: list[int] = field(default_factory=list)  # own contents that were given up
    missing: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)


class Stage:
    """One of two participants. `has_filter` is PVR-5."""

    def __init__(self, own: str, peer: str, channel: str, now: int, is_responder: bool = False,
                 has_filter: bool = False, segment_size: int = MAX_SEGMENT):
        self.own, self.peer, self.segment_size = own, peer, segment_size
        self.parity, self.has_filter = int(is_responder), has_filter
        settings = member.Settings(
            filter=bloom.STANDARD if has_filter else None, acknowledges_ancestors=True, presumed=None,
            first_pause=2_000, doubles_while_heard=False, window=64, at_once=8, acknowledge=500, shortest=200, longest=200,
            requests=16, answers_for_others=False, names_senders=False,
        )
        self.channel = member.Member(channel, own, now, settings)
        self.segments = segmentation.Reassembler()
        self.unfinished: list[list[str]] = []  # of each own content: messages that are not acknowledged

    def send(self, now: int, content: bytes) -> list[bytes]:
        """The messages of one content, a segment each (REL-1, REL-2, REL-3)."""
        timestamp = max(now, self.channel.lamport + 1)
        timestamp += timestamp % 2 != self.parity
        frame = PrivateV1FrameDocument.encode({"timestamp": timestamp, "content": content})
        segments = segmentation.split(frame, self.segment_size)
        ids = [frame_id(frame)] if len(segments) == 1 else [frame_id(segment) for segment in segments]
        self.unfinished.append(ids)
        messages = []
        for message_id, segment in zip(ids, segments):
            messages += self.channel.send(now, message_id, segment, clock=timestamp).messages
        return [message.data for message in messages]

    def receive(self, now: int, data: bytes) -> Step:
        """REL-4, REL-5: what is no good message, segment or frame is reported, and lost."""
        try:
            return self._told(self.channel.receive(now, data, self.peer))
        except Refused as refusal:
            return Step(refused=[refusal])

    def begin(self, now: int, data: bytes) -> Step:
        """PVR-6: the opening. What is refused begins nothing."""
        step = self.receive(now, data)
        for refusal in step.refused:
            raise refusal
        is_content = self.channel.log or self.channel.waiting
        require(bool(is_content), "malformed", "an opening without clock or content")
        return step

    def wake(self, now: int) -> Step:
        """What is sent again, acknowledged, asked for and given up now."""
        return self._told(self.channel.wake(now))

    def _told(self, told: member.Step) -> Step:
        step = Step([message.data for message in told.messages], missing=told.missing, lost=told.lost)
        for message, _ in told.delivered:
            try:
                self._take(message["content"], step)
            except Refused as refusal:
                step.refused.append(refusal)
        for number, ids in enumerate(self.unfinished, 1):
            if any(known in told.gave_up for known in ids):
                ids.clear()
                step.failed.append(number)
            elif any(known in told.acknowledged for known in ids):
                ids[:] = [known for known in ids if known not in told.acknowledged]
                step.finished += [] if ids else [number]
        return step

    def _take(self, segment: bytes, step: Step) -> None:
        data = self.segments.receive(segment)
        if data is None:
            return
        frame = PrivateV1FrameDocument.decode(data, without_arms=True)
        if "content" in frame:
            step.contents.append(frame["content"])
        elif "placeholder" in frame:
            step.placeholders.append(frame["placeholder"].get("counter", 0))
        else:  # REL-6
            raise Refused("unsupported", "a frame of a kind that is not known")

    def state(self) -> dict:
        """Everything, as JSON has it."""
        return {
            "own": self.own, "peer": self.peer, "channel": self.channel.channel_id, "is_responder": bool(self.parity),
            "has_filter": self.has_filter, "member": self.channel.state(), "unfinished": self.unfinished,
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
        self = cls(state["own"], state["peer"], state["channel"], 0, state["is_responder"], state["has_filter"])
        self.channel.restore(state["member"])
        self.unfinished = [list(map(str, ids)) for ids in state["unfinished"]]
        for segment in state["segments"]:
            self.segments.receive(bytes.fromhex(segment))
        return self
