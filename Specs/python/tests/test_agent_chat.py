"""Agent chat: vectors from outside, planted mistakes, hostile input, and folding from every snapshot."""

import copy
import doctest
import importlib
import json
import pkgutil
import random
import re
import unittest
from pathlib import Path
from typing import Any, Iterator

from chatspec import agent_chat, check
from chatspec.agent_chat import Violation, codec, fold, make
from chatspec.agent_chat.chat import Chat
from chatspec.agent_chat.jsontext import Number, read, same
from chatspec.checks import agent_chat as checks

from . import SPECS, VECTORS

PLACES = [VECTORS / "agent-chat", SPECS / "agent-chat"]
INPUTS = 3_000
PLANTED = 3  # mistakes in one case


def load_tests(loader: unittest.TestLoader, tests: unittest.TestSuite, pattern: str) -> unittest.TestSuite:
    """Adds the examples in the modules."""
    for module in pkgutil.iter_modules(agent_chat.__path__):
        tests.addTests(doctest.DocTestSuite(importlib.import_module(f"chatspec.agent_chat.{module.name}")))
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
        print(f"\nagent chat: {count} cases")

    def test_the_files_of_this_repository_are_made_again_byte_for_byte(self):
        for name, content in make.files().items():
            self.assertEqual((SPECS / "agent-chat" / name).read_text(), content, name)

    def test_planted_mistakes_are_found(self):
        chance, count = random.Random(4), 0
        for path in files():
            document = checks.parse(path.read_bytes())
            for case in document["cases"][:: max(1, len(document["cases"]) // 40)]:
                for wrong in mistakes(chance, case):
                    count += 1
                    with self.subTest(file=path.name, case=case["id"], wrong=wrong):
                        self.assertNotEqual(check.check_system(document, wrong)[0], "passed")
        print(f"\nagent chat: {count} planted mistakes")


def mistakes(chance: random.Random, case: dict) -> Iterator[dict]:
    """The case with something else in what it expects."""
    for key in ("strict", "conformant"):
        if key in case:
            yield case | {key: ["AC-99"] if case[key] == "valid" else "valid"}
    if "parts" in case and "deltas" in case:
        yield case | {"parts": [*case["parts"], {"type": "step-start"}]}
    if case.get("expect") == "valid" and case.get("deltas", ["a path of tools"]):
        yield case | {"expect": "invalid", "rule": ["AC-99"], "at": Number("0")}
    if case.get("expect") == "invalid":
        yield case | {"rule": ["AC-99"]}
    if "job_states" in case:
        states = list(case["job_states"])
        at = chance.randrange(len(states))
        states[at] = "running" if states[at] != "running" else "idle"
        yield case | {"job_states": states}
        end = copy.deepcopy(case["end"])
        end["messages"]["surprise"] = []
        yield case | {"end": end}


class Hostile(unittest.TestCase):
    SAMPLES = [
        ("c2s", '{"type":"run","data":{"id":"c","message":{"id":"m","role":"user","parts":[{"type":"text","text":"é"}]},'
         '"vaultItems":[1e400],"timezone":"Europe/Paris"}}'),
        ("s2c", '{"type":"stream","message_id":"a","delta":{"type":"tool-pay","toolCallId":"c","state":'
         '"output-available","input":{},"output":null,"approval":{"id":"p","approved":true}},"seq":7}'),
        ("s2c", '{"type":"clarify_request","job_id":"j","request_id":"r","questions":[{"id":"q","text":"?"}]}'),
    ]

    def test_a_decoder_gives_a_value_or_names_a_rule(self):
        chance = random.Random(5)
        for direction, sample in self.SAMPLES:
            data, accepted = sample.encode(), 0
            for _ in range(INPUTS):
                changed = bytearray(data)
                for _ in range(chance.randrange(1, 4)):
                    at = chance.randrange(len(changed) + 1)
                    changed[at : at + chance.randrange(2)] = chance.randbytes(chance.randrange(3))
                for mode in ("strict", "conformant"):
                    try:
                        value = codec.decode(direction, bytes(changed), mode)
                    except Violation:
                        continue
                    accepted += 1
                    self.assertTrue(same(codec.DIRECTIONS[direction](value, mode), value))
            self.assertGreater(accepted, 0)


class Folding(unittest.TestCase):
    def test_what_follows_a_snapshot_gives_what_the_whole_gives(self):
        chance = random.Random(6)
        for _ in range(200):
            parts: list[dict] = []
            snapshots = [parts]
            for _ in range(20):
                delta = self.delta(chance)
                try:
                    parts = fold.apply(parts, delta)
                except Violation:
                    for snapshot in snapshots:
                        self.assertRaises(Violation, fold.apply, snapshot, delta)
                    continue
                snapshots = [fold.apply(snapshot, delta) for snapshot in snapshots] + [json.loads(json.dumps(parts))]
            for snapshot in snapshots:
                self.assertEqual(snapshot, parts)

    def delta(self, chance: random.Random) -> dict[str, Any]:
        kind = chance.choice(["text", "text", "reasoning", "step-start", "data-x", "tool-pay"])
        if kind in ("text", "reasoning"):
            state = chance.choice([{}, {"state": "streaming"}, {"state": "done"}])
            return {"type": kind, "text": chance.choice(["", "Saro ", "é"]), **state}
        if kind == "data-x":
            return {"type": kind, "data": chance.randrange(9), **chance.choice([{}, {"id": "1"}])}
        if kind == "step-start":
            return {"type": kind}
        state = chance.choice(["input-streaming", "input-available", "output-available"])
        call = {"type": kind, "toolCallId": chance.choice("ab"), "state": state, "input": 1}
        return call | ({"output": 2} if state == "output-available" else {})


class Document(unittest.TestCase):
    """The worked example of Specs/agent-chat.md, section 4.4."""

    def test_example(self):
        blocks = re.findall(r"```\n(.*?)```", (SPECS / "agent-chat.md").read_text(), re.DOTALL)
        [first] = [block for block in blocks if block.startswith("7b22")]
        lines = [line for block in blocks for line in block.splitlines() if line[:3] in ("C  ", "S  ")]
        self.assertEqual(bytes.fromhex(first), next(line[3:].encode() for line in lines if line[0] == "C"))
        conversation = Chat("chat_1")
        conversation.open()
        for line in lines:
            value = codec.decode({"C": "c2s", "S": "s2c"}[line[0]], line[3:].encode(), "strict")
            conversation.command(value) if line[0] == "C" else conversation.message(value)
        self.assertEqual(conversation.job, "ended:completed")
        [text, tool] = conversation.messages["a1"]["parts"]
        self.assertEqual(text, {"type": "text", "text": "Looking", "state": "done"})
        self.assertEqual(tool["output"], "table 7")


class Numbers(unittest.TestCase):
    def test_spellings(self):
        for left, right, is_same in [
            ("1", "1.0", True), ("1e2", "100", True), ("-0", "0", True), ("1e400", "10e399", True), ("1", "2", False),
            ("9007199254740993", "9007199254740992", False), ("1e400", "-1e400", False),
            ("1e00099999999999999999999", "1e99999999999999999999", True),
        ]:
            self.assertIs(same(read(left.encode()), read(right.encode())), is_same, (left, right))


if __name__ == "__main__":
    unittest.main()
