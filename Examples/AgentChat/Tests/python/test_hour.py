"""An hour of a person with an agent, in a minute: whatever happens to connections and service, nothing is lost."""

import asyncio
import json
import random
import tempfile
import time
import unittest
from pathlib import Path

from client import Client, ConnectionClosed
from service import Service

SCRIPT = {"turns": [
    {"match": "story", "steps": [{"repeat": 60, "steps": [{"text": "so it goes on ", "pause_ms": 8}]}],
     "injected": [{"text": "noted {injected} "}]},
    {"match": "when", "steps": [
        {"ask": [{"id": "day", "text": "Which day?", "options": [{"id": "fri", "label": "Friday"}]}]},
        {"text": "{answer.day} it is", "pause_ms": 0}]},
    {"match": "table", "steps": [
        {"reasoning": "looking ", "pause_ms": 0},
        {"tool": {"name": "book", "approval": True, "input": {"seats": 2}, "output": 7, "pause_ms": 5,
                  "denied": [{"text": "left", "pause_ms": 0}]}},
        {"text": "booked", "pause_ms": 0}]},
    {"match": "weather", "steps": [{"text": "half ", "pause_ms": 0}, {"fail": "no"}]},
    {"steps": [{"text": "Hello {user}", "pause_ms": 0}]},
]}


class HourTests(unittest.IsolatedAsyncioTestCase):
    MINUTES = 60

    async def asyncSetUp(self):
        asyncio.get_running_loop().set_debug(False)
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        script = Path(self.folder.name, "script.json")
        script.write_text(json.dumps(SCRIPT), encoding="utf-8")
        self.service = Service(f"script:{script}").start()
        self.addCleanup(self.service.close)
        self.chat = self.service.chat()
        self.random = random.Random(7)
        # What was said and taken, by id; what each answer said in the end; the ids that must be shown, in order.
        self.said, self.heard, self.shown = {}, {}, []
        self.client = None

    async def enter(self):
        self.client = await Client(self.service.socket(self.chat), self.chat).__aenter__()
        await self.client.history()

    async def test_an_hour(self):
        actions = [self.greet, self.story, self.interrupt, self.decide, self.book, self.fail_, self.branch, self.lose,
                   self.windows]
        # Each of them several times, in an order of the seed; the service dies twice, and is stopped once.
        minutes = [actions[at % len(actions)] for at in range(self.MINUTES)]
        self.random.shuffle(minutes)
        for at, action in ((15, self.die), (30, self.stop), (45, self.die)):
            minutes[at] = action
        await self.enter()
        begun, counts = time.monotonic(), {}
        for minute, action in enumerate(minutes):
            await action()
            counts[action.__name__.strip("_")] = counts.get(action.__name__.strip("_"), 0) + 1
            if minute % 6 == 5:
                await self.check()
        await self.check()
        await self.client.__aexit__()
        print(f"{self.MINUTES} minutes in {time.monotonic() - begun:.0f} s: {counts}, {len(self.said)} messages")

    async def check(self):
        """Somebody who comes now sees what this person saw."""
        async with Client(self.service.socket(self.chat), self.chat) as other:
            await other.history()
            self.assertEqual(other.path, self.shown)
            for one in other.path:
                text = "".join(part["text"] for part in other.messages[one]["parts"] if part["type"] == "text")
                self.assertEqual(text, self.said[one] if one in self.said else self.heard[one])

    async def say(self, text, behind=None):
        said = await self.client.say(text, behind)
        await self.client.until(lambda message: message["type"] == "run")
        if behind:
            self.shown = self.shown[:self.shown.index(behind) + 1]
        self.said[said] = text
        self.shown += [said, self.client.writes]

    async def ends(self, outcome):
        self.assertEqual(await self.client.end(), outcome)
        self.heard[self.client.writes] = self.client.written()
        return self.client.written()

    async def greet(self):
        await self.say("Good morning")
        self.assertEqual(await self.ends("completed"), "Hello Good morning")

    async def story(self):
        """Tells a story, and something is put in."""
        await self.say("A story")
        await self.client.text("so it goes on so it goes on")
        first, inject = self.client.writes, f"i{len(self.said)}"
        await self.client.send("inject_message", job_id=self.client.job, inject_id=inject, text="the moon")
        split = await self.client.until(lambda message: message["type"] == "inject_split")
        self.heard[first] = self.client.written(first)
        self.said[split["user_message_id"]] = "the moon"
        self.shown += [split["user_message_id"], split["new_message_id"]]
        self.assertIn("noted the moon", await self.ends("completed"))

    async def interrupt(self):
        await self.say("A story")
        await self.client.text("so it goes on")
        await self.client.send("cancel", job_id=self.client.job)
        await self.ends("cancelled")

    async def decide(self):
        await self.say("when?")
        asked = await self.client.until(lambda message: message["type"] == "clarify_request")
        await self.client.send("clarify_response", job_id=self.client.job, request_id=asked["request_id"],
                               answers=[{"question_id": "day", "option_ids": ["fri"]}])
        self.assertEqual(await self.ends("completed"), "Friday it is")

    async def book(self):
        await self.say("A table")
        await self.ends("completed")
        approved = self.random.random() < 0.5
        await self.client.approve(approved, None if approved else "too late")
        self.assertEqual(await self.ends("completed"), "booked" if approved else "left")
        self.assertEqual(self.client.tool("book")["state"], "output-available" if approved else "output-denied")

    async def fail_(self):
        await self.say("The weather")
        self.assertEqual(await self.ends("failed"), "half ")

    async def branch(self):
        """Another question behind an earlier answer: what stood behind it is no longer shown."""
        if len(self.shown) < 4:
            return await self.greet()
        await self.client.history()
        await self.say("Good evening", behind=self.shown[-3])
        self.assertEqual(await self.ends("completed"), "Hello Good evening")

    async def lose(self):
        """The connection is lost in the middle; the job goes on without it."""
        await self.say("A story")
        await self.client.text("so it goes on")
        self.client.socket.transport.abort()
        await asyncio.sleep(self.random.random() / 2)
        await self.enter()
        if self.client.active:
            await self.client.until(lambda message: message["type"] == "stream_resume")
            text = await self.ends("completed")
        else:
            text = self.heard[self.shown[-1]] = self.client.written(self.shown[-1])
        self.assertEqual(text, "so it goes on " * 60)

    async def windows(self):
        """A second window sees the same."""
        async with Client(self.service.socket(self.chat), self.chat) as other:
            await self.say("Good morning")
            self.assertEqual(await other.end(), "completed")
            self.assertEqual(await self.ends("completed"), other.written())

    async def die(self):
        await self.interrupted(self.service.kill)

    async def stop(self):
        await self.interrupted(self.service.stop)

    async def interrupted(self, end):
        """The service ends in the middle of an answer, and comes back: the job failed, and nothing else is lost."""
        await self.say("A story")
        await self.client.text("so it goes on")
        await asyncio.to_thread(end)
        with self.assertRaises(ConnectionClosed):
            while True:
                await self.client.next()
        self.service.start()
        await self.enter()
        self.assertIsNone(self.client.active)
        self.heard[self.shown[-1]] = self.client.written(self.shown[-1])


if __name__ == "__main__":
    unittest.main()
