"""The life of one tool call (Specs/agent-chat.md, section 7.1).

>>> call = {"type": "tool-pay", "toolCallId": "c", "state": "input-available", "input": 1}
>>> check(None, call)
>>> check(call, call | {"state": "output-available", "output": 2})
>>> check(call, call | {"state": "approval-responded", "approval": {"id": "p", "approved": True}})
Traceback (most recent call last):
chatspec.agent_chat.Violation: AC-20: approval-responded after input-available
"""

from . import Violation
from .jsontext import same

FOLLOWS = {
    None: {"input-streaming", "input-available", "output-error"},
    "input-streaming": {"input-streaming", "input-available", "output-error"},
    "input-available": {"approval-requested", "output-available", "output-error"},
    "approval-requested": {"approval-responded", "output-denied"},
    "approved": {"output-available", "output-error"},
    "refused": {"output-denied"},
    "preliminary": {"output-available", "output-error"},
}


def check(before: dict | None, after: dict) -> None:
    """Refuses a part that does not follow from the one before it."""
    if before is not None:
        check_identity(before, after)
    state = standing(before)
    if after["state"] in FOLLOWS.get(state, ()):
        return
    # Everything but an input that is written may come again as it was.
    if before is None or state == "input-streaming" or not same(before, after):
        raise Violation("AC-20", f"{after['state']} after {before and before['state']}")


def standing(part: dict | None) -> str | None:
    """The row of the table."""
    if part is None:
        return None
    if part["state"] == "approval-responded":
        return "approved" if part["approval"]["approved"] else "refused"
    if part["state"] == "output-available" and part.get("preliminary") is True:
        return "preliminary"
    return part["state"]


def check_identity(before: dict, after: dict) -> None:
    """What never changes: tool, approval id, and the input once it is complete."""
    if (before["type"], before.get("toolName")) != (after["type"], after.get("toolName")):
        raise Violation("AC-21", "another tool")
    ids = [part["approval"]["id"] for part in (before, after) if "approval" in part]
    if len(ids) == 2 and ids[0] != ids[1]:
        raise Violation("AC-21", "another approval")
    if before["state"] == "input-streaming" or "input" not in before or "input" not in after:
        return
    if not same(before["input"], after["input"]):
        raise Violation("AC-21", "another input")
