"""Streams (sections 6 and 7.4): lines out of pieces of any size, a client's view, and an engine's.

>>> splitter = Splitter()
>>> splitter.feed(b'{"a"'), splitter.feed(b':1}\\n\\n{')
([], [b'{"a":1}'])
>>> splitter.rest()
b'{'
"""

from typing import Any

from . import Violation
from .values import CODES, MAXIMUM_LINE, SCHEMAS, backend_event, event, read

BLANK = b" \t\r"


class Splitter:
    """Lines that say something, without their line feeds (CE-02)."""

    def __init__(self, limit: int = MAXIMUM_LINE):
        self.limit, self.buffer = limit, bytearray()

    def feed(self, piece: bytes) -> list[bytes]:
        *lines, self.buffer = (self.buffer + piece).split(b"\n")
        for line in [*lines, self.buffer]:
            if len(line) > self.limit:
                self.failed = lines
                raise Violation("CE-02", f"a line has more than {self.limit} bytes")
        return [bytes(line) for line in lines if line.strip(BLANK)]

    def rest(self) -> bytes:
        """What came after the last line feed."""
        rest, self.buffer = bytes(self.buffer), bytearray()
        return rest if rest.strip(BLANK) else b""


class Reader:
    """A client's view of one stream (section 6.1)."""

    def __init__(self) -> None:
        self.state, self.message, self.splitter = "awaiting start", None, Splitter()

    def receive(self, one: dict) -> None:
        """Takes an event (CE-22)."""
        if self.state in ("done", "failed", "truncated"):
            raise Violation("CE-22", "an event after the last one")
        if self.message not in (None, one["message_id"]):
            raise Violation("CE-22", "an event of another message")
        state = {"start": "streaming", "chunk": "streaming", "complete": "done", "error": "failed"}[one["type"]]
        if (self.state == "awaiting start") != (one["type"] == "start") and one["type"] != "error":
            raise Violation("CE-22", "start comes first, and once")
        self.state, self.message = state, one["message_id"]

    def feed(self, piece: bytes, mode: str = "strict") -> None:
        for line in self.splitter.feed(piece):
            self.receive(event(read(line), mode))

    def end(self, mode: str = "strict") -> None:
        rest = self.splitter.rest()
        if rest:
            last = event(read(rest), mode)
            if last["type"] not in ("complete", "error"):
                raise Violation("CE-02", "the last line is cut")
            self.receive(last)
        if self.state in ("awaiting start", "streaming"):
            self.state = "truncated"


class Backend:
    """An engine's view of a backend's answer: `outcome` is valid, error or invalid once it is over."""

    def __init__(self, message: str, kind: str = "message.new"):
        self.message, self.kind, self.text = message, kind, ""
        self.outcome: str | None = None
        self.is_late = False
        self.form = ""
        self.splitter, self.body = Splitter(), bytearray()

    def head(self, status: int, content_type: str) -> None:
        """Status and content type (CE-20)."""
        form = content_type.split(";")[0].strip(" ").lower()
        if not 200 <= status < 300 or form not in ("application/json", "application/x-ndjson"):
            self.outcome = "invalid"
        self.form = form

    def feed(self, piece: bytes) -> None:
        if self.outcome:
            self.is_late = self.is_late or bool(piece.strip(BLANK + b"\n"))
            return
        if self.form == "application/json":
            self.body += piece
            return
        self.guarded(lambda: self.lines(piece))

    def lines(self, piece: bytes) -> None:
        # Line by line, so that what came before a bad line is good.
        while piece and not self.outcome:
            cut = piece.find(b"\n") + 1 or len(piece)
            for line in self.splitter.feed(piece[:cut]):
                self.take(backend_event(read(line), "lenient"), is_cut=False)
            piece = piece[cut:]
        self.is_late = self.is_late or bool(piece.strip(BLANK + b"\n"))

    def end(self) -> None:
        if not self.outcome:
            self.guarded(self.close)

    def close(self) -> None:
        if self.form == "application/json":
            self.whole(read(bytes(self.body)))
            return
        rest = self.splitter.rest()
        if not rest:
            raise Violation("CE-21", "there is no terminal event")
        self.take(backend_event(read(rest), "lenient"), is_cut=True)

    def take(self, one: dict, is_cut: bool) -> None:
        if one.get("message_id", self.message) != self.message:
            raise Violation("CE-21", "another message")
        if one["type"] == "chunk":
            if is_cut:
                raise Violation("CE-02", "the last line is cut")
            self.text += one["chunk"]["content"]
        else:
            self.outcome = "valid" if one["type"] == "complete" else "error"
            self.code = one.get("error_code") if one.get("error_code") in CODES else "BACKEND_ERROR"

    def whole(self, body: dict) -> None:
        if self.kind == "session.summary":
            self.text = SCHEMAS["webhook/SessionSummaryResponse"](body, "lenient")["summary"]
        else:
            reply = SCHEMAS["webhook/MessageNewResponse"](body, "lenient")
            if reply["message_id"] != self.message:
                raise Violation("CE-18", "another message")
            self.text = "".join(words(part) for part in reply["content"])
        self.outcome = "valid"

    def guarded(self, step: Any) -> None:
        try:
            step()
        except Violation:
            self.outcome = "invalid"


def words(part: dict) -> str:
    """What a part says, or the UUID of its file."""
    return next(value for key, value in part.items() if key in ("text", "code") or key.endswith("_id"))
