"""Files of kinds handshake and suite: participants who meet and talk."""

import hmac
from typing import Callable

from .. import inbox, intro
from ..participant import Participant
from ..primitives import agree, public_key
from ..refusal import Refused
from ..texts import read_hex
from .common import Mismatch, NotApplicable, Scripted, data, demand, expect, expect_fields


# handshake


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
    random = Scripted([(label, read_hex(case[label])) for label in labels if label in case], case)
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
    random = Scripted([(value["label"], read_hex(value["bytes"])) for value in step.get("randomness", [])], step)
    peer.random, peer.now_ms = random, step.get("now_ms", peer.now_ms)
    if step["op"] not in SUITE_STEPS:
        raise NotApplicable(f"step {step['op']}")
    peer = SUITE_STEPS[step["op"]](peer, step) or peer
    random.finish()
    sent = [{"address": address, "payload": payload.hex()} for address, payload in peer.take_outbound()]
    events = peer.take_events()
    if step.get("result") != "policy":
        expect("outbound", sent, step.get("outbound", []))
        expect("events", events, step.get("events", []))
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
