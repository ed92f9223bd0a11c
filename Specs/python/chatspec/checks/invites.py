"""Files of kinds sealed_invite, open_invite and plain_conversation."""

from .. import inbox, intro, open_invite, plain_conversation
from ..messages import EncryptedPayload
from ..primitives import public_key
from ..refusal import Refused, require
from .common import Mismatch, NotApplicable, by_operation, data, demand, expect, expect_fields


# sealed_invite


def check_seal(case: dict) -> None:
    identity, ephemeral, nonce, opening = data(
        case, "identity_private", "handshake_ephemeral_private", "nonce", "opening"
    )

    def seal() -> tuple[bytes, bytes, bytes]:
        bundle = intro.find(case["intro"])
        keys = identity, ephemeral, bundle.installation_key, bundle.ephemeral_key
        frame = inbox.write_frame(case["conversation_type"], opening)
        seed = inbox.seed_key(inbox.initiator_secret(*keys))
        return bundle.installation_key, seed, inbox.seal_invite(*keys, frame, nonce)

    sealed = demand(case, seal)
    if sealed is not None:
        remote, seed, payload = sealed
        expect_fields(case, seed_key=seed, address=inbox.delivery_address(remote),
                      route=inbox.inbox_id(remote, "reference"), payload=payload)


def check_open_sealed(case: dict) -> None:
    [identity] = data(case, "identity_private")
    keys = {public_key(private): private for private in map(bytes.fromhex, case["ephemeral_privates"])}
    used: set[bytes] = set()  # names of keys that are used up

    def receive() -> tuple[bytes, bytes, str, bytes]:
        fields = EncryptedPayload.decode(*data(case, "payload"))
        named = inbox.read_header(fields, "reference")["responder_ephemeral"]
        require(named not in used, "replay", "the key was used before")
        remote, seed, frame = inbox.open_sealed_invite(identity, keys, fields)
        conversation_type, opening = inbox.read_frame(frame, "reference")
        used.add(named)
        return remote, seed, conversation_type, opening

    if case.get("is_repeated"):
        receive()
    opened = demand(case, receive, lambda: set(used))
    if opened is not None:
        remote, seed, conversation_type, opening = opened
        expect_fields(case, remote_installation_key=remote, seed_key=seed, conversation_type=conversation_type,
                      opening=opening)


# open_invite


def check_bundle(case: dict) -> None:
    [address] = data(case, "inbox")
    lifetime = case["lifetime_seconds"]
    expiry = case["now_ms"] + 1000 * lifetime if lifetime else 0
    expect_fields(case, bytes=open_invite.write_bundle(address, expiry), route=open_invite.route(address),
                  address=open_invite.address(address))


def check_invite(case: dict) -> None:
    secret, opening = data(case, "secret", "opening")

    def invite() -> tuple[bytes, bytes]:
        address = open_invite.read_bundle(*data(case, "bundle"), case["now_ms"])
        return address, open_invite.write_invite(case["conversation_type"], secret, opening)

    made = demand(case, invite)
    if made is not None:
        address, payload = made
        expect_fields(case, responder_key=public_key(open_invite.first_private_key(secret)), payload=payload,
                      route=open_invite.route(address), address=open_invite.address(address))


def check_open(case: dict) -> None:
    seen: set[bytes] = set()

    def receive() -> tuple[str, bytes, bytes]:
        conversation_type, secret, opening = open_invite.read_invite(*data(case, "payload"))
        require(open_invite.seen_name(secret) not in seen, "replay", "the invite was received before")
        seen.add(open_invite.seen_name(secret))
        return conversation_type, secret, opening

    if case.get("is_repeated"):
        receive()
    opened = demand(case, receive, lambda: set(seen))
    if opened is not None:
        conversation_type, secret, opening = opened
        expect_fields(case, conversation_type=conversation_type, secret=secret, opening=opening,
                      responder_key=public_key(open_invite.first_private_key(secret)))


# plain_conversation


class Side:
    """One side of a plain conversation: how many it sent, and what it received."""

    def __init__(self) -> None:
        self.sent, self.receiver = 0, plain_conversation.Receiver()

    def state(self) -> tuple:
        return self.receiver.next, tuple(self.receiver.missing)


def check_conversation(case: dict) -> None:
    ids = plain_conversation.ids(*data(case, "secret"))
    sides = {"initiator": Side(), "responder": Side()}
    for number, step in enumerate(case["steps"]):
        try:
            check_step(sides[step["by"]], step, ids)
        except (Mismatch, Refused) as error:
            raise Mismatch(f"step {number}, {step['op']} by {step['by']}: {error}") from None


def check_step(side: Side, step: dict, ids: inbox.ConversationIds) -> None:
    if step["op"] == "send":
        payload = plain_conversation.write(side.sent, *data(step, "content"))
        route = ids.responder if step["by"] == "initiator" else ids.initiator
        is_opening = side.sent == 0 and step["by"] == "initiator"  # which goes into the invite
        side.sent += 1
        expect("payload", payload.hex(), step["payload"])
        expect("route", None if is_opening else route, step["route"])
    elif step["op"] == "receive":
        content = demand(step, lambda: side.receiver.receive(*data(step, "payload")), side.state)
        if content is not None:
            expect_fields(step, content=content)
    else:
        raise NotApplicable(f"step {step['op']}")


KINDS = {
    "sealed_invite": by_operation({"seal": check_seal, "open": check_open_sealed}),
    "open_invite": by_operation({"bundle": check_bundle, "invite": check_invite, "open": check_open}),
    "plain_conversation": check_conversation,
}
