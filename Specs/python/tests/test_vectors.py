"""`check` passes on vectors, reports what it cannot use, and finds planted mistakes."""

import contextlib
import copy
import io
import json
import re
import subprocess
import sys
import tempfile
import unittest
from collections import Counter
from pathlib import Path
from typing import Any, Iterator
from unittest import mock

from chatspec import bloom, check, inbox, member, privatev1, ratchet, sds, segmentation, xeddsa
from chatspec.checks.common import Mismatch, Scripted, demand
from chatspec.refusal import Refused
from chatspec.shim import Shim
from chatspec.texts import read_hex

from . import SPECS, VECTORS

PLACES = {"from outside": VECTORS / "logos", "of this repository": SPECS / "vectors"}
PARITY = VECTORS / "leopard"
SLOW = ("large.json",)  # left to `check`, to keep the tests short
MOST = 40  # mistakes planted in one case, spread over it: some have hundreds of places
LABELS = ("comment", "id", "error", "result")  # of no consequence, or with another meaning if they change


def vector_files() -> list[Path]:
    return list(check.find_files([str(place) for place in PLACES.values() if place.is_dir()]))


def setUpModule():
    for name, place in PLACES.items():
        if not place.is_dir():
            print(f"\nskipped: there are no vectors {name} at {place}")


def leaves(value: Any, path: tuple = ()) -> Iterator[tuple[tuple, Any]]:
    """Texts and numbers in a case, with the way to them."""
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(inner, (*path, key))
    elif type(value) in (str, int) and value != "" and path[-1] not in LABELS:
        yield path, value


def planted(case: dict, path: tuple, value: Any) -> dict:
    """The case with one bit, character or unit changed at one place."""
    if isinstance(value, int):
        changed: Any = value + 1
    else:
        middle = len(value) // 2
        is_hex = re.fullmatch("[0-9a-f]+", value)
        character = format(int(value[middle], 16) ^ 2, "x") if is_hex else "A" if value[middle] != "A" else "B"
        changed = value[:middle] + character + value[middle + 1 :]
    case = copy.deepcopy(case)
    place: Any = case
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = changed
    return case


class Vectors(unittest.TestCase):
    def test_all_pass(self):
        if not vector_files():
            self.skipTest("no vectors")
        counts: Counter[str] = Counter()
        for path in vector_files():
            for outcome, reason, name in check.check_file(path):
                counts[outcome] += 1
                with self.subTest(file=path.name, case=name):
                    self.assertNotEqual(outcome, "failed", reason)
        print(f"\nvectors: {dict(counts)}")
        self.assertGreater(counts["passed"], 0)

    def test_parity(self):
        if not PARITY.is_dir():
            self.skipTest(f"no vectors at {PARITY}")
        counts: Counter[str] = Counter()
        for path in check.find_files([str(PARITY)]):
            for outcome, reason, name in [] if path.name in SLOW else check.check_file(path):
                counts[outcome] += 1
                with self.subTest(file=path.name, case=name):
                    self.assertNotEqual(outcome, "failed", reason)
        print(f"\nvectors of parity, without {', '.join(SLOW)}: {dict(counts)}")
        self.assertGreater(counts["passed"], 0)

    def test_suites_through_the_shim(self):
        """The transcripts of whole conversations once more, as lines of JSON with scripted randomness."""
        ran = 0
        for path in vector_files():
            document = json.loads(path.read_bytes())
            for case in document["cases"] if document.get("kind") == "suite" else []:
                with self.subTest(file=path.name, case=case["id"]):
                    self.replay(case)
                    ran += 1
        print(f"\nsuite transcripts through the shim: {ran}")

    def replay(self, case: dict):
        shims = {name: Shim(Scripted([])) for name in case["participants"]}
        for name, given in case["participants"].items():
            self.ask(shims[name], "create_identity", identity_private=given["identity_private"], now_ms=0)
        for step in case["steps"]:
            name = step["by"]
            random = Scripted([(value["label"], read_hex(value["bytes"])) for value in step.get("randomness", [])])
            if step["op"] == "restart":
                state = self.ask(shims[name], "save")["state"]
                shims[name] = Shim(random)
                self.ask(shims[name], "restore", state=state)
                continue
            shim = shims[name]
            shim.current.random = random
            if "now_ms" in step:
                self.ask(shim, "set_time", now_ms=step["now_ms"])
            inputs = {
                "create_intro": [], "initiate": ["intro", "content"], "send_content": ["conversation_id", "content"],
                "receive_payload": ["payload"],
            }[step["op"]]
            address = {"address": inbox.DELIVERY_ADDRESS} if step["op"] == "receive_payload" else {}
            answer = self.ask(shim, step["op"], **{name: step[name] for name in inputs}, **address)
            self.assertEqual(answer.get("outcome"), step.get("result") if address else None)
            self.assertEqual(answer.get("conversation_id", step.get("conversation_id")), step.get("conversation_id"))
            self.assertEqual(self.ask(shim, "take_outbound")["payloads"], step.get("outbound", []))
            self.assertEqual(self.ask(shim, "take_events")["events"], step.get("events", []))
            random.finish()

    def ask(self, shim: Shim, op: str, **fields: Any) -> dict:
        answer = shim.answer(json.dumps({"id": 1, "op": op, **fields}).encode())
        self.assertTrue(answer["ok"], answer)
        return answer


class PlantedMistakes(unittest.TestCase):
    """What a checker is for."""

    def test_in_the_files(self):
        """Some mistakes cannot be found: a key that is not used in the case, a step that is refused either way."""
        for path in vector_files():
            document = json.loads(path.read_bytes())
            found = total = 0
            for case in document.get("cases", []):
                if case.get("result", "valid") != "valid" or check.check_case(document["kind"], case)[0] != "passed":
                    continue
                places = list(leaves(case))
                for place, value in places[:: max(1, len(places) // MOST)]:
                    total += 1
                    found += check.check_case(document["kind"], planted(case, place, value))[0] != "passed"
            if total:
                print(f"\nplanted in {path.name}: {found} of {total} found", end="")
                self.assertGreater(found, total / 2, path.name)

    def test_in_this_implementation(self):
        if not vector_files():
            self.skipTest("no vectors")
        mistakes = [
            (inbox, "HKDF_INFO", b"logos_chat_inboy"), (inbox, "SEED_PERSONAL", b"InboxV1-seed"),
            (inbox, "IDS_PERSONAL", b"L-PV1-CIE"), (inbox, "DEFAULT_TYPE", "defaulu"),
            (privatev1, "SENDER", b"deletf"), (xeddsa, "GROUP_ORDER", 2**252 + 1),
            (ratchet, "kdf_chain", lambda key: ratchet.kdf_root(key, key, b"")),
            (segmentation, "keccak256", lambda data: bytes(32)), (sds, "blake2b", lambda *_: bytes(32)),
            (bloom, "places", lambda *_: [0]), (member, "joined_hash", lambda *_: 1), (member, "POSSIBLE_FACTOR", 2),
            (member, "BURST", 0), (member, "LOST", 90_000_000), (member, "MAX_FOLLOWED", 2**63),
        ]
        for module, name, wrong in mistakes:
            with self.subTest(mistake=f"{module.__name__}.{name}"), mock.patch.object(module, name, wrong):
                outcomes = (outcome for path in vector_files() for outcome, _, _ in check.check_file(path))
                self.assertIn("failed", outcomes)


    def test_a_refusal_that_changes_something(self):
        touched: list[int] = []

        def operation() -> None:
            touched.append(1)
            raise Refused("malformed", "and yet")

        for result in ("invalid", "policy"):
            self.assertRaises(Mismatch, demand, {"result": result}, operation, lambda: len(touched))


class Program(unittest.TestCase):
    """`python3 -m chatspec.check`, on files that are not what they should be."""

    KNOWN = {
        "id": "root", "function": "kdf_root", "info": "DoubleRatchetRootKey",
        "input": {"root_key": "11" * 32, "dh": "22" * 32},
        "output": {
            "root_key": "fc9578d127d1febbe6650a4899f2662b0eaf987abc757499a9f454eface44b9e",
            "chain_key": "b3b2f4b09190379095772fd09ae64e432ac8da59c7d88a255da14ece557834d4",
        },
    }

    def run_on(self, content: bytes) -> Counter[str]:
        with tempfile.TemporaryDirectory() as directory:
            path = Path(directory, "file.json")
            path.write_bytes(content)
            with contextlib.redirect_stdout(io.StringIO()):
                return check.check_paths([directory])

    def document(self, **fields: Any) -> bytes:
        return json.dumps({"schema": check.SCHEMA, "kind": "kdf", "cases": [self.KNOWN], **fields}).encode()

    def test_outcomes(self):
        wrong = planted(self.KNOWN, ("output", "chain_key"), self.KNOWN["output"]["chain_key"])
        for content, expected in (
            (self.document(), {"passed": 1}),
            (self.document(cases=[wrong, self.KNOWN]), {"passed": 1, "failed": 1}),
            (self.document(kind="shopping"), {"not applicable": 1}),
            (self.document(kind=["kdf"]), {"failed": 1}),
            (self.document(schema="logos-chat-vectors/2"), {"failed": 1}),
            (self.document(schema="somebody-elses/1"), {"not applicable": 1}),
            (self.document(cases=[self.KNOWN | {"function": "md5"}]), {"not applicable": 1}),
            (self.document(cases=[{}, 7, None, "text", []]), {"failed": 5}),
            (self.document(cases=[self.KNOWN | {"input": {"root_key": "11", "dh": 5}}]), {"failed": 1}),
            (self.document(cases={}), {"failed": 1}),
            (self.document(cases=None), {"failed": 1}),
            (b"[]", {"not applicable": 1}), (b"7", {"not applicable": 1}),
            (b"", {"failed": 1}), (b"{", {"failed": 1}), (b"\xff", {"failed": 1}), (b"[" * 100_000, {"failed": 1}),
        ):
            with self.subTest(content=content[:60]):
                self.assertEqual(dict(self.run_on(content)), expected)

    def test_last_line_and_exit_status(self):
        with tempfile.TemporaryDirectory() as directory:
            good, bad = Path(directory, "good.json"), Path(directory, "bad.json")
            good.write_bytes(self.document())
            bad.write_bytes(self.document(kind="shopping", cases=[{"id": "\ud800\n"}]))
            for paths, last, status in (
                ([good], "1 passed, 0 failed, 0 not applicable", 0),
                ([directory], "1 passed, 0 failed, 1 not applicable", 0),
                ([bad], "0 passed, 0 failed, 1 not applicable", 1),
                ([good, Path(directory, "none.json")], "1 passed, 1 failed, 0 not applicable", 1),
            ):
                command = [sys.executable, "-m", "chatspec.check", *map(str, paths)]
                done = subprocess.run(command, cwd=SPECS / "python", capture_output=True, text=True)
                self.assertEqual((done.stdout.splitlines()[-1], done.returncode, done.stderr), (last, status, ""))


if __name__ == "__main__":
    unittest.main()
