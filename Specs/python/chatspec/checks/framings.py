"""Files of kinds envelope, plain_framing, rpi and content: what is put around bytes, and taken off again."""

from .. import content, envelope, plain_framing, rpi
from ..messages import Contact, File, Text
from ..refusal import require
from ..texts import read_hex
from .common import NotApplicable, by_operation, data, demand, expect, expect_fields

TYPES = {"text": (content.TEXT, Text), "file": (content.FILE, File), "contact": (content.CONTACT, Contact)}
BYTES = ("bytes",)  # the fields of everyday types that are no text


# envelope


def check_wrap(case: dict) -> None:
    [payload] = data(case, "payload")
    if case["profile"] == "reference":
        wrapped = demand(case, lambda: envelope.wrap_salted(case["route"], case["salt"], payload))
    else:
        wrapped = demand(case, lambda: envelope.wrap(case["route"], payload))
    if wrapped is not None:
        expect_fields(case, bytes=wrapped)


def find(case: dict) -> tuple[str | None, bytes]:
    """The route of ours that an envelope is for. A route in plain is recognized where hints are salted, and refused."""
    outside = envelope.unwrap(*data(case, "bytes"))
    is_ours = outside.hint in case["routes"]
    if case["profile"] == "libchat":
        return outside.hint if is_ours else None, outside.payload
    route = envelope.find_route(outside, case["routes"])
    require(route is not None or not is_ours, "unsupported", "a hint in plain")
    return route, outside.payload


def check_unwrap(case: dict) -> None:
    expect_found(case, lambda: find(case))


def expect_found(case: dict, operation) -> None:
    found = demand(case, operation)
    if found is None:
        return
    route, payload = found
    if case["result"] == "ignored" or route is None:
        expect_fields({"route": None} if case["result"] == "ignored" else case, route=route)
    else:
        expect_fields(case, route=route, payload=payload)


# plain_framing


def check_plain_wrap(case: dict) -> None:
    wrapped = demand(case, lambda: plain_framing.wrap(case["route"], *data(case, "payload")))
    if wrapped is not None:
        expect_fields(case, bytes=wrapped)


def check_plain_unwrap(case: dict) -> None:
    def unwrap() -> tuple[str | None, bytes]:
        route, payload = plain_framing.unwrap(*data(case, "bytes"))
        return route if route in case["routes"] else None, payload

    expect_found(case, unwrap)


# rpi


def check_route_secret(case: dict) -> None:
    secret = demand(case, lambda: rpi.route_secret(*data(case, "key")))
    if secret is not None:
        expect_fields(case, secret=secret)


def owner(case: dict) -> dict:
    if case["owner"] not in ("conversation", "initialization"):
        raise NotApplicable(f"owner {case['owner']}")
    return {"is_first_contact": case["owner"] == "initialization"}


def optional(case: dict, name: str) -> bytes | None:
    return read_hex(case[name]) if case.get(name) is not None else None


def check_rpi_wrap(case: dict) -> None:
    wrapped = demand(case, lambda: rpi.wrap(
        case["address"], case["route"], optional(case, "secret"), case["sequence"], *data(case, "payload"),
        salt=optional(case, "salt"), **owner(case)))
    if wrapped is not None:
        expect_fields(case, bytes=wrapped)


def check_rpi_unwrap(case: dict) -> None:
    listening = [
        {
            "route": one["route"], "secret": optional(one, "secret"), "lowest_wanted": one["lowest_wanted"],
            "highest_seen": one.get("highest_seen"),
        }
        for one in case["listening"]
    ]

    def unwrap() -> tuple | str:
        return rpi.unwrap(case["address"], listening, *data(case, "bytes"), **owner(case)) or "foreign"

    found = demand(case, unwrap)
    if found is None:
        return
    if found == "foreign" or case["result"] == "ignored":
        expect("whose it is", found, "foreign")
        expect("result", "ignored", case["result"])
    else:
        expect_fields(case, route=found[0]["route"], sequence=found[1], payload=found[2])


# content


def check_encode(case: dict) -> None:
    if case["type"] not in TYPES:
        raise NotApplicable(f"type {case['type']}")
    tag, layout = TYPES[case["type"]]
    fields = {name: read_hex(value) if name in BYTES else value for name, value in case["fields"].items()}
    encoded = content.write(content.EVERYDAY, tag, layout.encode(fields))
    expect_fields(case, domain_id=content.EVERYDAY, tag=tag, bytes=encoded)


def check_decode(case: dict) -> None:
    def decode() -> dict:
        frame = content.read(*data(case, "bytes"))
        return {"frame": frame, "fields": content.read_known(frame)}

    found = demand(case, decode)
    if found is None:
        return
    frame, fields = found["frame"], found["fields"]
    name, (_, layout) = next((name, entry) for name, entry in TYPES.items() if entry[0] == frame["tag"])
    values = {field.name: fields.get(field.name, b"" if field.name in BYTES else "") for field in layout.fields}
    values = {name: value.hex() if isinstance(value, bytes) else value for name, value in values.items()}
    expect_fields(case, domain_id=frame["domain_id"], tag=frame["tag"], type=name, fields=values)


KINDS = {
    "envelope": by_operation({"wrap": check_wrap, "unwrap": check_unwrap}),
    "plain_framing": by_operation({"wrap": check_plain_wrap, "unwrap": check_plain_unwrap}),
    "rpi": by_operation({"secret": check_route_secret, "wrap": check_rpi_wrap, "unwrap": check_rpi_unwrap}),
    "content": by_operation({"encode": check_encode, "decode": check_decode}),
}
