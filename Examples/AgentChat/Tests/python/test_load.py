"""A thousand sockets and as many jobs as there are places: every answer arrives whole, at everybody who listens."""

import asyncio
import resource
import unittest

from client import Client
from service import Service

SAID = "The sun was shining on the sea, shining with all his might: "


def allow(files):
    """This process holds the other end of every socket."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, files)), hard))


class LoadTests(unittest.IsolatedAsyncioTestCase):
    CHATS, LISTENERS = 200, 4

    def setUp(self):
        allow(4_096)
        # As many systems have it; the service raises it by itself.
        self.service = Service("echo", files=256).start()
        self.addCleanup(self.service.close)

    async def asyncSetUp(self):
        asyncio.get_running_loop().set_debug(False)

    async def test_1000_sockets_and_200_jobs_at_once(self):
        begun, entering = asyncio.Barrier(self.CHATS), asyncio.Semaphore(16)
        empty = self.service.memory()

        async def enter(client):
            async with entering:
                return await client.__aenter__()

        async def talk(number):
            chat = await asyncio.to_thread(self.service.chat, f"chat {number}")
            url, said = self.service.socket(chat), f"{number} {SAID}"
            clients = [await enter(Client(url, chat)) for _ in range(1 + self.LISTENERS)]
            await begun.wait()
            await clients[0].say(said)
            ends = await asyncio.gather(*(client.end() for client in clients))
            for client in clients:
                self.assertEqual(client.written(), said)
            await begun.wait()
            return clients, ends

        results = await asyncio.gather(*map(talk, range(self.CHATS)))
        full = self.service.memory()
        sockets = self.CHATS * (1 + self.LISTENERS)
        self.assertEqual([end for _, ends in results for end in ends], ["completed"] * sockets)
        print(f"{sockets} sockets, {self.CHATS} jobs: {empty:.0f} MiB before, {full:.0f} MiB with all of them")
        self.assertLess(full - empty, sockets * 0.25, "more than 256 KiB for a socket")
        ended = [line["end"] for line in self.service.lines() if line["event"] == "job_ended"]
        self.assertEqual(ended, ["ended:completed"] * self.CHATS)
        # SIGTERM tells all of them.
        waiting = [client.socket.wait_closed() for clients, _ in results for client in clients]
        self.assertEqual(await asyncio.to_thread(self.service.stop), 0)
        await asyncio.gather(*waiting)
        codes = {client.socket.close_code for clients, _ in results for client in clients}
        self.assertEqual(codes, {1001})

    async def test_a_job_beyond_the_places_fails_and_the_others_go_on(self):
        service = Service("command:exec cat", data=False, files=256).start()
        self.addCleanup(service.close)

        async def begin(number):
            chat = await asyncio.to_thread(service.chat, f"chat {number}")
            client = await Client(service.socket(chat), chat).__aenter__()
            await client.say("hello")
            await client.until(lambda message: message["type"] == "run")
            return client

        clients = [await begin(number) for number in range(200)]
        late = await begin(200)
        self.assertEqual(await late.end(), "failed")
        await clients[0].send("cancel", job_id=clients[0].job)
        await clients[0].end()
        for client in clients[1:]:
            self.assertIsNone(client.ending)
        await late.say("again")
        await late.until(lambda message: message["type"] == "run")
        for client in [*clients, late]:
            await client.__aexit__()


if __name__ == "__main__":
    unittest.main()
