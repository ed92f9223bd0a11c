"""Files of kind udp: datagrams with their frames, requests and answers."""

from typing import Any

from .. import udp, udp_messages
from ..texts import read_hex
from .common import NotApplicable, by_operation, data, demand, expect_fields

DATAGRAMS = {
    "hello": udp.Hello, "challenge": udp.Challenge, "welcome": udp.Welcome, "reset": udp.Reset, "data": udp.Data,
}
FRAMES = {"ping": udp.Ping, "ack": udp.Ack, "message": udp.Fragment}
REQUESTS = {
    "publish": udp_messages.Publish, "subscribe": udp_messages.Subscribe, "unsubscribe": udp_messages.Unsubscribe,
}
ANSWERS = {"results": udp_messages.Results, "deliver": udp_messages.Deliver, "gone": udp_messages.Gone}
FILE_NAMES = {"data": "bytes"}  # of a fragment


def to_json(value: Any) -> Any:
    """A named tuple as an object, bytes as hex."""
    if isinstance(value, bytes):
        return value.hex()
    if hasattr(value, "_fields"):
        return {FILE_NAMES.get(name, name): to_json(getattr(value, name)) for name in value._fields}
    return [to_json(item) for item in value] if isinstance(value, tuple) else value


def name_of(value: Any, names: dict[str, type]) -> str:
    return next(name for name, kind in names.items() if type(value) is kind)


def frame_to_json(frame: udp.Frame) -> dict:
    fields = {"frame": name_of(frame, FRAMES)} | to_json(frame)
    if isinstance(frame, udp.Ack):
        fields["ranges"] = [{"first": first, "last": last} for first, last in frame.ranges]
    return fields


def frame_from_json(fields: dict) -> udp.Frame:
    match fields["frame"]:
        case "ping":
            return udp.Ping()
        case "ack":
            return udp.Ack(fields["delay"], tuple((entry["first"], entry["last"]) for entry in fields["ranges"]))
        case "message":
            numbers = (fields[name] for name in ("number", "distance", "size", "index"))
            return udp.Fragment(*numbers, *data(fields, "bytes"))
    raise NotApplicable(f"frame {fields['frame']}")


def check_write_datagram(case: dict) -> None:
    kind, fields = DATAGRAMS.get(case["kind"]), case["fields"]
    if kind is None:
        raise NotApplicable(f"kind {case['kind']}")
    [session] = data(case, "session")
    if kind is udp.Data:
        datagram: Any = udp.Data(session, fields["packet"], tuple(map(frame_from_json, fields["frames"])))
    else:
        values = (read_hex(fields[name]) if isinstance(fields[name], str) else fields[name]
                  for name in kind._fields[1:])
        datagram = kind(session, *values)
    expect_fields(case, bytes=udp.write(datagram))


def check_read_datagram(case: dict) -> None:
    datagram = demand(case, lambda: udp.read(*data(case, "bytes")))
    if datagram is None:
        return
    fields = to_json(datagram)
    session = fields.pop("session")
    if isinstance(datagram, udp.Data):
        fields["frames"] = list(map(frame_to_json, datagram.frames))
    expect_fields(case, session=session, kind=name_of(datagram, DATAGRAMS), fields=fields)


def check_write_message(case: dict) -> None:
    fields, message = case["fields"], case["message"]
    kind = (REQUESTS | ANSWERS).get(message)
    if kind is None:
        raise NotApplicable(f"message {message}")
    if kind is udp_messages.Results:
        results = tuple(udp_messages.Result(**result) for result in fields["results"])
        expect_fields(case, bytes=udp_messages.write_answer(udp_messages.Results(results)))
        return
    binary = ("payload_id", "payload")
    value = kind(**{name: read_hex(field) if name in binary else field for name, field in fields.items()})
    write = udp_messages.write_request if message in REQUESTS else udp_messages.write_answer
    expect_fields(case, bytes=write(value))


def check_read_message(case: dict) -> None:
    is_request = case["by"] == "relay"
    read = udp_messages.read_request if is_request else udp_messages.read_answer
    message = demand(case, lambda: read(*data(case, "bytes")))
    if message is not None:
        name = name_of(message, REQUESTS if is_request else ANSWERS)
        expect_fields(case, message=name, fields=to_json(message))


KINDS = {
    "udp": by_operation({
        "write_datagram": check_write_datagram, "read_datagram": check_read_datagram,
        "write_message": check_write_message, "read_message": check_read_message,
    })
}
