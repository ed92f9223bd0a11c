"""Files of kind private_v1: conversations of profile reference, from a seed to payloads and back."""

import hashlib

from .. import inbox, privatev1
from ..messages import EncryptedPayload
from ..primitives import KEY_SIZE, NONCE_SIZE, public_key
from ..ratchet import REFERENCE, Ratchet
from ..reference import ID_SIZE, delivery_address
from ..refusal import Refused
from ..reliable import Stage, Step
from ..texts import read_hex
from .common import Mismatch, NotApplicable, Scripted, data, demand, expect_fields

LONGEST_PAYLOAD = 2_048  # larger ones stand in a file by their hash, where the case does not say otherwise
TYPES = ("private-v1", "private-v1-compact")


class Side:
    """A ratchet and the stage around it."""

    def __init__(self, ratchet: Ratchet, stage: Stage):
        self.ratchet, self.stage = ratchet, stage

    def state(self) -> tuple:
        return self.ratchet.state(), self.stage.state()

    def seal(self, plaintext: bytes, random: Scripted) -> bytes:
        message = self.ratchet.encrypt(
            plaintext, lambda: random("nonce", NONCE_SIZE), lambda: random("ratchet_private", KEY_SIZE)
        )
        return EncryptedPayload.encode(privatev1.message_fields(message))

    def open(self, payload: bytes) -> bytes:
        return self.ratchet.decrypt(privatev1.read_message(EncryptedPayload.decode(payload)))


class Transcript:
    """Two sides, and the payloads so far."""

    def __init__(self, case: dict):
        if case["type"] not in TYPES:
            raise NotApplicable(f"conversation type {case['type']}")
        self.case = case
        self.secret, own, self.prekey = data(case, "secret", "initiator_private", "responder_private")
        self.ids = inbox.conversation_ids(self.secret, ID_SIZE)
        is_compact = case["type"] == "private-v1-compact"
        self.names = ("I", "R", "0") if is_compact else (self.ids.initiator, self.ids.responder, self.ids.base.hex())
        self.has_filter = not is_compact
        ratchet = Ratchet.initiator(REFERENCE, self.secret, own, public_key(self.prekey))
        self.sides = {"initiator": Side(ratchet, self.stage(case["start_ms"], is_responder=False))}
        self.sent: list[bytes] = []

    def stage(self, now: int, is_responder: bool) -> Stage:
        own, peer, channel = self.names
        own, peer = (peer, own) if is_responder else (own, peer)
        return Stage(own, peer, channel, now, is_responder, self.has_filter, self.case["segment_size"])

    def step(self, step: dict) -> None:
        by, now = step["by"], step["now_ms"]
        values = [(value["label"], read_hex(value["bytes"])) for value in step.get("randomness", [])]
        random = Scripted(values, step)
        side = self.sides.get(by)
        if side is None and (by, step["op"]) != ("responder", "receive"):
            raise Mismatch(f"{by} has not begun")
        if step["op"] == "wake" and not side.stage.channel.is_sync_certain(now):
            raise Mismatch("whether a sync message is due is each participant's own choice (SDS-12)")
        operations = {
            "send": lambda: Step(side.stage.send(now, *data(step, "content"))),
            "send_plaintext": lambda: Step(data(step, "plaintext")),
            "receive": lambda: self.receive(now, by, self.payload(step)),
            "wake": lambda: side.stage.wake(now),
        }
        if step["op"] not in operations:
            raise NotApplicable(f"step {step['op']}")
        told = demand(step, operations[step["op"]], lambda: by in self.sides and self.sides[by].state())
        if told is not None:
            payloads = [self.sides[by].seal(message, random) for message in told.messages]
            first = len(self.sent)
            self.sent += payloads
            expect_fields(step, result="valid", events=events(told), payloads=[
                written(first + number, payload, self.case) for number, payload in enumerate(payloads)
            ])
        random.finish()

    def receive(self, now: int, by: str, payload: bytes) -> Step:
        if by in self.sides:
            return self.sides[by].stage.receive(now, self.sides[by].open(payload))
        side = Side(Ratchet.responder(REFERENCE, self.secret, self.prekey), self.stage(now, is_responder=True))
        message = side.open(payload)
        told = side.stage.begin(now, message)
        self.sides[by] = side
        return told

    def payload(self, step: dict) -> bytes:
        if "sent" not in step:
            return data(step, "payload")[0]
        payload = bytearray(self.sent[step["sent"]])
        if "flip" in step:
            payload[step["flip"]] ^= 1
        return bytes(payload)


def check_private_v1(case: dict) -> None:
    transcript = Transcript(case)
    initiator, responder, channel = transcript.names
    expect_fields(
        case, address=delivery_address(transcript.ids.base), initiator_id=transcript.ids.initiator,
        responder_id=transcript.ids.responder, initiator_name=initiator, responder_name=responder, channel=channel,
    )
    for number, step in enumerate(case["steps"]):
        try:
            transcript.step(step)
        except (Mismatch, Refused) as error:
            raise Mismatch(f"step {number}, {step['op']} by {step['by']}: {error}") from None


def written(number: int, payload: bytes, case: dict) -> dict:
    """A payload as it stands in a file."""
    is_long = len(payload) > case.get("longest_payload", LONGEST_PAYLOAD)
    value = {"sha256": hashlib.sha256(payload).hexdigest()} if is_long else {"payload": payload.hex()}
    return {"number": number, "size": len(payload)} | value


def events(told: Step) -> dict:
    """What the application hears, by kind; only of contents the order counts."""
    kinds = {
        "contents": [content.hex() for content in told.contents], "delivered": sorted(told.finished),
        "failed": sorted(told.failed), "missing": sorted(told.missing), "lost": sorted(told.lost),
        "placeholders": sorted(told.placeholders), "refused": sorted(refusal.code for refusal in told.refused),
    }
    return {kind: found for kind, found in kinds.items() if found}
