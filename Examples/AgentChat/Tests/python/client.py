"""A client of agent chat, written from Specs/agent-chat.md alone."""

import asyncio
import itertools
import json

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

PATIENCE = 60


class Client:
    """One connection to one chat. It keeps the messages and the job, and fails on whatever breaks a rule."""

    def __init__(self, url, chat, **options):
        self.url, self.chat, self.options = url, chat, options
        self.messages, self.path = {}, []
        self.job = self.writes = self.sequence = self.ending = self.questions = None
        self.acknowledged, self.errors = [], []
        self.numbers = itertools.count(1)

    async def __aenter__(self):
        self.socket = await connect(self.url, open_timeout=PATIENCE, max_size=2**20, **self.options)
        ready = await self.next()
        if ready["type"] == "error":
            # The last job of the chat failed (7.4).
            self.errors.append(ready)
            ready = await self.next()
        assert ready["type"] == "ready" and ready["protocol"] == "0.1", ready
        self.active = ready["active_job"]
        return self

    async def __aexit__(self, *_):
        await self.socket.close()

    async def next(self):
        frame = await asyncio.wait_for(self.socket.recv(), PATIENCE)
        assert isinstance(frame, str), "a binary frame"
        message = json.loads(frame)
        assert "data" not in message, "AC-03"
        return message

    async def send(self, kind, **data):
        await self.socket.send(json.dumps({"type": kind, "data": data}))

    async def say(self, text, behind=None):
        """Submits a message, perhaps as another branch behind one that is shown; gives its id."""
        message = {"id": f"m{id(self)}-{next(self.numbers)}", "role": "user", "parts": [{"type": "text", "text": text}]}
        self.messages[message["id"]] = message
        if behind:
            self.path = self.path[:self.path.index(behind) + 1]
        await self.run(message, **({"parent_id": behind} if behind else {}))
        return message["id"]

    async def run(self, message, **branch):
        self.ending = None
        await self.send("run", id=self.chat, message=message, vaultItems=[], timezone="Europe/Paris", **branch)

    async def history(self):
        await self.send("get_chat", id=self.chat)
        await self.until(lambda message: message["type"] == "chat_history")

    async def approve(self, approved, reason=None):
        """Answers the approval that waits (AC-31)."""
        message = self.messages[self.path[-1]]
        part = next(part for part in message["parts"] if part.get("state") == "approval-requested")
        answer = {"id": part["approval"]["id"], "approved": approved}
        if reason:
            answer["reason"] = reason
        answered = {**part, "state": "approval-responded", "approval": answer}
        await self.run({"id": message["id"], "role": "assistant", "parts": [answered]})

    async def until(self, wanted):
        """Takes messages up to the first that is wanted."""
        while True:
            message = await self.next()
            self.take(message)
            if wanted(message):
                return message

    async def end(self):
        """The end of the job: completed, cancelled or failed."""
        while self.ending is None:
            self.take(await self.next())
        return self.ending

    async def text(self, text):
        """Until the message that is written has a text in it."""
        while text not in self.written():
            self.take(await self.next())

    def written(self, message=None):
        parts = self.messages.get(message or self.writes, {"parts": []})["parts"]
        return "".join(part["text"] for part in parts if part["type"] == "text")

    def tool(self, name):
        return next(part for part in self.messages[self.path[-1]]["parts"] if part["type"] == f"tool-{name}")

    def take(self, message):
        kind = message["type"]
        if kind == "run":
            assert self.job is None, "AC-23"
            (self.job, self.writes, self.sequence, self.ending) = (message["job_id"], message["message_id"], 0, None)
            self.show(message["message_id"], [])
        elif kind == "stream":
            assert message["message_id"] == self.writes and message["job_id"] == self.job, "AC-27"
            assert message["seq"] == self.sequence + 1, "a delta is missing"
            self.sequence = message["seq"]
            fold(self.messages[self.writes]["parts"], message["delta"], message.get("consolidated", False))
        elif kind == "stream_resume":
            (self.job, self.writes, self.sequence) = (message["job_id"], message["message_id"], message.get("seq"))
            self.show(self.writes, None)
            self.messages[self.writes]["parts"] = message["parts"]
        elif kind == "chat_history":
            self.path = [one["id"] for one in message["initialPath"]]
            assert len(set(self.path)) == len(self.path), "AC-34"
            self.messages.update((one["id"], one) for one in message["initialPath"])
        elif kind == "clarify_request":
            self.questions = message
        elif kind == "inject_ack":
            self.acknowledged.append(message["inject_id"])
        elif kind == "inject_split":
            assert message["inject_id"] in self.acknowledged and message["message_id"] == self.writes, "AC-30"
            self.writes = message["new_message_id"]
            self.path.append(message["user_message_id"])
            self.show(self.writes, [])
        elif kind == "error" and ("job_id" not in message or message["job_id"] != self.job):
            # A command was refused, or named a job that does not live (6.2).
            self.errors.append(message)
        elif kind in ("done", "cancel", "error"):
            assert self.job is not None and message.get("job_id") in (None, self.job), f"AC-30: {message}"
            self.ending = {"done": "completed", "cancel": "cancelled", "error": "failed"}[kind]
            self.job = self.questions = None
        else:
            assert kind == "ready", f"AC-02: {kind}"

    def show(self, message, parts):
        self.messages.setdefault(message, {"id": message, "role": "assistant", "parts": parts or []})
        if message not in self.path:
            self.path.append(message)


def fold(parts, delta, consolidated):
    """Section 7.2."""
    if consolidated:
        assert parts and parts[-1]["type"] == delta["type"], "AC-28"
        parts[-1] = delta
        return
    if delta["type"] in ("text", "reasoning") and parts and parts[-1]["type"] == delta["type"]:
        if parts[-1].get("state") != "done":
            parts[-1] = {**parts[-1], **delta, "text": parts[-1]["text"] + delta["text"]}
            return
    for index, part in enumerate(parts):
        same_call = "toolCallId" in delta and part.get("toolCallId") == delta["toolCallId"]
        same_data = delta["type"].startswith("data-") and "id" in delta and part.get("id") == delta["id"]
        if same_call or (same_data and part["type"] == delta["type"]):
            parts[index] = delta
            return
    for part in parts:
        if part.get("state") == "streaming" and part["type"] in ("text", "reasoning"):
            part["state"] = "done"
    parts.append(delta)


__all__ = ["Client", "ConnectionClosed", "PATIENCE", "connect", "fold"]
