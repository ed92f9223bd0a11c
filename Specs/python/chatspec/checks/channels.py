"""Files of kind sds_channel: filters, times of repair, and channels of several participants."""

from .. import bloom, member
from ..refusal import Refused
from .common import Mismatch, NotApplicable, data, demand, expect_fields

LISTS = ("ephemeral", "acknowledged", "possibly_acknowledged", "gave_up", "missing", "lost")


def read_size(fields: dict) -> bloom.Size:
    return bloom.Size(fields["capacity"], fields["errors_per_million"], fields["hashes"], fields["bits"])


def check_filter(case: dict) -> None:
    size = read_size(case)
    places = [bloom.places(message_id, size.hashes, size.bit_count) for message_id in case["ids"]]
    expect_fields(case, places=places, filter=bloom.write(case["ids"], size))


def check_probe(case: dict) -> None:
    fields = demand(case, lambda: bloom.read(*data(case, "filter")))
    if fields is not None:
        found = [message_id for message_id in case["ids"] if bloom.contains(fields, message_id)]
        expect_fields(case, found=found, is_saturated=bloom.is_saturated(fields))


def check_repair_times(case: dict) -> None:
    own, sender, message_id = case["participant"], case["sender"], case["message_id"]
    count = member.groups(case["participants"])
    mine, theirs = (member.joined_hash(name, message_id) % count for name in (own, sender))
    expect_fields(
        case, request_delay_ms=member.request_delay(own, message_id, case["shortest_ms"], case["longest_ms"]),
        answer_delay_ms=member.answer_delay(own, sender, message_id, case["longest_ms"]), groups=count, group=mine,
        sender_group=theirs, answers=mine == theirs,
    )


def check_channel(case: dict) -> None:
    names = case["participants"]
    settings = member.Settings(filter=case["filter"] and read_size(case["filter"]))
    members = {name: member.Member(case["channel"], name, case["start_ms"], settings, len(names)) for name in names}
    for number, step in enumerate(case["steps"]):
        try:
            check_step(members[step["by"]], step)
        except (Mismatch, Refused) as error:
            raise Mismatch(f"step {number}, {step['op']} by {step['by']}: {error}") from None


def check_step(one: member.Member, step: dict) -> None:
    now = step["now_ms"]
    if step["op"] == "send":
        [content] = data(step, "content")
        told = demand(step, lambda: one.send(now, step["message_id"], content), one.state)
    elif step["op"] == "receive":
        [message] = data(step, "message")
        told = demand(step, lambda: one.receive(now, message), one.state)
    elif step["op"] == "wake":
        if not one.is_sync_certain(now):
            raise Mismatch("whether a sync message is due is each participant's own choice (SDS-12)")
        told = one.wake(now)
    else:
        raise NotApplicable(f"step {step['op']}")
    if told is not None:
        expect_fields(step, result="valid", events=events(told), broadcasts=[
            {"reason": sent.why, "message_id": sent.message_id, "message": sent.data.hex()} for sent in told.messages
        ])
    expect_fields(step, view=view(one))


def events(told: member.Step) -> dict:
    """What happened, by kind; only of deliveries the order counts."""
    delivered = [
        {"message_id": message["message_id"]} | ({} if behind is None else {"behind": behind})
        for message, behind in told.delivered
    ]
    lists = {name: sorted(getattr(told, name)) for name in LISTS}
    lists["ephemeral"] = [content.hex() for content in lists["ephemeral"]]
    return {name: value for name, value in ({"delivered": delivered} | lists).items() if value}


def view(one: member.Member) -> dict:
    """What can be seen of a participant."""
    return {
        "lamport": one.lamport, "log": [{"lamport": lamport, "message_id": known} for lamport, known in one.log],
        "waiting": sorted(one.waiting), "missing": sorted(one.missing), "unacknowledged": list(one.sent),
    }
