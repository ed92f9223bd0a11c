"""Many sockets and many jobs at once: every answer arrives whole, at everybody who listens."""

import asyncio
import unittest

from client import Client
from service import Service


class LoadTests(unittest.IsolatedAsyncioTestCase):
    CHATS, LISTENERS = 60, 2

    def setUp(self):
        self.service = Service("echo").start()
        self.addCleanup(self.service.close)

    async def test_many_jobs_with_several_sockets_each(self):
        said = "The sun was shining on the sea, shining with all his might: " * 3

        async def talk(number):
            chat = await asyncio.to_thread(self.service.chat, f"chat {number}")
            url = self.service.socket(chat)
            async with Client(url, chat) as client, Client(url, chat) as one, Client(url, chat) as two:
                await client.say(f"{number} {said}")
                results = await asyncio.gather(client.end(), one.end(), two.end())
                self.assertEqual(results, ["completed"] * (1 + self.LISTENERS))
                return {client.written(), one.written(), two.written()} == {f"{number} {said}"}

        self.assertEqual(await asyncio.gather(*map(talk, range(self.CHATS))), [True] * self.CHATS)
        ended = [line for line in self.service.lines() if line["event"] == "job_ended"]
        self.assertEqual([line["end"] for line in ended], ["ended:completed"] * self.CHATS)


if __name__ == "__main__":
    unittest.main()
