"""Calls of backends (section 7): which webhook is called how, the breaker, retries, and the order of a generation.

>>> timeout("message.new", None), timeout("session.created", 300)
(120, 60)
"""

from . import Violation

# Event: answered, default seconds, most seconds (none: fixed), called again.
TABLE: dict[str, tuple[bool, int, int | None, bool]] = {
    "session.created": (True, 30, 60, True), "message.new": (True, 120, 300, False),
    "message.recreate": (True, 120, 300, False), "message.aborted": (False, 10, None, False),
    "session.deleted": (False, 10, None, False), "session.summary": (True, 60, 120, False),
    "session_type.health_check": (True, 5, None, True), "message.reaction": (False, 10, None, False),
}
ATTEMPTS = 3


def timeout(event: str, configured: int | None) -> int:
    """Seconds for one attempt (CE-34)."""
    _, default, most, _ = TABLE[event]
    return default if most is None else min(most, default if configured is None else configured)


class Breaker:
    """One for each session type; times are milliseconds (CE-32)."""

    THRESHOLD, OPEN_FOR, TESTS = 5, 60_000, 3

    def __init__(self) -> None:
        self.state, self.failures, self.opened, self.testing, self.era = "closed", 0, 0, 0, 0

    def enter(self, state: str, now: int = 0) -> None:
        self.state, self.failures, self.opened, self.testing, self.era = state, 0, now, 0, self.era + 1

    def call(self, now: int) -> int | None:
        """A pass, or nothing where the call is refused."""
        if self.state == "open":
            if now < self.opened + self.OPEN_FOR:
                return None
            self.enter("half-open")
        if self.state == "half-open":
            if self.testing == self.TESTS:
                return None
            self.testing += 1
        return self.era

    def record(self, outcome: str, era: int, now: int) -> None:
        """Success, fail or neutral; of a call of an earlier state nothing is taken."""
        if era != self.era or self.state == "open":
            return
        if outcome == "success":
            if self.state == "half-open":
                self.enter("closed")
            self.failures = 0
        elif outcome == "fail":
            self.failures += 1
            if self.state == "half-open" or self.failures >= self.THRESHOLD:
                self.enter("open", now)
        elif self.state == "half-open":
            self.testing -= 1


def is_failure(outcome: str) -> bool:
    """Whether an attempt counts against the backend."""
    return outcome in ("timeout", "connect", "malformed") or outcome.isdigit() and int(outcome) >= 500


def attempts(event: str, outcomes: list[str]) -> tuple[int, list[int], str]:
    """How many attempts are made, the delays without jitter, and the result (CE-33)."""
    answered, _, _, again = TABLE[event]
    delays: list[int] = []
    for number, outcome in enumerate(outcomes, 1):
        if outcome.isdigit() and 200 <= int(outcome) < 300:
            return number, delays, "ok"
        if not again or number == ATTEMPTS or outcome == "malformed" or not is_failure(outcome):
            error = "BACKEND_TIMEOUT" if outcome == "timeout" else "BACKEND_ERROR"
            return number, delays, error if answered else "ignored"
        delays.append(min(5_000, 100 * 2 ** (number - 1)))
    raise Violation("CE-33", "there are too few outcomes")


def follow(trace: list[str]) -> None:
    """The order in which an answer is generated (CE-37, CE-38)."""
    if trace[:2] != ["user-commit", "webhook"]:
        raise Violation("CE-37", "what was said is stored before the backend is asked")
    seen: set[str] = set()
    for step in trace[2:]:
        stored = not seen.isdisjoint({"assistant-commit", "partial-commit"})
        over = not seen.isdisjoint({"complete", "error"})
        cut = not seen.isdisjoint({"timeout", "client-close"})
        partial_due = "chunk" in seen and not stored
        good = {
            "start": "start" not in seen and not cut and not over,
            "chunk": "start" in seen and not cut and not stored and not over,
            "assistant-commit": "start" in seen and not cut and not stored and not over,
            "partial-commit": "chunk" in seen and not stored and not over,
            "assistant-listed": stored,
            "complete": "assistant-commit" in seen and not over and "client-close" not in seen,
            "error": not over and "client-close" not in seen and "assistant-commit" not in seen and not partial_due,
            "client-close": "client-close" not in seen,
            "timeout": not cut and not stored and not over,
            "message.aborted": "client-close" in seen and not over and "timeout" not in seen and not partial_due
            and "message.aborted" not in seen,
        }.get(step, False)
        if not good:
            raise Violation("CE-38" if step == "message.aborted" else "CE-37", f"{step} must not come now")
        seen.add(step)
    if "client-close" in seen and seen.isdisjoint({"complete", "error", "message.aborted"}):
        raise Violation("CE-38", "the backend is not told that the client closed")
