"""One participant on standard input and output: logos-interop-shim/1, profile libchat or reference.

    python3 -m chatspec.shim [--profile libchat|reference] [--seed N]

A request is a JSON object on a line, an answer too; nothing else is written to standard output. With
a seed everything is reproducible (give each participant another one); without, keys are random and the
time is the system's when the identity is made. The process ends on `shutdown` and at end of input, and
never because of what it was sent. A line has at most 16 MiB; a longer one is read to its end and refused.
"""

import argparse
import json
import os
import sys
import time
import traceback
from typing import Any, BinaryIO, Callable, Iterator

from . import participant
from .participant import Participant, Random, Seeded, system_random
from .primitives import KEY_SIZE
from .ratchet import LIBCHAT, REFERENCE
from .reference import ReferenceParticipant
from .refusal import Refused
from .texts import read_hex

PROTOCOL, IMPLEMENTATION = "logos-interop-shim/1", "chatspec-python"
PROFILES = {"libchat": (Participant, LIBCHAT), "reference": (ReferenceParticipant, REFERENCE)}
MAX_LINE = 16 * 2**20
SEEDED_TIME = 1_700_000_000_000


class Failed(Exception):
    """An operation that was called wrongly, with the code for the answer."""

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code = code


class Request(dict):
    """The fields of a request. Fields that are absent or null are the default, or missing."""

    def text(self, name: str, default: Any = ...) -> str:
        return self._field(name, str, default)

    def data(self, name: str, default: Any = ...) -> bytes:
        text = self._field(name, str, default)
        try:
            return text if text is default else read_hex(text)
        except Refused:
            raise Failed("bad_request", f"{name} is not hex") from None

    def time(self, name: str, default: Any = ...) -> int:
        value = self._field(name, int, default)
        try:
            return participant.time(value)
        except ValueError as error:
            raise Failed("bad_request", f"{name}: {error}") from None

    def _field(self, name: str, kind: type, default: Any) -> Any:
        value = self.get(name)
        if value is None and default is not ...:
            return default
        if type(value) is not kind:
            expected = {str: "a text", int: "an integer"}[kind]
            raise Failed("bad_request", f"{name} is {'missing' if value is None else 'not ' + expected}")
        return value


class Shim:
    """The operations. Each takes a request and returns the fields of the answer."""

    def __init__(self, random: Random = system_random, profile: str = "libchat"):
        self.random, self.profile = random, profile
        self.kind, self.suite = PROFILES[profile]
        self.current: Participant | None = None
        self.running = True
        self.operations: dict[str, Callable[[Request], dict]] = {
            "hello": self.hello, "create_identity": self.create_identity, "set_time": self.set_time,
            "create_intro": self.create_intro, "initiate": self.initiate, "send_content": self.send_content,
            "take_outbound": self.take_outbound, "receive_payload": self.receive_payload,
            "take_events": self.take_events, "list_conversations": self.list_conversations, "save": self.save,
            "restore": self.restore, "shutdown": self.shutdown,
        }

    @property
    def participant(self) -> Participant:
        if self.current is None:
            raise Failed("invalid_state", "create_identity or restore comes first")
        return self.current

    def hello(self, request: Request) -> dict:
        return {
            "protocol": PROTOCOL, "implementation": IMPLEMENTATION, "profiles": [self.profile],
            "max_skip": self.suite.max_skip, "reliable": self.profile == "reference", "ops": list(self.operations),
        }

    def create_identity(self, request: Request) -> dict:
        profile = request.text("profile", self.profile)
        if profile != self.profile:
            raise Failed("unsupported", f"profile {profile[:64]}; there is {self.profile}")
        private = request.data("identity_private", None)
        if private is not None and len(private) != KEY_SIZE:
            raise Failed("malformed", f"identity_private has {len(private)} bytes, expected {KEY_SIZE}")
        now = SEEDED_TIME if isinstance(self.random, Seeded) else time.time_ns() // 1_000_000
        now = request.time("now_ms", now)
        self.current = self.kind(private or self.random("identity_private", KEY_SIZE), now, self.random)
        return self._identity()

    def set_time(self, request: Request) -> dict:
        self.participant.pass_time(request.time("now_ms"))
        return {}

    def create_intro(self, request: Request) -> dict:
        return {"intro": self.participant.create_intro()}

    def initiate(self, request: Request) -> dict:
        link, content = request.text("intro"), request.data("content")
        return {"conversation_id": self.participant.initiate(link, content)}

    def send_content(self, request: Request) -> dict:
        conversation_id, content = request.text("conversation_id"), request.data("content")
        if conversation_id not in self.participant.conversations:
            raise Failed("unknown_conversation", "no conversation has this id")
        self.participant.send(conversation_id, content)
        return {}

    def take_outbound(self, request: Request) -> dict:
        taken = self.participant.take_outbound()
        return {"payloads": [{"address": address, "payload": payload.hex()} for address, payload in taken]}

    def receive_payload(self, request: Request) -> dict:
        address, payload = request.text("address"), request.data("payload")
        try:
            return {"outcome": "accepted" if self.participant.receive(address, payload) else "ignored"}
        except Refused as refusal:
            return {"outcome": "rejected", "code": refusal.code, "message": str(refusal)}

    def take_events(self, request: Request) -> dict:
        return {"events": self.participant.take_events()}

    def list_conversations(self, request: Request) -> dict:
        return {"conversations": list(self.participant.conversations)}

    def save(self, request: Request) -> dict:
        return {"state": self.participant.save().hex()}

    def restore(self, request: Request) -> dict:
        self.current = self.kind.restore(request.data("state"), self.random)
        self.random = self.current.random
        return self._identity()

    def shutdown(self, request: Request) -> dict:
        self.running = False
        return {}

    def _identity(self) -> dict:
        return {
            "installation_key": self.participant.installation_key.hex(),
            "inbox_id": self.participant.inbox_id,
            "delivery_addresses": self.participant.delivery_addresses,
        }

    def answer(self, line: bytes) -> dict:
        """The answer to a line, whatever it is."""
        number = None
        try:
            request = read_request(line)
            number = request["id"]
            operation = self.operations.get(request.text("op"))
            if operation is None:
                raise Failed("unknown_op", "no such operation")
            return {"id": number, "ok": True, **operation(request)}
        except (Failed, Refused) as error:
            return {"id": number, "ok": False, "error": {"code": error.code, "message": str(error.args[0])}}
        except Exception:
            traceback.print_exc(file=sys.stderr)  # a mistake of ours, which shall not end the process either
            return {"id": number, "ok": False, "error": {"code": "internal", "message": "see standard error"}}


def read_request(line: bytes) -> Request:
    """A JSON object with an integer `id`; no key twice, no NaN."""
    def unique(pairs: list[tuple[str, Any]]) -> dict:
        if len(dict(pairs)) < len(pairs):
            raise ValueError("a key comes twice")
        return dict(pairs)

    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is not JSON")

    if len(line) > MAX_LINE:
        raise Failed("bad_request", f"a line has more than {MAX_LINE} bytes")
    try:
        request = json.loads(line.decode(), object_pairs_hook=unique, parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise Failed("bad_request", f"not JSON: {str(error)[:200]}") from None
    if not isinstance(request, dict) or type(request.get("id")) is not int:
        raise Failed("bad_request", "not an object with an integer id")
    return Request(request)


def read_lines(source: BinaryIO) -> Iterator[bytes]:
    """Lines without their end; of a line that is too long only a little more than the limit is kept."""
    while line := source.readline(MAX_LINE + 2):
        rest = line
        while len(rest) == MAX_LINE + 2 and not rest.endswith(b"\n"):
            rest = source.readline(MAX_LINE + 2)
        yield line.removesuffix(b"\n")


def main() -> None:
    parser = argparse.ArgumentParser(prog="chatspec.shim", description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, help="make everything reproducible from this number")
    parser.add_argument("--profile", choices=PROFILES, default="libchat", help="which of the two it speaks")
    arguments = parser.parse_args()
    shim = Shim(system_random if arguments.seed is None else Seeded(arguments.seed), arguments.profile)
    try:
        for line in read_lines(sys.stdin.buffer):
            sys.stdout.write(json.dumps(shim.answer(line), separators=(",", ":")) + "\n")
            sys.stdout.flush()
            if not shim.running:
                break
    except KeyboardInterrupt:
        pass
    except BrokenPipeError:  # nobody listens any more; what is left in the buffer goes nowhere
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
