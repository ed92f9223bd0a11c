"""How a case of a vector file is checked, by kind of file (format logos-chat-vectors/1).

A checker returns if the case agrees with this implementation, and raises `Mismatch` with the difference,
or `NotApplicable` for what this implementation does not do. Any other exception is a failure too.
"""

import hmac
from typing import Any, Callable

from . import content, inbox, intro, messages, privatev1, ratchet, sds, segmentation, xeddsa
from .participant import Participant
from .primitives import agree, keccak256, public_key
from .proto3 import Message
from .refusal import Refused
from .texts import read_hex


class Mismatch(Exception):
    """The case and this implementation disagree."""


class NotApplicable(Exception):
    """The case is about something that this implementation does not do."""


def check(kind: Any, case: dict) -> None:
    """Checks one case of a file of that kind."""
    if kind not in KINDS:
        raise NotApplicable(f"kind {kind}")
    KINDS[kind](case)


def expect(what: str, actual: Any, expected: Any) -> None:
    """Refuses two values that differ, and shows where they begin to."""
    if actual != expected:
        here, there = repr(actual), repr(expected)
        at = next((i for i, (a, b) in enumerate(zip(here, there)) if a != b), min(len(here), len(there)))
        start = max(0, at - 20) if max(len(here), len(there)) > 120 else 0
        place = f" from character {start} on" if start else ""
        raise Mismatch(f"{what}{place} is {here[start:start + 120]}, the file has {there[start:start + 120]}")


def expect_fields(case: dict, **actual: Any) -> None:
    """Compares results with the fields of the same names; bytes stand in the file as hex."""
    for name, value in actual.items():
        expect(name, value.hex() if isinstance(value, bytes) else value, case[name])


def demand(case: dict, operation: Callable[[], Any], unchanged: Callable[[], Any] = lambda: None) -> Any:
    """Does what `result` demands of a case or step. Returns what a valid operation returned, else nothing.
    `unchanged` gives a state that must be the same before and after an operation that was refused."""
    result, before = case["result"], unchanged()
    try:
        value = operation()
    except Refused as refusal:
        expect("the state after a refusal", unchanged(), before)
        if result in ("invalid", "unsupported", "rejected", "policy"):
            return None
        raise Mismatch(f"refused ({refusal}), the file has {result}") from None
    if result == "policy":
        return None
    if result not in ("valid", "accepted", "ignored"):
        raise Mismatch(f"accepted, the file has {result}")
    return value


def data(case: dict, *names: str) -> list[bytes]:
    return [read_hex(case[name]) for name in names]


def by_operation(operations: dict[str, Callable[[dict], None]]) -> Callable[[dict], None]:
    def checker(case: dict) -> None:
        if case["operation"] not in operations:
            raise NotApplicable(f"operation {case['operation']}")
        operations[case["operation"]](case)

    return checker


# kdf


def check_kdf(case: dict) -> None:
    function, given = case["function"], case["input"]
    if function not in DERIVATIONS:
        raise NotApplicable(f"function {function}")
    for name, label in (("info", INFOS.get(function)), ("person", PERSONALS.get(function))):
        if label is not None and name in case:
            expect(name, label.decode(), case[name])
    inputs = {name: read_hex(value) for name, value in given.items()}
    actual = DERIVATIONS[function](inputs, case.get("info", "").encode())
    expect("output", {k: v.hex() if isinstance(v, bytes) else v for k, v in actual.items()}, case["output"])


def derive_ids(given: dict, info: bytes) -> dict:
    ids = inbox.conversation_ids(given["seed_key"])
    return {"base": ids.base, "initiator": ids.initiator, "responder": ids.responder}


DERIVATIONS: dict[str, Callable[[dict, bytes], dict]] = {
    "kdf_root": lambda given, info: dict(
        zip(("root_key", "chain_key"), ratchet.kdf_root(given["root_key"], given["dh"], info))
    ),
    "kdf_chain": lambda given, info: dict(zip(("chain_key", "message_key"), ratchet.kdf_chain(given["chain_key"]))),
    "kdf_message": lambda given, info: {"aead_key": ratchet.kdf_message(given["message_key"], info)},
    "x3dh_kdf": lambda given, info: {"shared_secret": inbox.shared_secret(given["dh1"], given["dh2"], given["dh3"])},
    "seed_key": lambda given, info: {"seed_key": inbox.seed_key(given["shared_secret"])},
    "conversation_ids": derive_ids,
    "inbox_id": lambda given, info: {"inbox_id": inbox.inbox_id(given["installation_key"])},
    "frame_id": lambda given, info: {"frame_id": privatev1.frame_id(given["encoded_frame"])},
    "keccak256": lambda given, info: {"digest": keccak256(given["data"])},
}


INFOS = {"x3dh_kdf": inbox.HKDF_INFO}  # where a profile has no choice
PERSONALS = {"seed_key": inbox.SEED_PERSONAL, "conversation_ids": inbox.IDS_PERSONAL}


# xeddsa


def check_sign(case: dict) -> None:
    private, message, z = data(case, "private", "message", "z")
    sign_bit = xeddsa.base_point_times(xeddsa.clamp(private))[31] >> 7
    expect_fields(case, public=public_key(private), ed25519_sign_bit_before=sign_bit,
                  signature=xeddsa.sign(private, message, z),
                  signature_unreduced=xeddsa.sign(private, message, z, unreduced=True))
    for signature in data(case, "signature", "signature_unreduced"):
        xeddsa.verify(public_key(private), message, signature)


def check_verify(case: dict) -> None:
    demand(case, lambda: xeddsa.verify(*data(case, "public", "message", "signature")))


# intro_bundle


def check_create(case: dict) -> None:
    identity, ephemeral, z, signature, unreduced = data(
        case, "identity_private", "ephemeral_private", "z", "signature", "signature_unreduced"
    )
    signed = intro.signed_message(public_key(ephemeral))
    bundle = intro.Bundle(public_key(identity), public_key(ephemeral), signature)
    expect_fields(case, installation_key=bundle.installation_key, ephemeral_key=bundle.ephemeral_key,
                  signature=xeddsa.sign(identity, signed, z),
                  signature_unreduced=xeddsa.sign(identity, signed, z, unreduced=True), text=intro.write(bundle),
                  proto=messages.IntroBundle.encode(dict(zip(messages.IntroBundle.by_name, bundle))))
    for variant in (signature, unreduced):
        intro.parse(intro.write(bundle._replace(signature=variant)))


def check_parse(case: dict) -> None:
    def parse() -> intro.Bundle:
        try:
            return intro.parse(case["text"] if "text" in case else read_hex(case["text_hex"]).decode("ascii"))
        except UnicodeDecodeError:
            raise Refused("malformed", "a link that is not ASCII") from None

    if bundle := demand(case, parse):
        expect_fields(case, **bundle._asdict())


# handshake


class Scripted:
    """The random values that a case names, in their order."""

    def __init__(self, values: list[tuple[str, bytes]]):
        self.values = list(values)

    def __call__(self, label: str, count: int) -> bytes:
        if not self.values:
            raise Mismatch(f"draws {label}, the file has no further value")
        expected, value = self.values.pop(0)
        expect("the next draw", (label, count), (expected, len(value)))
        return value

    def finish(self) -> None:
        expect("what is left to draw", [label for label, _ in self.values], [])


def check_agree(case: dict) -> None:
    initiator, fresh, responder, prekey = data(
        case, "initiator_identity_private", "initiator_ephemeral_private", "responder_identity_private",
        "responder_prekey_private",
    )
    pairs = (initiator, prekey), (fresh, responder), (fresh, prekey)
    dh1, dh2, dh3 = (agree(own, public_key(remote)) for own, remote in pairs)
    secret = inbox.initiator_secret(initiator, fresh, public_key(responder), public_key(prekey))
    mirrored = inbox.responder_secret(responder, prekey, public_key(initiator), public_key(fresh))
    expect("the responder's secret", mirrored, secret)
    ids = inbox.conversation_ids(inbox.seed_key(secret))
    expect_fields(
        case, initiator_identity_public=public_key(initiator), initiator_ephemeral_public=public_key(fresh),
        responder_identity_public=public_key(responder), responder_prekey_public=public_key(prekey),
        dh1=dh1, dh2=dh2, dh3=dh3, hkdf_prk=hmac.digest(bytes(32), dh1 + dh2 + dh3, "sha256"), shared_secret=secret,
        seed_key=inbox.seed_key(secret), base_conversation_id=ids.base, initiator_conversation_id=ids.initiator,
        responder_conversation_id=ids.responder,
    )


def check_initiate(case: dict) -> None:
    labels = ("handshake_ephemeral_private", "ratchet_private", "nonce")
    random = Scripted([(label, read_hex(case[label])) for label in labels if label in case])
    saro = Participant(*data(case, "identity_private"), case.get("now_ms", 0), random)
    conversation_id = demand(case, lambda: saro.initiate(case["intro"], *data(case, "content")), saro.save)
    if conversation_id is not None:
        random.finish()
        [(_, payload)] = saro.take_outbound()
        expect_fields(case, conversation_id=conversation_id, payload=payload)


def check_open(case: dict) -> None:
    raya = Participant(*data(case, "identity_private"), now_ms=0)
    for private in map(read_hex, case["ephemeral_privates"]):
        raya.ephemeral_privates[public_key(private)] = private
    before = raya.save()
    accepted = demand(case, lambda: raya.receive(inbox.DELIVERY_ADDRESS, *data(case, "payload")), raya.save)
    if case["result"] == "ignored":
        expect("the state", raya.save(), before)
    if case["result"] in ("valid", "ignored"):
        expect("taken for our own", accepted, case["result"] == "valid")
    if case["result"] == "valid":
        started, received = raya.take_events()
        [(local, conversation)] = raya.conversations.items()
        expect_fields(case, conversation_id=local, remote_conversation_id=conversation.remote_id,
                      remote_installation_key=started["remote_installation_key"], content=received["content"])


# ratchet


def check_ratchet(case: dict) -> None:
    message_key_info = case["message_key_info"]
    suite = ratchet.Suite(case["info"].encode(), message_key_info and message_key_info.encode(), case["max_skip"])
    secret, initiator, responder = data(case, "shared_secret", "initiator_dh_private", "responder_dh_private")
    expect_fields(case, responder_dh_public=public_key(responder))
    peers = {
        "initiator": ratchet.Ratchet.initiator(suite, secret, initiator, public_key(responder)),
        "responder": ratchet.Ratchet.responder(suite, secret, responder),
    }
    for name, state in case.get("initial_state", {}).items():
        expect_state(peers[name], state)
    for number, step in enumerate(case["steps"]):
        try:
            {"send": ratchet_send, "receive": ratchet_receive}[step["op"]](peers[step["by"]], step)
        except (Mismatch, Refused) as error:
            raise Mismatch(f"step {number}, {step['op']} by {step['by']}: {error}") from None


def expect_state(peer: ratchet.Ratchet, expected: str) -> None:
    """All but the previous chain's length, which the existing implementation also writes when it receives."""
    other = ratchet.Ratchet.from_state(peer.suite, read_hex(expected))
    for name, value in vars(other).items():
        if name != "previous_chain_length":
            expect(f"state: {name}", getattr(peer, name), value)


def ratchet_send(peer: ratchet.Ratchet, step: dict) -> None:
    fresh = Scripted([("dh", read_hex(step["fresh_dh_private"]))] if step.get("fresh_dh_private") else [])
    plaintext, nonce = data(step, "plaintext", "nonce")
    message = peer.encrypt(plaintext, nonce, lambda: fresh("dh", 32))
    fresh.finish()
    expect("message", message, read_ratchet_message(step))
    expect_state(peer, step["state"])


def ratchet_receive(peer: ratchet.Ratchet, step: dict) -> None:
    plaintext = demand(step, lambda: peer.decrypt(read_ratchet_message(step)), peer.state)
    if plaintext is not None:
        expect_fields(step, plaintext=plaintext)
    if "state" in step and step["result"] != "policy":
        expect_state(peer, step["state"])


def read_ratchet_message(step: dict) -> ratchet.Message:
    message = step["message"]
    dh, ciphertext = data(message, "dh", "ciphertext")
    return ratchet.Message(dh, message["msg_num"], message["prev_chain_len"], ciphertext)


# messages


def layout_of(case: dict) -> Message:
    if case["message"] not in messages.ALL:
        raise NotApplicable(f"message {case['message']}")
    return messages.ALL[case["message"]]


def from_json(layout: Message, fields: dict) -> dict:
    """Fields as they stand in a file: bytes as hex."""
    def convert(kind: Any, value: Any) -> Any:
        return from_json(kind, value) if isinstance(kind, Message) else read_hex(value) if kind == "bytes" else value

    return {name: [convert(layout.by_name[name].kind, item) for item in value] if layout.by_name[name].repeated
            else convert(layout.by_name[name].kind, value) for name, value in fields.items()}


def decode(layout: Message, encoded: bytes) -> dict:
    """With the rules that go beyond the encoding."""
    fields = layout.decode(encoded)
    return content.check(fields) if layout is messages.ContentFrame else fields


def check_roundtrip(case: dict) -> None:
    layout = layout_of(case)
    check_decode(case)
    if case["result"] == "valid":
        expect_fields(case, bytes=layout.encode(from_json(layout, case["fields"])))


def check_decode(case: dict) -> None:
    layout = layout_of(case)
    fields = demand(case, lambda: decode(layout, *data(case, "bytes")))
    if fields is not None:
        expect("fields", fields, from_json(layout, case["fields"]))


# segmentation


def check_split(case: dict) -> None:
    segments = demand(case, lambda: segmentation.split(*data(case, "payload"), case["segment_size"]))
    if segments is not None:
        expect_fields(case, segments=[segment.hex() for segment in segments])


def check_reassemble(case: dict) -> None:
    reassembler = segmentation.Reassembler()
    for number, step in enumerate(case["steps"]):
        try:
            payload = demand(step, lambda: reassembler.receive(*data(step, "segment")))
            if step["result"] in ("valid", "ignored"):
                expect("completes", None if payload is None else payload.hex(), step.get("completes"))
        except Mismatch as error:
            raise Mismatch(f"step {number}: {error}") from None


# sds


def check_message_id(case: dict) -> None:
    expect_fields(case, message_id=sds.libchat_message_id(
        case["channel"], case["sender"], case["lamport"], *data(case, "content")))


def check_sds_transcript(case: dict) -> None:
    channels = {
        name: sds.Channel(case["channel"], name, case["initial_lamport"], case["causal_history_length"])
        for name in case["participants"]
    }
    for number, step in enumerate(case["steps"]):
        try:
            check_sds_step(channels[step["by"]], step)
        except (Mismatch, Refused) as error:
            raise Mismatch(f"step {number}, {step['op']} by {step['by']}: {error}") from None


def check_sds_step(channel: sds.Channel, step: dict) -> None:
    if step["op"] == "send":
        expect_fields(step, message=channel.send(step["now_ms"], step["message_id"], *data(step, "content")))
    elif step["op"] == "receive":
        step = {"result": "valid"} | step
        received = demand(step, lambda: channel.receive(*data(step, "message")), lambda: view(channel))
        if step["result"] in ("valid", "ignored"):
            delivered = [message.get("message_id", "") for message in received]
            expect("delivers", delivered, step.get("delivers", []))
    else:
        raise NotApplicable(f"step {step['op']}")
    if "view" in step and step.get("result") != "policy":
        expected = dict(step["view"])
        expected["buffered"] = sorted(expected["buffered"])  # the order of these is nobody's business
        expect("view", view(channel), expected)


def view(channel: sds.Channel) -> dict:
    return {
        "lamport": channel.lamport, "buffered": sorted(channel.waiting), "outgoing": dict(channel.outgoing),
        "log": [{"lamport": lamport, "message_id": message_id} for lamport, message_id in channel.log],
    }


# suite


def check_suite(case: dict) -> None:
    peers = {name: Participant(read_hex(given["identity_private"]), 0) for name, given in case["participants"].items()}
    for name, given in case["participants"].items():
        expect_fields(given, installation_key=peers[name].installation_key, inbox_id=peers[name].inbox_id)
    for number, step in enumerate(case["steps"]):
        try:
            peers[step["by"]] = check_suite_step(peers[step["by"]], step)
        except (Mismatch, Refused) as error:
            raise Mismatch(f"step {number}, {step['op']} by {step['by']}: {error}") from None


def check_suite_step(peer: Participant, step: dict) -> Participant:
    random = Scripted([(value["label"], read_hex(value["bytes"])) for value in step.get("randomness", [])])
    peer.random, peer.now_ms = random, step.get("now_ms", peer.now_ms)
    if step["op"] not in SUITE_STEPS:
        raise NotApplicable(f"step {step['op']}")
    peer = SUITE_STEPS[step["op"]](peer, step) or peer
    random.finish()
    sent = [{"address": address, "payload": payload.hex()} for address, payload in peer.take_outbound()]
    expect("outbound", sent, step.get("outbound", []))
    expect("events", peer.take_events(), step.get("events", []))
    return peer


def suite_create_intro(peer: Participant, step: dict) -> None:
    created, given = intro.parse(peer.create_intro()), intro.parse(step["intro"])
    expect("the keys of the bundle", created[:2], given[:2])  # signatures may differ


def suite_initiate(peer: Participant, step: dict) -> None:
    def initiate() -> str:
        return peer.initiate(step["intro"], *data(step, "content"))

    conversation_id = demand({"result": "valid"} | step, initiate, peer.save)
    if conversation_id is not None:
        expect_fields(step, conversation_id=conversation_id)


def suite_send(peer: Participant, step: dict) -> None:
    peer.send(step["conversation_id"], *data(step, "content"))


def suite_receive(peer: Participant, step: dict) -> None:
    address = step.get("address", inbox.DELIVERY_ADDRESS)
    accepted = demand(step, lambda: peer.receive(address, *data(step, "payload")), peer.save)
    if accepted is not None:
        expect("outcome", "accepted" if accepted else "ignored", step["result"])


def suite_restart(peer: Participant, step: dict) -> Participant:
    return Participant.restore(peer.save(), peer.random)


SUITE_STEPS: dict[str, Callable[[Participant, dict], Participant | None]] = {
    "create_intro": suite_create_intro, "initiate": suite_initiate, "send_content": suite_send,
    "receive_payload": suite_receive, "restart": suite_restart,
}

MESSAGE_OPERATIONS = {"roundtrip": check_roundtrip, "decode": check_decode}

KINDS: dict[str, Callable[[dict], None]] = {
    "kdf": check_kdf,
    "xeddsa": by_operation({"sign": check_sign, "verify": check_verify}),
    "intro_bundle": by_operation({"create": check_create, "parse": check_parse}),
    "handshake": by_operation({"agree": check_agree, "initiate": check_initiate, "open": check_open}),
    "ratchet": check_ratchet,
    "messages": by_operation(MESSAGE_OPERATIONS),
    "segmentation": by_operation({"split": check_split, "reassemble": check_reassemble}),
    "sds": by_operation(MESSAGE_OPERATIONS | {"message_id": check_message_id, "transcript": check_sds_transcript}),
    "suite": check_suite,
}
