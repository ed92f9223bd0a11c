"""Applying deltas to the parts of a message (Specs/agent-chat.md, section 7.2).

>>> fold([], [{"type": "text", "text": "Hel"}, {"type": "text", "text": "lo"}, {"type": "step-start"}])
[{'type': 'text', 'text': 'Hello'}, {'type': 'step-start'}]
"""

from . import Violation, tools
from .codec import is_tool


def fold(parts: list[dict], deltas: list[dict]) -> list[dict]:
    for delta in deltas:
        parts = apply(parts, delta)
    return parts


def apply(parts: list[dict], delta: dict, consolidated: bool = False) -> list[dict]:
    """The parts with a delta; the parts given stay as they are."""
    if consolidated:
        return replace_last(parts, delta)
    last = parts[-1] if parts else None
    if delta["type"] in ("text", "reasoning"):
        if last and last["type"] == delta["type"] and last.get("state") != "done":
            return [*parts[:-1], {**last, **delta, "text": last["text"] + delta["text"]}]
        return push(parts, delta)
    if is_tool(delta):
        place = find(parts, lambda one: is_tool(one) and one["toolCallId"] == delta["toolCallId"])
        tools.check(None if place is None else parts[place], delta)
        return push(parts, delta) if place is None else put(parts, place, delta)
    if delta["type"].startswith("data-") and "id" in delta:
        place = find(parts, lambda one: one["type"] == delta["type"] and one.get("id") == delta["id"])
        return push(parts, delta) if place is None else put(parts, place, delta)
    return push(parts, delta)


def replace_last(parts: list[dict], delta: dict) -> list[dict]:
    if not parts or parts[-1]["type"] != delta["type"]:
        raise Violation("AC-28", "another type, or no part")
    if is_tool(delta):
        if parts[-1]["toolCallId"] != delta["toolCallId"]:
            raise Violation("AC-28", "another call")
        tools.check(parts[-1], delta)
    return [*parts[:-1], delta]


def push(parts: list[dict], part: dict) -> list[dict]:
    """Adds a part, which closes every open text before it."""
    return [*close(parts), part]


def close(parts: list[dict]) -> list[dict]:
    """`streaming` becomes `done`; an absent state stays absent."""
    return [one | {"state": "done"} if is_open([one]) else one for one in parts]


def is_open(parts: list[dict]) -> bool:
    """Whether a text still streams."""
    return any(one["type"] in ("text", "reasoning") and one.get("state") == "streaming" for one in parts)


def put(parts: list[dict], place: int, part: dict) -> list[dict]:
    return [*parts[:place], part, *parts[place + 1 :]]


def find(parts, condition) -> int | None:
    return next((place for place, one in enumerate(parts) if condition(one)), None)
