"""Streaming packets: vectors from outside, planted mistakes, hostile input, and what is written and read again."""

import copy
import doctest
import importlib
import json
import pkgutil
import random
import re
import unittest
from pathlib import Path
from typing import Iterator

from chatspec import check, packet_stream
from chatspec.agent_chat.jsontext import Number
from chatspec.checks import packet_stream as checks
from chatspec.packet_stream import Violation, contract, encoding, machines, make, wire

from . import SPECS, VECTORS

PLACES = [VECTORS / "streaming-abi", SPECS / "packet-stream"]
INPUTS = 4_000


def load_tests(loader: unittest.TestLoader, tests: unittest.TestSuite, pattern: str) -> unittest.TestSuite:
    """Adds the examples in the modules."""
    for module in pkgutil.iter_modules(packet_stream.__path__):
        tests.addTests(doctest.DocTestSuite(importlib.import_module(f"chatspec.packet_stream.{module.name}")))
    return tests


def files() -> Iterator[Path]:
    for place in PLACES:
        if not place.is_dir():
            print(f"\nskipped: there are no vectors at {place}")
        yield from sorted(place.glob("*.json"))


class Vectors(unittest.TestCase):
    def test_every_case_passes(self):
        count = 0
        for path in files():
            for outcome, reason, name in check.check_file(path):
                self.assertEqual((outcome, reason), ("passed", ""), f"{path.name} {name}")
                count += 1
        print(f"\nstreaming packets: {count} cases")

    def test_the_files_of_this_repository_are_made_again_byte_for_byte(self):
        for name, content in make.files().items():
            self.assertEqual((SPECS / "packet-stream" / name).read_text(), content, name)

    def test_planted_mistakes_are_found(self):
        count = 0
        for path in files():
            document = checks.parse(path.read_bytes())
            for case in document["cases"]:
                for wrong in mistakes(case):
                    count += 1
                    with self.subTest(file=path.name, case=case["id"], wrong=str(wrong)[:200]):
                        self.assertNotEqual(check.check_system(document, wrong)[0], "passed")
        print(f"\nstreaming packets: {count} planted mistakes")


def mistakes(case: dict) -> Iterator[dict]:
    """The case with something else in what it expects."""
    if "hex_parts" in case:
        return
    for key in ("canonical", "interop", "expect"):
        if key in case:
            yield case | {key: ["SA-99"] if case[key] == "valid" else "valid"}
    for key in ("canonical_view", "view"):
        if isinstance(case.get(key), dict):
            yield case | {key: case[key] | {"surprise": "x"}}
    if case.get("kind") == "reject":
        yield case | {"kind": "decode", "view": {}}
    if isinstance(case.get("out"), list) and case["out"]:
        out = copy.deepcopy(case["out"])
        out[-1] = {"rule": "SA-99"} if isinstance(out[-1], dict) else "surprise"
        yield case | {"out": out}
    elif isinstance(case.get("out"), str):
        yield case | {"out": "surprise"}
    for key in ("key", "answer_type"):
        if key in case:
            yield case | {key: "surprise"}
    if "valid" in case:
        yield case | {"valid": not case["valid"]}


class Hostile(unittest.TestCase):
    MODELS = [
        {"kind": "chat.message.v1", "messageId": "m-1", "timestampMs": 7, "metadata": {"é": "💬"},
         "payload": {"text": "hi", "n": Number("1e400")}, "stream": {"stream_id": "s", "sequence": 3}},
        {"audio": {"pcm": b"\0\1", "sample_rate_hz": 16_000, "channels": 1, "codec": "opus"}, "kind": "speech.audio.v1",
         "payload": {"room": "r", "list": [None, True, {"x": Number("1.5")}]}, "inputs": {},
         "transports": [{"name": "live", "typedConfig": {"transportRef": "r"}}]},
        {"opaque": {"mime": "application/octet-stream", "bytes": b"raya", "mediaTimestampMs": 5}, "messageId": "m-2"},
    ]

    def test_every_input_gives_a_view_or_one_rule(self):
        chance = random.Random(7)
        for model in self.MODELS:
            data, accepted = encoding.encode("DataPacket", model), 0
            for _ in range(INPUTS):
                changed = bytearray(data)
                for _ in range(chance.randrange(1, 4)):
                    at = chance.randrange(len(changed) + 1)
                    changed[at : at + chance.randrange(2)] = chance.randbytes(chance.randrange(3))
                for mode in ("canonical", "interop"):
                    try:
                        contract.decode("DataPacket", bytes(changed), mode)
                        accepted += 1
                    except Violation as violation:
                        self.assertRegex(violation.rule, r"^SA-\d\d$")
            self.assertGreater(accepted, 0)

    def test_what_is_written_is_read_in_every_layout(self):
        for model in self.MODELS:
            views = [
                contract.decode(message, encoding.encode(message, model), mode)
                for message in wire.PACKETS for mode in ("canonical", "interop")
            ]
            for view in views:
                self.assertEqual(view, views[0])
                self.assertEqual(view.get("messageId"), model.get("messageId"))

    def test_chunks_in_any_order_give_the_whole(self):
        chance = random.Random(8)
        for _ in range(100):
            pieces = [chance.randbytes(chance.randrange(1, 9)) for _ in range(chance.randrange(1, 9))]
            arrivals = [*range(len(pieces)), *chance.choices(range(len(pieces)), k=3)]
            chance.shuffle(arrivals)
            reassembly, whole = machines.Reassembly(), []
            for index in arrivals:
                envelope = {"stream_id": "s", "chunk_id": "c", "chunk_count": len(pieces), "chunk_index": index}
                frame = {"payload": pieces[index], "mime_type": "a/b"}
                state, packet = reassembly.receive({"envelope": envelope, "binary": frame}, 0)
                if state == "assembled":
                    whole.append(packet["binary"]["payload"])
                    break
            self.assertEqual(whole, [b"".join(pieces)])


class Document(unittest.TestCase):
    """The worked example of Specs/packet-stream.md, section 4."""

    def test_example(self):
        blocks = re.findall(r"```\n(.*?)```", (SPECS / "packet-stream.md").read_text(), re.DOTALL)
        [example] = [block for block in blocks if block.startswith("0a17")]
        data = bytes.fromhex("".join(line.split("  ")[0] for line in example.splitlines()))
        view = contract.decode("DataPacket", data, "canonical")
        self.assertEqual(
            {key: view[key] for key in ("kind", "messageId", "timestampMs", "payload", "metadata")},
            {"kind": "chat.message.v1", "messageId": "m-1", "timestampMs": 1770000000000, "payload": {"text": "hi"},
             "metadata": {"type": "chat.message.v1"}})
        self.assertEqual(wire.encode("DataPacket", wire.decode("DataPacket", data)), data)
        [text] = [block for block in blocks if block.startswith('{"version"')]
        self.assertEqual(wire.decode("DataPacket", data)["binary"]["payload"], text.strip().encode())
        json.loads(text)


if __name__ == "__main__":
    unittest.main()
