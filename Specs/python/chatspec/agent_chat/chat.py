"""One chat between client, service and connection (Specs/agent-chat.md, sections 7.3 and 7.4).

A step works on a copy, which takes the chat's place if nothing was refused.
"""

import copy
from typing import Any

from . import Violation, fold
from .codec import answers, is_tool

LIVE = ("running", "clarifying", "cancelling")


class Chat:
    """What either side knows of a chat."""

    def __init__(self, chat: str):
        self.chat = chat
        self.connection = "disconnected"
        self.has_stream = False
        self.active: Any = "unsaid"
        self.messages: dict[str, dict] = {}
        self.path: list[str] = []
        self.failed: set[str] = set()
        self.submission: str | None = None
        self.previous: str | None = None
        self.forget_job("idle")

    def forget_job(self, state: str) -> None:
        self.job, self.job_id, self.current = state, None, None
        self.request: dict | None = None
        self.injections: dict[str, dict] = {}
        self.seq: int | None = None

    # Events.

    def open(self) -> None:
        self.connection, self.has_stream, self.active = "open", False, "unsaid"

    def drop(self) -> None:
        self.connection, self.has_stream, self.active = "disconnected", False, "unsaid"

    def command(self, frame: dict) -> None:
        if self.connection != "ready":
            raise Violation("AC-29", "nothing is sent before ready")
        self.step("c_" + frame["type"], frame["data"])

    def message(self, frame: dict) -> None:
        kind = frame["type"]
        if kind == "ready" and self.connection != "open":
            raise Violation("AC-29", "a second ready")
        if kind not in ("ready", "error") and self.connection != "ready":
            raise Violation("AC-29", "before ready")
        self.step("s_" + kind, frame)
        if kind in ("run", "stream_resume"):
            self.has_stream = True

    def step(self, name: str, fields: dict) -> None:
        trial = copy.deepcopy(self)
        getattr(trial, name)(fields)
        self.__dict__ = trial.__dict__

    # What the client sends.

    def c_run(self, run: dict) -> None:
        self.same_chat(run["id"])
        if self.job == "submitted" or self.job in LIVE:
            raise Violation("AC-23", "busy")
        sent = run["message"]
        if sent["role"] == "assistant":
            sent = self.continued(sent)
        elif "parent_id" in run:
            self.branch(run["parent_id"], sent["id"])
        previous = self.job_id or self.previous
        self.forget_job("submitted")
        self.previous, self.submission = previous, sent["id"]
        self.messages[sent["id"]] = sent
        self.show(sent["id"])
        self.failed.discard(sent["id"])

    def branch(self, point: str, sent: str) -> None:
        """What stands behind the branch point leaves the path (AC-34)."""
        if point not in self.path or point == sent:
            raise Violation("AC-34", "no branch point")
        self.path = self.path[:self.path.index(point) + 1]

    def continued(self, sent: dict) -> dict:
        """The message that is kept, with answers to the approvals that wait, and nothing else (AC-31)."""
        kept = self.messages.get(sent["id"])
        if kept is None or kept["role"] != "assistant":
            raise Violation("AC-31", "no such message")
        asked = {one["toolCallId"]: one for one in kept["parts"] if is_tool(one) and "approval" in one}
        given = {}
        for answer in answers(sent):
            tool = asked.get(answer["toolCallId"])
            if tool is None or tool["approval"]["id"] != answer["approval"]["id"]:
                raise Violation("AC-31", "no such approval")
            if tool["state"] == "approval-requested":
                given[answer["toolCallId"]] = {"state": "approval-responded", "approval": answer["approval"]}
        if not given:
            raise Violation("AC-31", "no approval waits")
        parts = [one | given.get(one.get("toolCallId"), {}) if is_tool(one) else one for one in kept["parts"]]
        return kept | {"parts": parts}

    def c_get_chat(self, get: dict) -> None:
        self.same_chat(get["id"])

    def c_cancel(self, cancel: dict) -> None:
        if "id" in cancel:
            self.same_chat(cancel["id"])
        self.needs_live(cancel["job_id"])
        self.job, self.request = "cancelling", None

    def c_clarify_response(self, response: dict) -> None:
        self.needs_live(response["job_id"])
        if self.request is None or self.request["request_id"] != response["request_id"]:
            raise Violation("AC-25", "no such request")
        check_answers(self.request["questions"], response["answers"])
        self.job, self.request = "running", None

    def c_inject_message(self, inject: dict) -> None:
        self.needs_live(inject["job_id"])
        if not inject["text"].strip():
            raise Violation("AC-26", "blank")
        known = self.injections.get(inject["inject_id"])
        if known is not None:
            if known["text"] not in (None, inject["text"]):
                raise Violation("AC-26", "the id of another text")
            return
        if self.job == "cancelling" or len(self.injections) >= 1000:
            raise Violation("AC-26", "the job takes no text")
        self.injections[inject["inject_id"]] = {"text": inject["text"], "acked": False, "used": False}

    # What the service sends.

    def s_ready(self, ready: dict) -> None:
        self.connection, self.active = "ready", ready.get("active_job", "unsaid")

    def s_run(self, run: dict) -> None:
        if self.job in LIVE:
            raise Violation("AC-23", "a second job")
        before = self.previous if self.job == "submitted" else self.job_id
        if run["job_id"] == before:
            raise Violation("AC-30", "it ended")
        self.forget_job("running")
        self.previous, self.submission = before, None
        self.job_id, self.current = run["job_id"], run["message_id"]
        self.open_message(self.current)

    def s_stream(self, stream: dict) -> None:
        if not self.has_stream or self.job not in LIVE or stream["message_id"] != self.current:
            raise Violation("AC-27", "no job writes this message")
        if self.job_id and stream.get("job_id", self.job_id) != self.job_id:
            raise Violation("AC-27", "another job")
        number = stream["seq"].whole if "seq" in stream else None
        if number is not None and self.seq is not None and number <= self.seq:
            return
        self.edit(lambda parts: fold.apply(parts, stream["delta"], stream.get("consolidated", False)))
        if number is not None:
            self.seq = number

    def s_stream_resume(self, resume: dict) -> None:
        active = self.active["job_id"] if isinstance(self.active, dict) and not self.has_stream else None
        named = resume.get("job_id", active)
        if self.job not in LIVE:
            ended = self.job != "submitted" and (
                named == self.job_id if named else self.job_id and resume["message_id"] == self.current
            )
            if ended or (named and named == self.previous):
                raise Violation("AC-30", "it ended")
            before = self.previous if self.job == "submitted" else self.job_id
            self.forget_job("running")
            self.previous = before
        elif named and self.job_id and named != self.job_id:
            before = self.job_id
            self.forget_job("running")
            self.previous = before
        self.job_id, self.current = named or self.job_id, resume["message_id"]
        self.seq = resume["seq"].whole if "seq" in resume else None
        self.submission = None
        self.open_message(self.current)
        self.edit(lambda parts: resume["parts"])

    def s_chat_history(self, history: dict) -> None:
        check_path(history["initialPath"])
        if "chat_id" in history:
            self.same_chat(history["chat_id"])
        live = self.has_stream and self.job in LIVE
        for one in history.get("messages", []) + history["initialPath"]:
            if not (live and one["id"] == self.current):
                self.messages[one["id"]] = one
        self.path = [one["id"] for one in history["initialPath"]]
        if live:
            self.show(self.current)
        if self.active is None and not self.has_stream:
            self.settle_absence()

    def settle_absence(self) -> None:
        """`ready` said that no job lives."""
        if self.job in LIVE:
            # An end that is no failure closes every text.
            is_whole = self.current in self.path and not fold.is_open(self.messages[self.current]["parts"])
            self.end("completed" if is_whole else "failed")
        elif self.job == "submitted":
            submission, self.submission = self.submission, None
            self.job = "ended:completed" if submission in self.path else "idle"
            if self.job == "idle":
                self.failed.add(submission)

    def s_done(self, done: dict) -> None:
        self.needs_own(done.get("job_id"))
        self.end("completed")
        self.edit(fold.close)

    def s_cancel(self, cancel: dict) -> None:
        self.needs_own(cancel.get("job_id"))
        self.end("cancelled")
        self.edit(fold.close)

    def s_error(self, error: dict) -> None:
        if self.connection == "open" and "job_id" in error:
            # Whoever comes is told that the last job failed; here it may be unknown, or known to have ended.
            if self.job not in LIVE or self.job_id not in (None, error["job_id"]):
                return
        if self.job == "submitted":
            if error.get("job_id") and error["job_id"] == self.previous:
                raise Violation("AC-30", "it ended")
            if self.messages[self.submission]["role"] == "user":
                self.failed.add(self.submission)
            self.forget_job("idle")
            self.submission = None
        elif "job_id" in error:
            self.needs_own(error["job_id"])
            self.end("failed")

    def s_clarify_request(self, request: dict) -> None:
        self.needs_own(request["job_id"])
        if self.job == "cancelling" or (self.request and self.request["request_id"] == request["request_id"]):
            return
        if self.job != "running":
            raise Violation("AC-25", "another request is open")
        self.job, self.request = "clarifying", request

    def s_inject_ack(self, ack: dict) -> None:
        self.needs_own(ack["job_id"])
        if ack["inject_id"] not in self.injections and len(self.injections) >= 1000:
            raise Violation("AC-26", "too many texts")
        unknown = {"text": None, "acked": False, "used": False}
        self.injections.setdefault(ack["inject_id"], unknown)["acked"] = True

    def s_inject_split(self, split: dict) -> None:
        new, user = split["new_message_id"], split["user_message_id"]
        if new == user or new in self.messages or user in self.messages:
            raise Violation("AC-30", "messages that are there")
        self.needs_own(split["job_id"])
        injection = self.injections.get(split["inject_id"])
        if not injection or not injection["acked"] or injection["used"] or split["message_id"] != self.current:
            raise Violation("AC-30", "no text to split at, or another message")
        injection["used"] = True
        self.edit(fold.close)
        if injection["text"] is not None:
            self.messages[user] = {
                "id": user, "role": "user", "parts": [{"type": "text", "text": injection["text"]}]
            }
            self.show(user)
        self.current = new
        self.open_message(new)

    # Parts of steps.

    def same_chat(self, chat: str) -> None:
        if chat != self.chat:
            raise Violation("AC-23", "another chat")

    def needs_live(self, job: str) -> None:
        if self.job not in LIVE or self.job_id not in (None, job):
            raise Violation("AC-24", "no such job")

    def needs_own(self, job: str | None) -> None:
        if self.job not in LIVE or (job and self.job_id and job != self.job_id):
            raise Violation("AC-30", "no such job")

    def end(self, outcome: str) -> None:
        self.job, self.request = "ended:" + outcome, None

    def open_message(self, message: str) -> None:
        self.messages.setdefault(message, {"id": message, "role": "assistant", "parts": []})
        self.show(message)

    def show(self, message: str) -> None:
        if message not in self.path:
            self.path.append(message)

    def edit(self, change) -> None:
        message = self.messages[self.current]
        message["parts"] = change(message["parts"])


def check_answers(questions: list[dict], given: list[dict]) -> None:
    """Every question once, with what was offered (AC-25)."""
    left = {one["id"]: one for one in questions}
    for answer in given:
        question = left.pop(answer["question_id"], None)
        if question is None:
            raise Violation("AC-25", "no such question")
        chosen = answer.get("option_ids", [])
        if not set(chosen) <= {option["id"] for option in question.get("options", [])}:
            raise Violation("AC-25", "no such option")
        if len(set(chosen)) != len(chosen) or (len(chosen) > 1 and not question.get("multiple")):
            raise Violation("AC-25", "too many options")
        if not chosen and not answer.get("text", "").strip():
            raise Violation("AC-25", "an empty answer")
    if left:
        raise Violation("AC-25", "a question without answer")


def check_path(path: list[dict]) -> None:
    """No id twice, and every parent that is there is the message before (AC-34)."""
    ids = [one["id"] for one in path]
    if len(set(ids)) != len(ids):
        raise Violation("AC-34", "an id twice")
    for before, one in zip([None, *ids], path):
        if one.get("parent_id", before) != before:
            raise Violation("AC-34", "a parent that is not before")
