"""Jobs, approvals, questions, losses: a client in another language against the service."""

import asyncio
import json
import tempfile
import unittest
from pathlib import Path

from client import Client, ConnectionClosed
from service import SCRIPTS, Service

SCRIPT = {"turns": [
    {"match": "long", "steps": [{"repeat": 400, "steps": [{"text": "so it goes on ", "pause_ms": 5}]}],
     "injected": [{"text": "noted {injected} "}]},
    {"match": "ask", "steps": [
        {"ask": [{"id": "when", "text": "When?", "options": [{"id": "fri", "label": "Friday"}]}, {"id": "who", "text": "Who?"}]},
        {"text": "{answer.when} for {answer.who}", "pause_ms": 0}]},
    {"match": "fail", "steps": [{"text": "half ", "pause_ms": 0}, {"fail": "no"}]},
    {"match": "tool", "steps": [
        {"tool": {"name": "book", "approval": True, "input": {"seats": 2}, "output": 9007199254740993, "pause_ms": 5,
                  "denied": [{"text": "left"}]}},
        {"text": "booked {input.seats}", "pause_ms": 0}]},
    {"steps": [{"text": "Hello {user}", "pause_ms": 0, "characters": 1}]},
]}


class ProtocolTests(unittest.IsolatedAsyncioTestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        script = Path(self.folder.name, "script.json")
        script.write_text(json.dumps(SCRIPT), encoding="utf-8")
        self.service = Service(f"script:{script}").start()
        self.chat = self.service.chat()
        self.addCleanup(self.folder.cleanup)
        self.addCleanup(self.service.close)

    def client(self, chat=None):
        chat = chat or self.chat
        return Client(self.service.socket(chat), chat)

    async def test_an_answer_is_streamed_and_is_in_the_history(self):
        async with self.client() as client:
            await client.history()
            await client.say("Saro 🙂")
            self.assertEqual(await client.end(), "completed")
            self.assertEqual(client.written(), "Hello Saro 🙂")
            self.assertEqual(client.sequence, len("Hello Saro 🙂"))
            parts = client.messages[client.writes]["parts"]
        async with self.client() as client:
            self.assertIsNone(client.active)
            await client.history()
            self.assertEqual([client.messages[one]["role"] for one in client.path], ["user", "assistant"])
            self.assertEqual(client.messages[client.path[-1]]["parts"], [{**parts[0], "state": "done"}])

    async def test_an_approval_runs_the_tool_and_a_refusal_does_not(self):
        for approved, state, text in [(True, "output-available", "booked 2"), (False, "output-denied", "left")]:
            chat = self.service.chat()
            async with self.client(chat) as client:
                await client.say("tool")
                self.assertEqual(await client.end(), "completed")
                self.assertEqual(client.tool("book")["state"], "approval-requested")
                self.service.kill()
            self.service.start()
            async with self.client(chat) as client:
                await client.history()
                await client.approve(approved, "because")
                self.assertEqual(await client.end(), "completed")
                self.assertEqual(client.tool("book")["state"], state)
                self.assertEqual(client.tool("book").get("output"), 9007199254740993 if approved else None)
                self.assertEqual(client.written(), text)

    async def test_questions_are_answered_once_and_wrong_answers_change_nothing(self):
        async with self.client() as client, self.client() as other:
            await other.history()
            await client.say("ask")
            request = await client.until(lambda message: message["type"] == "clarify_request")
            await other.until(lambda message: message["type"] == "clarify_request")
            ids = {"job_id": client.job, "request_id": request["request_id"]}
            await client.send("clarify_response", **ids, answers=[{"question_id": "when", "option_ids": ["sat"]}])
            await client.until(lambda message: message["type"] == "error")
            self.assertIn("AC-25", client.errors[-1]["message"])
            answers = [{"question_id": "when", "option_ids": ["fri"]}, {"question_id": "who", "text": "Raya"}]
            await client.send("clarify_response", **ids, answers=answers)
            self.assertEqual(await client.end(), "completed")
            self.assertEqual(client.written(), "Friday for Raya")
            self.assertEqual((await other.end(), other.written()), ("completed", "Friday for Raya"))
            await client.send("clarify_response", **ids, answers=answers)
            error = await client.until(lambda message: message["type"] == "error")
            self.assertEqual(error["code"], "no_such_job")

    async def test_a_job_is_cancelled_once(self):
        async with self.client() as client:
            await client.say("long")
            await client.text("so it")
            await client.send("cancel", job_id=client.job)
            await client.send("cancel", job_id=client.job)
            job = client.job
            self.assertEqual(await client.end(), "cancelled")
            await client.send("cancel", job_id=job)
            error = await client.until(lambda message: message["type"] == "error")
            self.assertEqual((error["code"], error["job_id"]), ("no_such_job", job))
            await client.say("again")
            self.assertEqual(await client.end(), "completed")

    async def test_a_text_put_in_splits_the_message(self):
        async with self.client() as client:
            await client.say("long")
            await client.text("so it")
            first = client.writes
            for _ in range(2):
                await client.send("inject_message", job_id=client.job, inject_id="i1", text="the sun")
            await client.until(lambda message: message["type"] == "inject_split")
            await client.text("noted the sun")
            await client.send("inject_message", job_id=client.job, inject_id="i2", text="  ")
            await client.until(lambda message: message["type"] == "error")
            self.assertIn("AC-26", client.errors[-1]["message"])
            await client.send("cancel", job_id=client.job)
            await client.end()
            await client.history()
            roles = [client.messages[one]["role"] for one in client.path]
            self.assertEqual(roles, ["user", "assistant", "user", "assistant"])
            self.assertEqual(client.messages[client.path[2]]["parts"][0]["text"], "the sun")
            self.assertNotEqual(client.path[1], client.path[3])
            self.assertEqual(client.path[1], first)

    async def test_a_job_goes_on_while_nobody_is_connected(self):
        async with self.client() as client:
            await client.say("long")
            await client.text("so it")
            job = client.job
        async with self.client() as client:
            self.assertEqual(client.active["job_id"], job)
            await client.history()
            await client.until(lambda message: message["type"] == "stream_resume")
            before = client.written()
            self.assertIn("so it", before)
            self.assertEqual(await client.end(), "completed")
            self.assertEqual(client.written(), "so it goes on " * 400)

    async def test_after_a_kill_the_history_is_there_and_the_job_has_failed(self):
        async with self.client() as client:
            await client.say("hi")
            await client.end()
            asked = await client.say("long")
            await client.text("so it")
            job = client.job
            self.service.kill()
            with self.assertRaises(ConnectionClosed):
                await client.end()
        self.service.start()
        async with self.client() as client:
            self.assertIsNone(client.active)
            self.assertEqual([error.get("job_id") for error in client.errors], [job])
            await client.history()
            self.assertEqual([client.messages[one]["role"] for one in client.path], ["user", "assistant"] * 2)
            self.assertIn(asked, client.path)
            await client.say("on")
            self.assertEqual((await client.end(), client.written()), ("completed", "Hello on"))

    async def test_a_stop_fails_the_job_closes_with_1001_and_exits_with_0(self):
        async with self.client() as client:
            await client.say("long")
            await client.text("so it")
            self.assertEqual(await asyncio.to_thread(self.service.stop), 0)
            self.assertEqual(await client.end(), "failed")
            with self.assertRaises(ConnectionClosed) as closed:
                await client.next()
            self.assertEqual(closed.exception.rcvd.code, 1001)
        events = [line["event"] for line in self.service.lines()]
        self.assertEqual((events[0], events[-1]), ("listening", "stopped"))

    async def test_what_grows_beyond_a_frame_is_refused_and_the_chat_goes_on(self):
        async with self.client() as client:
            short = '{"type":"run","data":{"id":"%s","message":{"id":"b","role":"user","parts":[{"type":"text",' \
                '"text":"%s"}]},"vaultItems":[],"timezone":"UTC"}}' % (client.chat, "\\b" * 180_000)
            await client.socket.send(short)
            error = await client.until(lambda message: message["type"] == "error")
            self.assertTrue(error["message"].startswith("AC-01"), error)
            await client.say("hi")
            self.assertEqual(await client.end(), "completed")

    async def test_a_text_that_nobody_took_was_not_acknowledged(self):
        async with self.client() as client:
            await client.say("fail slowly")
            await client.until(lambda message: message["type"] == "run")
            await client.send("inject_message", job_id=client.job, inject_id="i1", text="never read")
            await client.end()
            self.assertEqual("i1" in client.acknowledged,
                             any("never read" in str(one) for one in client.messages.values()))

    async def test_a_failure_keeps_what_was_written(self):
        async with self.client() as client:
            await client.say("fail")
            self.assertEqual((await client.end(), client.written()), ("failed", "half "))

    async def test_a_socket_that_comes_during_a_job_is_told_of_its_end(self):
        async with self.client() as client:
            await client.say("long")
            await client.text("so it")
            async with self.client() as late:
                await client.send("cancel", job_id=client.job)
                self.assertEqual(await late.end(), "cancelled")
                self.assertIn("so it", late.written())

    async def test_a_second_run_is_busy_and_a_foreign_chat_is_refused(self):
        async with self.client() as client:
            await client.say("long")
            await client.text("so it")
            await client.say("more")
            error = await client.until(lambda message: message["type"] == "error")
            self.assertEqual((error["code"], error.get("job_id")), ("busy", None))
            await client.send("get_chat", id="another")
            await client.until(lambda message: message["type"] == "error")
            self.assertIn("AC-23", client.errors[-1]["message"])
            await client.text("goes on so")

    async def test_a_run_branches_off_the_path(self):
        async with self.client() as client:
            for text in ("one", "two"):
                await client.say(text)
                await client.end()
            await client.history()
            first, answer, second, _ = client.path
            message = {"id": "m-other", "role": "user", "parts": [{"type": "text", "text": "three"}]}
            fields = {"id": self.chat, "message": message, "vaultItems": [], "timezone": "UTC"}
            await client.send("run", **fields, parent_id="nobody")
            await client.until(lambda message: message["type"] == "error")
            self.assertIn("AC-34", client.errors[-1]["message"])
            client.ending = None
            await client.send("run", **fields, parent_id=answer)
            await client.end()
            await client.history()
            self.assertEqual(client.path[:3], [first, answer, "m-other"])
            self.assertEqual((len(client.path), second in client.path), (4, False))
            self.assertEqual(client.written(client.path[-1]), "Hello three")

    async def test_the_booking_of_the_example(self):
        service = Service(f"script:{SCRIPTS / 'booking.json'}").start()
        self.addCleanup(service.close)
        chat = service.chat()
        async with Client(service.socket(chat), chat) as client:
            await client.say("A table, please")
            request = await client.until(lambda message: message["type"] == "clarify_request")
            answers = [{"question_id": "when", "option_ids": ["sat"]}, {"question_id": "who", "text": "Saro"}]
            await client.send("clarify_response", job_id=client.job, request_id=request["request_id"], answers=answers)
            await client.end()
            await client.approve(True)
            await client.end()
            self.assertIn("Saturday at eight, for Saro", client.written())


if __name__ == "__main__":
    unittest.main()
