"""Agents that are programs, and the client in a terminal, as whole processes."""

import asyncio
import fcntl
import os
import pty
import select
import signal
import subprocess
import sys
import tempfile
import termios
import threading
import time
import unittest
from pathlib import Path

from client import Client
from service import BINARY, PATIENCE, SCRIPTS, Service

PROGRAM = '''
import json, os, sys, time

def write(**line):
    print(json.dumps(line), flush=True)

run = json.loads(sys.stdin.readline())
word = run["message"]["parts"][0]["text"]
if word == "ask":
    write(type="ask", questions=[{"id": "who", "text": "Who?"}])
    word = json.loads(sys.stdin.readline())["answers"][0]["text"]
if word == "wait":
    write(type="text", text="waiting ")
    for line in sys.stdin:
        news = json.loads(line)
        if news["type"] == "cancel":
            break
        write(type="split", inject_id=news["inject_id"])
        write(type="text", text="after " + news["text"])
if word == "fail":
    write(type="fail", message="no")
if word == "exit":
    sys.exit(3)
if word == "garbage":
    print("no JSON", flush=True)
if word == "mute":
    os.close(1)
    time.sleep(1_000)
if word == "endless":
    sys.stdout.write("x" * 3_000_000)
    sys.stdout.flush()
if word == "flood":
    for _ in range(2_000):
        write(type="text", text="x" * 100)
write(type="delta", part={"type": "reasoning", "text": "thought"})
write(type="text", text=f"{word} of {len(run['history'])}")
'''


class CommandTests(unittest.IsolatedAsyncioTestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        program = Path(cls.folder.name, "agent.py")
        program.write_text(PROGRAM, encoding="utf-8")
        cls.service = Service(f"command:exec {sys.executable} {program}", data=False).start()

    @classmethod
    def tearDownClass(cls):
        cls.service.close()
        cls.folder.cleanup()

    def client(self):
        chat = self.service.chat()
        return Client(self.service.socket(chat), chat)

    async def test_a_program_answers_asks_and_floods(self):
        async with self.client() as client:
            await client.say("hello")
            self.assertEqual((await client.end(), client.written()), ("completed", "hello of 1"))
            await client.say("ask")
            request = await client.until(lambda message: message["type"] == "clarify_request")
            await client.send("clarify_response", job_id=client.job, request_id=request["request_id"],
                              answers=[{"question_id": "who", "text": "Raya"}])
            self.assertEqual((await client.end(), client.written()), ("completed", "Raya of 3"))
            await client.say("flood")
            self.assertEqual(await client.end(), "completed")
            self.assertEqual(client.written(), "x" * 200_000 + "flood of 5")

    async def test_a_program_hears_what_is_put_in_and_that_it_is_to_stop(self):
        async with self.client() as client:
            await client.say("wait")
            await client.text("waiting")
            await client.send("inject_message", job_id=client.job, inject_id="i1", text="lunch")
            await client.text("after lunch")
            await client.send("cancel", job_id=client.job)
            self.assertEqual(await client.end(), "cancelled")

    async def test_programs_that_close_their_output_and_run_on_hinder_nobody(self):
        mute = [self.client() for _ in range(4)]
        for client in mute:
            await client.__aenter__()
            await client.say("mute")
            await client.until(lambda message: message["type"] == "run")
        async with self.client() as client:
            await client.say("hello")
            self.assertEqual(await client.end(), "completed")
        for client in mute:
            await client.send("cancel", job_id=client.job)
            self.assertEqual(await client.end(), "cancelled")
            await client.__aexit__()

    async def test_a_program_that_fails_fails_its_job_alone(self):
        for word in ("fail", "exit", "garbage", "endless"):
            async with self.client() as client:
                await client.say(word)
                self.assertEqual(await client.end(), "failed", word)
                await client.say("hello")
                self.assertEqual(await client.end(), "completed")


class GroupTests(unittest.IsolatedAsyncioTestCase):
    """A program whose line the shell starts as a process of its own."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.mark = Path(self.folder.name, "pid")
        program = Path(self.folder.name, "agent.py")
        program.write_text("import os, sys, time\n"
                           f"open({str(self.mark)!r}, 'w').write(f'{{os.getpid()}}\\n')\n"
                           "time.sleep(1000)\n", encoding="utf-8")
        self.service = Service(f"command:{sys.executable} {program}; exit 0", data=False).start()

    def tearDown(self):
        self.service.close()
        self.folder.cleanup()

    async def begin(self, client):
        await client.say("hello")
        await client.until(lambda message: message["type"] == "run")
        while not (self.mark.exists() and self.mark.read_text().endswith("\n")):
            await asyncio.sleep(0.02)
        return int(self.mark.read_text())

    @staticmethod
    def lives(pid):
        try:
            status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
        except FileNotFoundError:
            return False
        return "\nState:\tZ" not in status

    async def test_a_cancel_ends_what_the_program_started(self):
        chat = self.service.chat()
        async with Client(self.service.socket(chat), chat) as client:
            pid = await self.begin(client)
            blocked = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if "SigBlk" in line)
            self.assertEqual(int(blocked.split()[1], 16), 0)
            await client.send("cancel", job_id=client.job)
            self.assertEqual(await client.end(), "cancelled")
            deadline = time.monotonic() + PATIENCE
            while self.lives(pid) and time.monotonic() < deadline:
                await asyncio.sleep(0.05)
            self.assertFalse(self.lives(pid))

    async def test_a_service_that_stops_leaves_no_program_behind(self):
        chat = self.service.chat()
        async with Client(self.service.socket(chat), chat) as client:
            pid = await self.begin(client)
            self.assertEqual(await asyncio.to_thread(self.service.stop), 0)
            self.assertFalse(self.lives(pid))


class PipeTests(unittest.TestCase):
    """The client with lines that nobody types."""

    def test_what_is_read_is_sent_and_answered_before_the_end(self):
        service = Service("echo", data=False).start()
        try:
            talk = subprocess.run([BINARY, "talk", service.page], input="weather\nand wind\n", text=True,
                                  capture_output=True, timeout=PATIENCE, check=False)
            self.assertEqual(talk.returncode, 0, talk)
            self.assertIn("weather\n[completed]", talk.stdout)
            self.assertIn("and wind\n[completed]", talk.stdout)
        finally:
            service.close()

    def test_an_answer_that_fails_shows_in_the_status(self):
        service = Service("command:exit 3", data=False).start()
        try:
            talk = subprocess.run([BINARY, "talk", service.page], input="weather\n", text=True,
                                  capture_output=True, timeout=PATIENCE, check=False)
            self.assertEqual(talk.returncode, 1, talk)
        finally:
            service.close()


class Screen:
    """The client at a terminal of its own."""

    def __init__(self, service):
        self.ours, theirs = pty.openpty()
        self.process = subprocess.Popen([BINARY, "talk", service.page], stdin=theirs, stdout=theirs, stderr=theirs,
                                        start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(theirs)
        self.seen = ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.ours)

    def type(self, text):
        os.write(self.ours, text.encode())

    def until(self, text):
        """Reads up to a text."""
        while text not in self.seen:
            assert select.select([self.ours], [], [], PATIENCE)[0], f"{text!r} did not come: {self.seen}"
            self.seen += os.read(self.ours, 4_096).decode(errors="replace")
        self.seen = self.seen.split(text, 1)[1]

    def has_lines(self):
        """Whether the terminal is as it was: lines and echo."""
        flags = termios.tcgetattr(self.ours)[3]
        return flags & termios.ICANON != 0 and flags & termios.ECHO != 0

    def wait(self, condition):
        until = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < until, "it did not come to that"
            time.sleep(0.01)

    def end(self):
        """The status with which it ended, or minus the number of a signal."""
        return self.process.wait(PATIENCE)


class TerminalTests(unittest.TestCase):
    def test_a_table_is_booked_in_a_terminal(self):
        service = Service(f"script:{SCRIPTS / 'booking.json'}", token="a token of Saro's").start()
        self.addCleanup(service.close)
        talk = subprocess.Popen(
            [BINARY, "talk", service.page, "--token-file", f"{service.folder.name}/token"], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        watch = threading.Timer(PATIENCE, talk.kill)
        watch.start()

        def until(text):
            seen = ""
            while text not in seen:
                piece = talk.stdout.read(1)
                self.assertTrue(piece, f"{text!r} did not come: {seen}")
                seen += piece

        def type_(line):
            talk.stdin.write(line + "\n")
            talk.stdin.flush()

        until("websocket/agent-json")
        type_("A table, please")
        until("Which evening? (1 Friday) (2 Saturday)")
        type_("2")
        until("Under which name?")
        type_("Saro")
        until("y, or n and a reason")
        type_("y")
        until("Saturday at eight, for Saro")
        until("[completed]")
        type_("/quit")
        self.assertEqual(talk.wait(PATIENCE), 0)
        watch.cancel()
        for pipe in (talk.stdin, talk.stdout):
            pipe.close()

    def test_one_key_answers_at_a_terminal_which_is_as_before_afterwards(self):
        service = Service(f"script:{SCRIPTS / 'booking.json'}").start()
        self.addCleanup(service.close)
        with Screen(service) as screen:
            screen.until("websocket/agent-json")
            screen.type("A tabel\x7f\x7fle, please\r")
            screen.until("(1 Friday) (2 Saturday)")
            self.assertFalse(screen.has_lines())
            screen.type("2")
            screen.until("Under which name?")
            screen.type("Saro\r")
            screen.until("y, or n and a reason")
            screen.type("y")
            screen.until("Saturday at eight, for Saro")
            screen.until("[completed]")
            screen.type("A table\r")
            screen.until("(1 Friday) (2 Saturday)")
            screen.type("1")
            screen.until("Under which name?")
            screen.type("Raya\r")
            screen.until("y, or n and a reason")
            screen.type("rtoo late\r")
            screen.until("[completed]")
            screen.type("/quit\r")
            self.assertEqual(screen.end(), 0)
            self.assertTrue(screen.has_lines())

    def test_a_terminal_is_as_before_however_the_program_ends(self):
        service = Service("echo").start()
        self.addCleanup(service.close)
        endings = [(lambda screen: screen.type("\x03"), -signal.SIGINT), (lambda screen: screen.type("\x04"), 0),
                   (lambda screen: screen.process.terminate(), -signal.SIGTERM),
                   (lambda screen: screen.process.send_signal(signal.SIGHUP), -signal.SIGHUP)]
        for ending, status in endings:
            with Screen(service) as screen:
                screen.until("websocket/agent-json")
                screen.wait(lambda: not screen.has_lines())
                ending(screen)
                self.assertEqual(screen.end(), status)
                self.assertTrue(screen.has_lines())

    def test_a_terminal_is_as_before_while_the_program_is_stopped(self):
        service = Service("echo").start()
        self.addCleanup(service.close)
        with Screen(service) as screen:
            screen.until("websocket/agent-json")
            screen.wait(lambda: not screen.has_lines())
            screen.process.send_signal(signal.SIGTSTP)
            screen.wait(screen.has_lines)
            screen.process.send_signal(signal.SIGCONT)
            screen.wait(lambda: not screen.has_lines())
            screen.type("hello\r")
            screen.until("[completed]")
            screen.type("/quit\r")
            self.assertEqual(screen.end(), 0)

    def test_exit_statuses(self):
        for arguments, status in [(["talk", "ftp://a"], 2), (["talk", "http://127.0.0.1:1/"], 2), (["serve", "--x"], 64),
                                  (["serve", "--agent", "none"], 2), (["serve", "--agent", "script:/none"], 2),
                                  (["serve", "--host", "0.0.0.0"], 2), (["serve", "--token-file", "/none"], 2),
                                  (["--help"], 0)]:
            done = subprocess.run([BINARY, *arguments], capture_output=True, text=True, timeout=PATIENCE, check=False)
            self.assertEqual(done.returncode, status, f"{arguments}: {done.stderr}")
            self.assertTrue(done.stderr or status == 0)


if __name__ == "__main__":
    unittest.main()
