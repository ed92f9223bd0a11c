"""The rules of decoding (Specs/agent-chat.md, sections 4 to 6). Direction and mode are part of the input.

A decoded value is the value that an encoder writes: in conformant mode without the keys that are dropped.

>>> decode("s2c", b'{"type":"done","reason":"stop"}', "conformant")
{'type': 'done'}
>>> decode("s2c", b'{"type":"done","reason":"stop"}', "strict")
Traceback (most recent call last):
chatspec.agent_chat.Violation: AC-05: reason
"""

import re
import unicodedata
from datetime import datetime
from typing import Any, Callable

from . import Violation
from .jsontext import Number, read

ZONE = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*", re.ASCII)
DATE = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt]([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)", re.ASCII
)
Reader = Callable[[Any, str], Any]


# Values.


def text(value: Any, mode: str) -> str:
    if not isinstance(value, str):
        raise Violation("AC-04", "no text")
    return value


def identifier(value: Any, mode: str) -> str:
    text(value, mode)
    if not 1 <= len(value) <= 256 or any(unicodedata.category(character) == "Cc" for character in value):
        raise Violation("AC-06", "no id")
    return value


def truth(value: Any, mode: str) -> bool:
    if not isinstance(value, bool):
        raise Violation("AC-04", "neither true nor false")
    return value


def whole(value: Any, mode: str) -> Any:
    if not isinstance(value, Number) or value.whole is None:
        raise Violation("AC-04", "no whole number")
    return value


def anything(value: Any, mode: str) -> Any:
    return value


def metadata(value: Any, mode: str) -> Any:
    if not isinstance(value, dict) or not all(isinstance(one, dict) for one in value.values()):
        raise Violation("AC-04", "no object of objects")
    return value


def date(value: Any, mode: str) -> str:
    match = DATE.fullmatch(text(value, mode))
    try:
        datetime.strptime(match[1] if match else "", "%Y-%m-%d")
    except ValueError as error:
        raise Violation("AC-04", "no date of RFC 3339") from error
    return value


def parent(value: Any, mode: str) -> Any:
    return value if value is None else identifier(value, mode)


def zone(value: Any, mode: str) -> str:
    if not isinstance(value, str) or len(value) > 64 or not ZONE.fullmatch(value):
        raise Violation("AC-22", "no time zone")
    return value


def list_of(reader: Reader, rule: str = "AC-04", least: int = 0) -> Reader:
    def read_list(value: Any, mode: str) -> list:
        if not isinstance(value, list) or len(value) < least:
            raise Violation(rule, "no list, or one that is too short")
        return [reader(one, mode) for one in value]

    return read_list


def under(rule: str, reader: Reader) -> Reader:
    """The same, with another rule for what has the wrong type."""

    def read_under(value: Any, mode: str) -> Any:
        try:
            return reader(value, mode)
        except Violation as violation:
            raise Violation(rule, str(violation)) if violation.rule == "AC-04" else violation from None

    return read_under


class Record:
    """An object: fields with their readers, `?` behind the name of an optional one."""

    def __init__(self, missing: str = "AC-04", **fields: Reader):
        self.missing = missing
        self.fields = fields

    def __call__(self, value: Any, mode: str) -> dict:
        if not isinstance(value, dict):
            raise Violation(self.missing, "no object")
        if mode == "strict" and (unknown := value.keys() - {name.rstrip("?") for name in self.fields}):
            raise Violation("AC-05", ", ".join(sorted(unknown)))
        result = {}
        for name, reader in self.fields.items():
            key = name.rstrip("?")
            if key in value:
                result[key] = reader(value[key], mode)
            elif key == name:
                raise Violation(reader.missing if isinstance(reader, Needed) else self.missing, f"{key} is missing")
        return result


class Needed:
    """A field with a rule of its own for its absence."""

    def __init__(self, missing: str, reader: Reader):
        self.missing, self.reader = missing, reader

    def __call__(self, value: Any, mode: str) -> Any:
        return self.reader(value, mode)


def record(missing: str = "AC-04", **fields: Reader) -> Record:
    """`name=reader` for a field that is required, `name__optional=reader` for one that is not."""
    return Record(missing, **{name.replace("__optional", "?"): reader for name, reader in fields.items()})


# Parts (section 5).


def stream_state(value: Any, mode: str) -> str:
    if value not in ("streaming", "done") or not isinstance(value, str):
        raise Violation("AC-11", "neither streaming nor done")
    return value


TEXT = record(
    "AC-11", type=text, text=under("AC-11", text), state__optional=stream_state, providerMetadata__optional=metadata
)
PARTS = {
    "text": TEXT,
    "reasoning": TEXT,
    "source-url": record(
        "AC-12", type=text, sourceId=under("AC-12", identifier), url=under("AC-12", text), title__optional=text,
        providerMetadata__optional=metadata,
    ),
    "source-document": record(
        "AC-12", type=text, sourceId=under("AC-12", identifier), mediaType=under("AC-12", text),
        title=under("AC-12", text), filename__optional=text, providerMetadata__optional=metadata,
    ),
    "file": record(
        "AC-13", type=text, mediaType=under("AC-13", text), url=under("AC-13", text), filename__optional=text,
        providerMetadata__optional=metadata,
    ),
    "step-start": record(type=text),
}
DATA = record("AC-14", type=text, id__optional=text, data=anything)
# What a state needs, may have, and what its approval is: none, a request, an answer, or an answer that must be so.
STATES = {
    "input-streaming": ((), ("input",), None),
    "input-available": (("input",), (), None),
    "approval-requested": (("input", "approval"), (), "request"),
    "approval-responded": (("input", "approval"), (), "answer"),
    "output-available": (("input", "output"), ("approval", "preliminary"), True),
    "output-error": (("errorText",), ("input", "rawInput", "approval"), True),
    "output-denied": (("input", "approval"), (), False),
}
STATE_FIELDS = {"output", "errorText", "approval"}


def part(value: Any, mode: str) -> dict:
    kind = value.get("type") if isinstance(value, dict) else None
    if not isinstance(kind, str):
        raise Violation("AC-09", "no type")
    if kind in PARTS:
        return PARTS[kind](value, mode)
    if kind == "dynamic-tool" or kind.startswith("tool-"):
        return tool(value, mode)
    if kind.startswith("data-"):
        if kind == "data-":
            raise Violation("AC-10", "no name")
        return DATA(value, mode)
    if mode == "strict":
        raise Violation("AC-09", kind)
    return value


def tool(value: dict, mode: str) -> dict:
    if value["type"] == "tool-":
        raise Violation("AC-10", "no name")
    state = value.get("state")
    if not isinstance(state, str) or state not in STATES:
        raise Violation("AC-15", "no state")
    needed, allowed, kind = STATES[state]
    if forbidden := STATE_FIELDS & value.keys() - {*needed, *allowed}:
        raise Violation("AC-16", ", ".join(sorted(forbidden)))
    if missing := set(needed) - value.keys():
        raise Violation("AC-17", ", ".join(sorted(missing)))
    if mode == "strict" and "preliminary" in value and "preliminary" not in allowed:
        raise Violation("AC-19", "preliminary")
    readers = {
        "type": text, "toolCallId": under("AC-15", identifier), "state": text, "title?": text,
        "providerExecuted?": truth, "callProviderMetadata?": metadata,
    }
    if value["type"] == "dynamic-tool":
        readers["toolName"] = under("AC-15", text)
    for name in (*needed, *allowed):
        reader = {"errorText": under("AC-17", text), "preliminary": truth}.get(name, anything)
        readers[name if name in needed else name + "?"] = reader
    if "approval" in value:
        readers["approval" if "approval" in needed else "approval?"] = approval(kind)
    return Record("AC-15", **readers)(value, mode)


def approval(kind: Any) -> Reader:
    def read_approval(value: Any, mode: str) -> dict:
        if kind == "request":
            if isinstance(value, dict) and {"approved", "reason"} & value.keys():
                raise Violation("AC-18", "a request has no answer")
            return record("AC-18", id=under("AC-18", identifier))(value, mode)
        fields = record(
            "AC-18", id=under("AC-18", identifier), approved=under("AC-18", truth), reason__optional=text
        )
        answer = fields(value, mode)
        if isinstance(kind, bool) and answer["approved"] is not kind:
            raise Violation("AC-18", f"approved is not {kind}")
        return answer

    return read_approval


def message(value: Any, mode: str) -> dict:
    result = MESSAGE(value, mode)
    if result["role"] not in ("user", "assistant", "system"):
        raise Violation("AC-07", result["role"])
    if not result["parts"] and result["role"] != "assistant":
        raise Violation("AC-08", "no parts")
    return result


MESSAGE = record(
    id=identifier, role=Needed("AC-07", under("AC-07", text)), parts=list_of(part, "AC-08"),
    metadata__optional=anything, parent_id__optional=parent, created_at__optional=date,
)


# Commands (section 6.1).


def run(value: Any, mode: str) -> dict:
    result = RUN(value, mode)
    sent = result["message"]
    if sent["role"] != "user" and not (sent["role"] == "assistant" and answers(sent)):
        raise Violation("AC-07", sent["role"])
    return result


def answers(sent: dict) -> list[dict]:
    """The parts of a message that answer an approval."""
    return [one for one in sent["parts"] if is_tool(one) and one["state"] == "approval-responded"]


def is_tool(one: dict) -> bool:
    return one["type"] == "dynamic-tool" or one["type"].startswith("tool-")


RUN = record(
    id=identifier, message=message, vaultItems=Needed("AC-22", list_of(anything, "AC-22")),
    timezone=Needed("AC-22", zone), parent_id__optional=identifier,
)
COMMANDS = {
    "run": run,
    "get_chat": record(id=identifier),
    "cancel": record(job_id=identifier, id__optional=identifier),
    "clarify_response": record(
        job_id=identifier, request_id=identifier,
        answers=list_of(
            record(question_id=identifier, text__optional=text, option_ids__optional=list_of(identifier))
        ),
    ),
    "inject_message": record(job_id=identifier, inject_id=identifier, text=text),
}


def command(value: dict, mode: str) -> dict:
    kind = value.get("type")
    if not isinstance(kind, str) or kind not in COMMANDS:
        raise Violation("AC-02", f"type {kind!r}")
    if not isinstance(value.get("data"), dict):
        raise Violation("AC-03", "no data")
    return record(type=text, data=COMMANDS[kind])(value, mode)


# Server messages (section 6.2).


def active_job(value: Any, mode: str) -> Any:
    return value if value is None else record(job_id=identifier, message_id=identifier)(value, mode)


QUESTION = record(
    id=identifier, text=text, options__optional=list_of(record(id=identifier, label=text)), multiple__optional=truth
)
SERVER = {
    "ready": record(chat_id__optional=identifier, protocol__optional=text, active_job__optional=active_job),
    "run": record(job_id=identifier, message_id=identifier),
    "stream": record(
        message_id=identifier, delta=part, consolidated__optional=truth, job_id__optional=identifier,
        seq__optional=whole,
    ),
    "stream_resume": record(
        message_id=identifier, parts=Needed("AC-33", list_of(part, "AC-33")), job_id__optional=identifier,
        seq__optional=whole,
    ),
    "chat_history": record(
        initialPath=Needed("AC-33", list_of(message, "AC-33")), chat_id__optional=identifier,
        messages__optional=list_of(message),
    ),
    "done": record(job_id__optional=identifier, message_id__optional=identifier),
    "cancel": record(job_id__optional=identifier),
    "error": record(
        message__optional=text, error__optional=text, code__optional=text, job_id__optional=identifier
    ),
    "clarify_request": record(job_id=identifier, request_id=identifier, questions=list_of(QUESTION, least=1)),
    "inject_ack": record(job_id=identifier, inject_id=identifier),
    "inject_split": record(
        job_id=identifier, inject_id=identifier, message_id=identifier, user_message_id=identifier,
        new_message_id=identifier,
    ),
}


def server_message(value: dict, mode: str) -> dict:
    kind = value.get("type")
    if not isinstance(kind, str) or kind not in SERVER:
        raise Violation("AC-02", f"type {kind!r}")
    if "data" in value:
        raise Violation("AC-03", "data")
    fields = SERVER[kind].fields
    result = Record("AC-04", **{"type": text, **fields})(value, mode)
    if kind == "error" and not {"message", "error"} & result.keys():
        raise Violation("AC-32", "no text")
    return result


DIRECTIONS = {"c2s": command, "s2c": server_message, "part": part, "message": message}


def decode(direction: str, frame: bytes, mode: str, binary: bool = False) -> Any:
    """The value of a frame, or of a part or message that stands alone."""
    if binary:
        raise Violation("AC-01", "a binary frame")
    value = read(frame)
    if not isinstance(value, dict):
        raise Violation("AC-01", "no object")
    return DIRECTIONS[direction](value, mode)
