"""Files of kinds ratchet and sds: state machines, step by step."""

from .. import ratchet, sds
from ..primitives import public_key
from ..refusal import Refused
from ..texts import read_hex
from .common import Mismatch, NotApplicable, Scripted, data, demand, expect, expect_fields


# ratchet


def check_ratchet(case: dict) -> None:
    message_key_info = case["message_key_info"]
    suite = ratchet.Suite(case["info"].encode(), message_key_info and message_key_info.encode(), case["max_skip"],
                          case.get("max_ahead"))
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
    """All but the previous chain's length, which the existing implementation also writes when it receives, and
    the keys that were replaced, which it does not keep."""
    other = ratchet.Ratchet.from_state(peer.suite, read_hex(expected))
    for name, value in vars(other).items():
        if name not in ("previous_chain_length", "replaced"):
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
