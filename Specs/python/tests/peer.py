"""A shim in a process of its own, and the network between two of them."""

import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
STEP_LIMIT = 20  # seconds for one answer


class Peer:
    """One participant behind pipes."""

    def __init__(self, seed: int):
        self.seed, self.number = seed, 0
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "chatspec.shim", "--seed", str(self.seed)]
        self.process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def exchange(self, line: bytes) -> dict:
        """Sends a line as it is and reads the answer."""
        watchdog = threading.Timer(STEP_LIMIT, self.process.kill)
        watchdog.start()
        try:
            self.process.stdin.write(line + b"\n")
            self.process.stdin.flush()
            return json.loads(self.process.stdout.readline())
        finally:
            watchdog.cancel()

    def ask(self, op: str, **fields: Any) -> dict:
        """An answer, whether it is ok or not."""
        self.number += 1
        answer = self.exchange(json.dumps({"id": self.number, "op": op, **fields}).encode())
        assert answer["id"] == self.number, answer
        return answer

    def do(self, op: str, **fields: Any) -> dict:
        """The answer to an operation that has to succeed."""
        answer = self.ask(op, **fields)
        assert answer["ok"], answer
        return answer

    def send(self, conversation_id: str, content: bytes) -> dict:
        """Sends content; the one payload it becomes."""
        self.do("send_content", conversation_id=conversation_id, content=content.hex())
        return self.take_payload()

    def take_payload(self) -> dict:
        [payload] = self.do("take_outbound")["payloads"]
        return payload

    def receive(self, payload: dict) -> str:
        """The outcome of a payload."""
        return self.do("receive_payload", **payload)["outcome"]

    def take_contents(self) -> list[bytes]:
        """The contents among the events."""
        events = self.do("take_events")["events"]
        return [bytes.fromhex(event["content"]) for event in events if event["type"] == "content"]

    def restart(self) -> None:
        """Saves, ends the process, restores in another one."""
        state = self.do("save")["state"]
        self.close()
        self.start()
        self.do("restore", state=state)

    def close(self) -> None:
        """Ends the process at end of input."""
        self.process.stdin.close()
        status = self.process.wait(STEP_LIMIT)
        self.process.stdout.close()
        assert status == 0, f"exit status {status}"
