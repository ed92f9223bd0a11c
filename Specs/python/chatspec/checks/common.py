"""What checkers of all kinds share."""

from contextvars import ContextVar
from typing import Any, Callable

from ..participant import system_random
from ..refusal import Refused
from ..texts import read_hex


class Mismatch(Exception):
    """The case and this implementation disagree."""


class NotApplicable(Exception):
    """The case is about something that this implementation does not do."""


# Whether the class of an error is part of what a file says: it does if it has `"errors": "exact"`.
exact_errors: ContextVar[bool] = ContextVar("exact_errors", default=False)


def expect(what: str, actual: Any, expected: Any) -> None:
    """Refuses two values that differ, and shows where they begin to."""
    if actual != expected:
        here, there = repr(actual), repr(expected)
        at = next((i for i, (a, b) in enumerate(zip(here, there)) if a != b), min(len(here), len(there)))
        start = max(0, at - 20) if max(len(here), len(there)) > 120 else 0
        place = f" from character {start} on" if start else ""
        raise Mismatch(f"{what}{place} is {here[start:start + 120]}, the file has {there[start:start + 120]}")


def expect_fields(case: dict, **actual: Any) -> None:
    """Compares results with the fields of the same names; bytes stand in the file as hex."""
    for name, value in actual.items():
        expect(name, value.hex() if isinstance(value, bytes) else value, case[name])


def demand(case: dict, operation: Callable[[], Any], unchanged: Callable[[], Any] = lambda: None) -> Any:
    """Does what `result` demands of a case or step. Returns what a valid operation returned, else nothing.
    `unchanged` gives a state that must be the same before and after an operation that was refused."""
    result, before = case["result"], unchanged()
    try:
        value = operation()
    except Refused as refusal:
        expect("the state after a refusal", unchanged(), before)
        if exact_errors.get() and result in ("invalid", "unsupported", "rejected"):
            expect("error", refusal.code, case.get("error"))
            expected = "rejected" if result == "rejected" else "unsupported" if refusal.code == "unsupported" else "invalid"
            expect("result", result, expected)
        if result in ("invalid", "unsupported", "rejected", "policy"):
            return None
        raise Mismatch(f"refused ({refusal}), the file has {result}") from None
    if result == "policy":
        return None
    if result not in ("valid", "accepted", "ignored"):
        raise Mismatch(f"accepted, the file has {result}")
    return value


def data(case: dict, *names: str) -> list[bytes]:
    return [read_hex(case[name]) for name in names]


def by_operation(operations: dict[str, Callable[[dict], None]]) -> Callable[[dict], None]:
    def checker(case: dict) -> None:
        if case["operation"] not in operations:
            raise NotApplicable(f"operation {case['operation']}")
        operations[case["operation"]](case)

    return checker


class Scripted:
    """The random values that a case or step names, in their order. Where it is to be refused they may be missing."""

    def __init__(self, values: list[tuple[str, bytes]], case: dict | None = None):
        self.values = list(values)
        self.is_complete = (case or {}).get("result", "valid") in ("valid", "accepted")

    def __call__(self, label: str, count: int) -> bytes:
        if not self.values:
            if not self.is_complete:
                return system_random(label, count)
            raise Mismatch(f"draws {label}, the file has no further value")
        expected, value = self.values.pop(0)
        expect("the next draw", (label, count), (expected, len(value)))
        return value

    def finish(self) -> None:
        if self.is_complete:
            expect("what is left to draw", [label for label, _ in self.values], [])
