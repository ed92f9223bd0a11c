"""Bad frames, bad tokens, slow and vanishing clients: clear codes, bounded memory, and nobody else notices."""

import asyncio
import base64
import contextlib
import json
import os
import socket
import struct
import tempfile
import unittest
from pathlib import Path

from client import PATIENCE, Client, ConnectionClosed, connect
from service import Service
from websockets.exceptions import InvalidStatus


SCRIPT = {"turns": [
    {"match": "flood", "steps": [
        {"repeat": 15, "steps": [{"text": "x" * 60_000, "characters": 60_000, "pause_ms": 0}]}]},
    {"steps": [{"text": "{user}", "pause_ms": 0}]},
]}


class HostileTests(unittest.IsolatedAsyncioTestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        script = Path(cls.folder.name, "script.json")
        script.write_text(json.dumps(SCRIPT), encoding="utf-8")
        cls.service = Service(f"script:{script}").start()

    @classmethod
    def tearDownClass(cls):
        assert cls.service.process.poll() is None, "the service has ended"
        cls.service.close()
        cls.folder.cleanup()

    def setUp(self):
        self.chat = self.service.chat()
        self.url = self.service.socket(self.chat)

    async def code(self, *frames):
        """The code with which the service closes after frames."""
        async with Client(self.url, self.chat) as client:
            for frame in frames:
                await client.socket.send(frame)
            with self.assertRaises(ConnectionClosed) as closed:
                while True:
                    await client.next()
        return closed.exception.rcvd.code

    async def test_frames_that_break_the_transport_close_with_their_code(self):
        self.assertEqual(await self.code(b"{}"), 1003)
        self.assertEqual(await self.code("x" * (2**20 + 1)), 1009)
        self.assertEqual(await self.code(["x" * 2**19] * 3), 1009)

    async def test_texts_that_break_a_rule_are_answered_and_change_nothing(self):
        frames = [
            ("", "AC-01"), ("{", "AC-01"), ("[]", "AC-01"), ('{"type":"run","type":"run"}', "AC-01"), ("{}", "AC-02"),
            ('{"type":"done"}', "AC-02"), ('{"type":"get_chat"}', "AC-03"), ('{"type":"get_chat","data":{}}', "AC-04"),
            ('{"type":"get_chat","data":{"id":"","x":1}}', "AC-0"), ("[" * 200 + "]" * 200, "AC-01"),
            ('{"type":"get_chat","data":{"id":"\\ud800"}}', "AC-01"), ("x" * 2**20, "AC-01"),
        ]
        async with Client(self.url, self.chat) as client:
            for frame, rule in frames:
                await client.socket.send(frame)
                answer = await client.next()
                self.assertEqual((answer["type"], answer["code"]), ("error", "bad_frame"))
                self.assertIn(rule, answer["message"])
            await client.say("hello")
            self.assertEqual((await client.end(), client.written()), ("completed", "hello"))

    async def test_a_text_in_pieces_is_one_text(self):
        frame = json.dumps({"type": "get_chat", "data": {"id": self.chat}})
        async with Client(self.url, self.chat) as client:
            for size in (1, 2, 7, 64):
                await client.socket.send([frame[at:at + size] for at in range(0, len(frame), size)])
                self.assertEqual((await client.next())["type"], "chat_history")

    async def test_compression_is_not_agreed_on(self):
        async with connect(self.url, compression="deflate") as link:
            self.assertNotIn("Sec-WebSocket-Extensions", link.response.headers)

    async def test_raw_bytes(self):
        mask = b"\1\2\3\4"
        text = b'{"type":"get_chat","data":{"id":"%s"}}' % self.chat.encode()
        masked = bytes(byte ^ mask[at % 4] for at, byte in enumerate(text))
        whole = bytes([0x81, 0x80 | len(text)]) + mask + masked
        self.assertEqual(self.raw(*[whole[at:at + 1] for at in range(len(whole))]), "chat_history")
        self.assertEqual(self.raw(bytes([0x81, len(text)]) + text), 1002)                        # not masked
        self.assertEqual(self.raw(bytes([0xC1, 0x81]) + mask + b"x"), 1002)                      # a reserved bit
        self.assertEqual(self.raw(bytes([0x80, 0x81]) + mask + b"x"), 1002)                      # goes on with nothing
        self.assertEqual(self.raw(bytes([0x83, 0x81]) + mask + b"x"), 1002)                      # an unknown opcode
        self.assertEqual(self.raw(bytes([0x09, 0x81]) + mask + b"x"), 1002)                      # a ping in pieces
        self.assertEqual(self.raw(bytes([0x81, 0x81]) + mask + bytes([0xFF ^ 1])), 1007)         # no UTF-8
        self.assertEqual(self.raw(bytes([0x81, 0xFF]) + struct.pack("!Q", 2**40) + mask), 1009)  # a terabyte
        self.assertEqual(self.raw(bytes([0x88, 0x82]) + mask + bytes([3 ^ 1, 0xE8 ^ 2])), 1000)  # a close

    def raw(self, *pieces):
        """What comes behind `ready` when these bytes are sent: a type, or a close code."""
        with self.connected(f"/api/v2/chat/{self.chat}") as link:
            link.sendall(self.upgrade(self.chat))
            answer = b""
            while b"\r\n\r\n" not in answer:
                answer += link.recv(1)
            self.assertIn(b" 101 ", answer)
            self.assertEqual(self.frame(link), "ready")
            for piece in pieces:
                link.sendall(piece)
            return self.frame(link)

    def upgrade(self, chat, extra=""):
        key = base64.b64encode(os.urandom(16)).decode()
        return (f"GET /api/v2/chat/{chat} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n{extra}\r\n").encode()

    @contextlib.contextmanager
    def connected(self, _=None):
        with socket.create_connection(("127.0.0.1", self.service.port), PATIENCE) as link:
            yield link

    def frame(self, link):
        head = self.exactly(link, 2)
        size = head[1]
        if size == 126:
            size = struct.unpack("!H", self.exactly(link, 2))[0]
        body = self.exactly(link, size)
        return struct.unpack("!H", body[:2])[0] if head[0] == 0x88 else json.loads(body)["type"]

    def exactly(self, link, count):
        data = b""
        while len(data) < count:
            piece = link.recv(count - len(data))
            self.assertTrue(piece, "the connection ended")
            data += piece
        return data

    async def test_a_chat_that_is_not_there_and_a_page_of_elsewhere(self):
        for url, headers, status in [
            (self.service.socket("nope"), {}, 404), (self.url, {"Origin": "https://elsewhere.example"}, 403),
            (self.url, {"Origin": "null"}, 403)]:
            with self.assertRaises(InvalidStatus) as refused:
                await connect(url, additional_headers=headers)
            self.assertEqual(refused.exception.response.status_code, status)

    def test_requests(self):
        http = self.service.http
        self.assertEqual(http("GET", "api/v2/whoami"), (200, {"name": "saro"}))
        self.assertEqual(http("GET", "api/v2/chats?limit=1")[1]["chats"][0]["id"], self.chat)
        for method, path, body, status in [
            ("GET", "nothing", None, 404), ("GET", "api/v2/nothing", None, 404), ("DELETE", "api/v2/chats", None, 405),
            ("GET", "api/v2/chats?limit=0", None, 400), ("GET", "api/v2/chats?offset=-1", None, 400),
            ("POST", "api/v2/chats", b"{", 400), ("POST", "api/v2/chats", {"title": 1}, 400),
            ("POST", "api/v2/chats", {"title": "x" * 1_001}, 400), ("POST", "api/v2/chats", b"x" * 100_000, 413),
            ("GET", f"api/v2/chat/{self.chat}", None, 426), ("GET", "api/v2/chat/%00", None, 404),
            ("POST", "api/v2/tickets", {"chat": "nope"}, 400)]:
            self.assertEqual(http(method, path, body)[0], status, f"{method} {path}")
        self.assertEqual(http("GET", "", headers={"Host": "elsewhere.example"})[0], 403)

    def test_garbage_instead_of_a_request(self):
        for garbage in (os.urandom(4_096), b"GET / HTTP/1.1\r\n" + b"X: " + b"y" * 200_000, b"\0" * 100, b""):
            with self.connected() as link:
                with contextlib.suppress(OSError):
                    link.sendall(garbage)
                    link.shutdown(socket.SHUT_WR)
                    while link.recv(65_536):
                        pass

    def test_a_request_that_never_ends_is_given_up(self):
        with self.connected() as slow:
            slow.sendall(b"GET / HTTP/1.1\r\n")
            slow.settimeout(PATIENCE)
            self.assertEqual(slow.recv(1), b"", "the service waits for ever")

    async def test_a_reader_that_vanishes_and_one_that_is_slow(self):
        """Both are on a chat on which 18 MB are said; who reads gets them all, and memory stays bounded."""
        size = 900_000
        async with Client(self.url, self.chat) as client:
            slow = await connect(self.url, max_queue=1)
            await slow.recv()
            gone = socket.create_connection(("127.0.0.1", self.service.port), PATIENCE)
            gone.sendall(self.upgrade(self.chat))
            gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            before = self.service.memory()
            for number in range(20):
                await client.say("flood")
                if number == 2:
                    gone.close()
                self.assertEqual(await client.end(), "completed")
                self.assertEqual(len(client.written()), size)
            self.assertLess(self.service.memory() - before, 400)
            with self.assertRaises(ConnectionClosed):
                while True:
                    await asyncio.wait_for(slow.recv(), PATIENCE)
        # What it missed, a history makes up for.
        async with Client(self.url, self.chat) as again:
            await again.history()
            self.assertEqual(len(again.written(again.path[-1])), size)


class TokenTests(unittest.IsolatedAsyncioTestCase):
    TOKEN = "a token of Saro's"

    def setUp(self):
        self.service = Service(token=self.TOKEN, data=False).start()
        self.addCleanup(self.service.close)
        self.chat = self.service.chat()

    async def status(self, query="", **headers):
        try:
            async with Client(self.service.socket(self.chat) + query, self.chat, additional_headers=headers):
                return 101
        except InvalidStatus as refused:
            return refused.response.status_code

    async def test_a_token_or_a_ticket_is_needed(self):
        self.assertEqual(await self.status(), 401)
        self.assertEqual(await self.status(Authorization="Bearer another"), 401)
        self.assertEqual(await self.status(Authorization=f"Basic {self.TOKEN}"), 401)
        self.assertEqual(await self.status(Authorization=f"Bearer {self.TOKEN}"), 101)
        status, answer = self.service.http("POST", "api/v2/tickets", {"chat": self.chat})
        self.assertEqual(status, 201)
        query = f"?ticket={answer['ticket']}"
        self.assertEqual([await self.status(query), await self.status(query)], [101, 401])
        other = self.service.http("POST", "api/v2/tickets", {"chat": self.service.chat()})[1]["ticket"]
        self.assertEqual(await self.status(f"?ticket={other}"), 401)
        for path in ("whoami", "chats"):
            self.assertEqual(self.service.http("GET", f"api/v2/{path}", token="wrong")[0], 401)
        self.assertNotIn(self.TOKEN, json.dumps(self.service.lines()))


if __name__ == "__main__":
    unittest.main()
