"""Starts the service as a program of its own, and speaks HTTP to it."""

import json
import os
import signal
import subprocess
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
BINARY = os.environ.get("AGENT_CHAT", str(HERE.parents[3] / ".build-examples/debug/agent-chat"))
SCRIPTS = HERE.parents[1] / "Scripts"
PATIENCE = 60


class Service:
    """A service with data of its own, which survive a kill and a new start on the same port."""

    def __init__(self, agent="echo", token=None, data=True, files=None):
        self.folder = tempfile.TemporaryDirectory()
        self.agent, self.port, self.token, self.process = agent, 0, token, None
        self.files = files
        self.arguments = ["--data", f"{self.folder.name}/data"] if data else []
        if token is not None:
            path = Path(self.folder.name, "token")
            path.touch(mode=0o600)
            path.write_text(token + "\n")
            self.arguments += ["--token-file", str(path)]

    def start(self):
        self.log = open(f"{self.folder.name}/log", "a+", encoding="utf-8")
        # As a shell does that lets a program have so many files open, and more if it asks.
        limited = ["prlimit", f"--nofile={self.files}:"] if self.files else []
        self.process = subprocess.Popen(
            [*limited, BINARY, "serve", "--port", str(self.port), "--agent", self.agent, *self.arguments],
            stdout=subprocess.PIPE, stderr=self.log, text=True)
        address = self.process.stdout.readline().strip()
        assert address.startswith("http://"), f"no address, but {address!r}: {self.lines()[-3:]}"
        self.port = int(address.rstrip("/").rsplit(":", 1)[1])
        return self

    def kill(self):
        """As kill -9 does."""
        self.process.kill()
        self._reap()

    def stop(self):
        """As a supervisor does; gives the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self._reap()

    def close(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self._reap()
        self.folder.cleanup()

    def _reap(self):
        status = self.process.wait(PATIENCE)
        self.process.stdout.close()
        self.log.close()
        return status

    def lines(self):
        """The log; every line of it is an object."""
        with open(f"{self.folder.name}/log", encoding="utf-8") as file:
            return [json.loads(line) for line in file.read().splitlines()]

    def memory(self):
        """What the process holds, in MiB."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
            return next(int(line.split()[1]) / 1024 for line in file if line.startswith("VmRSS"))

    @property
    def page(self):
        return f"http://127.0.0.1:{self.port}/"

    def socket(self, chat):
        return f"ws://127.0.0.1:{self.port}/api/v2/chat/{chat}"

    def http(self, method, path, body=None, token=None, headers=()):
        """Status and decoded answer."""
        request = urllib.request.Request(self.page + path, method=method)
        if body is not None:
            request.data = body if isinstance(body, bytes) else json.dumps(body).encode()
        for name, value in dict(headers).items():
            request.add_header(name, value)
        if token or self.token:
            request.add_header("Authorization", f"Bearer {token or self.token}")
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    def chat(self, title="A chat"):
        status, chat = self.http("POST", "api/v2/chats", {"title": title})
        assert status == 201, chat
        return chat["id"]
