"""Vector files of agent chat, format `agent-chat-vectors/1` (Specs/agent-chat.md, section 10)."""

import json
from typing import Any, Callable

from ..agent_chat import Violation, codec, fold, tools
from ..agent_chat.chat import Chat
from ..agent_chat.jsontext import Number, read, same
from .common import Mismatch, NotApplicable

SCHEMA = "agent-chat-vectors/1"


def parse(document: bytes) -> Any:
    """A file, whose numbers keep their spelling."""
    return json.loads(document, parse_int=Number, parse_float=Number)


def check(document: dict, case: dict) -> None:
    kind = document.get("kind")
    if kind not in KINDS:
        raise NotApplicable(f"kind {kind!r}")
    KINDS[kind](case, document)


def refused(step: Callable[[], Any], expected: Any, what: str) -> Any:
    """What a step gives; None if it was refused as the file has it. `expected` is a list of rules, or nothing."""
    try:
        value = step()
    except Violation as violation:
        if not isinstance(expected, list) or violation.rule not in expected:
            raise Mismatch(f"{what} is refused ({violation}), the file has {expected}") from None
        return None
    if isinstance(expected, list):
        raise Mismatch(f"{what} is taken, the file refuses it ({expected})")
    return value


def expect(what: str, actual: Any, expected: Any) -> None:
    if not same(actual, expected):
        raise Mismatch(f"{what} is {actual!r:.200}, the file has {expected!r:.200}")


def decode(case: dict, document: dict) -> None:
    frame = frame_of(case)
    for mode in ("strict", "conformant"):
        value = refused(
            lambda: codec.decode(case["dir"], frame, mode, case.get("binary", False)), case[mode], mode
        )
        if value is not None:
            raw = case.get(f"{mode}_value_raw")
            expect(f"{mode} value", value, read(raw.encode() if raw else frame))


def frame_of(case: dict) -> bytes:
    if "raw" in case:
        return case["raw"].encode()
    if "raw_hex" in case:
        return bytes.fromhex(case["raw_hex"])
    return "".join(text * count.whole for text, count in case["raw_parts"]).encode()


def messages(case: dict, document: dict) -> None:
    for mode in ("strict", "conformant"):
        value = refused(lambda: [codec.message(one, mode) for one in case["messages"]], case[mode], mode)
        if value is not None:
            expect(f"{mode} value", value, case.get(f"{mode}_value", case["messages"]))


def tool(case: dict, document: dict) -> None:
    path = case.get("path", "").split()
    parts = case["parts"] if "parts" in case else [document["templates"][case["form"]][token] for token in path]
    before = None
    for step, part in enumerate(parts):
        after = codec.part(part, "strict")
        if refused(lambda: [tools.check(before, after)], rule_at(case, step), f"step {step}") is None:
            return
        before = after


def rule_at(case: dict, step: int) -> Any:
    return case["rule"] if case["expect"] == "invalid" and case["at"].whole == step else None


def folded(case: dict, document: dict) -> None:
    parts = [codec.part(one, "conformant") for one in case.get("initial", [])]
    for step, delta in enumerate(case["deltas"]):
        result = refused(lambda: [apply(parts, delta)], rule_at(case, step), f"delta {step}")
        if result is None:
            break
        parts = result[0]
    expect("parts", parts, case["parts"])
    if "resume" in case:
        parts = case["resume"]["parts"]
        for delta in case["deltas"][case["resume"]["after"].whole :]:
            parts = apply(parts, delta)
        expect("parts after resume", parts, case["parts"])


def apply(parts: list[dict], delta: dict) -> list[dict]:
    part = delta["part"] if "consolidated" in delta else delta
    return fold.apply(parts, codec.part(part, "conformant"), delta.get("consolidated", False))


def trace(case: dict, document: dict) -> None:
    chat, own = Chat(case["chat"]), set()
    rules = {violation["at"].whole: violation["rule"] for violation in case["violations"]}
    for step, event in enumerate(case["events"]):
        before = repr(vars(chat))
        if refused(lambda: [happen(chat, own, event)], rules.get(step), f"event {step}") is None:
            expect(f"the chat after refusing event {step}", repr(vars(chat)), before)
        expect(f"job after event {step}", chat.job, case["job_states"][step])
    held = {message: one["parts"] for message, one in chat.messages.items() if message not in own}
    end = {"connection": chat.connection, "job": chat.job, "messages": held}
    if chat.current:
        end["current"] = chat.current
    if "path" in case["end"]:
        end["path"] = chat.path
    expect("end", end, case["end"])


def happen(chat: Chat, own: set, event: dict) -> None:
    if event["from"] == "C":
        frame = codec.command(event["msg"], "strict")
        if frame["type"] == "run" and frame["data"]["message"]["role"] == "user":
            own.add(frame["data"]["message"]["id"])  # files count what was submitted as known
        chat.command(frame)
    elif event["from"] == "S":
        chat.message(codec.server_message(event["msg"], "strict"))
    elif event["event"] in ("open", "drop"):
        getattr(chat, event["event"])()
    else:
        raise NotApplicable(f"event {event['event']}")


KINDS = {
    "decode": decode, "tool": tool, "fold": folded, "trace": trace, "sdk-messages": messages, "sdk-streams": folded,
}
