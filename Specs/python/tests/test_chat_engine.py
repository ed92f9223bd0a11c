"""Chat Engine: cases from outside and of ours, the published schemas, planted mistakes, hostile input."""

import doctest
import importlib
import json
import pkgutil
import random
import unittest
from pathlib import Path
from typing import Any, Iterator
from urllib.parse import urljoin

from chatspec import chat_engine, check
from chatspec.chat_engine import Violation, streams, values
from chatspec.checks import chat_engine as checks

from . import SPECS, VECTORS

PUBLISHED = VECTORS / "chat-engine"
PLACES = [PUBLISHED / "cases.json", SPECS / "chat-engine" / "made.json"]
INPUTS = 3_000


def load_tests(loader: unittest.TestLoader, tests: unittest.TestSuite, pattern: str) -> unittest.TestSuite:
    """Adds the examples in the modules."""
    for module in pkgutil.iter_modules(chat_engine.__path__):
        tests.addTests(doctest.DocTestSuite(importlib.import_module(f"chatspec.chat_engine.{module.name}")))
    return tests


def cases() -> Iterator[dict]:
    for place in PLACES:
        if place.is_file():
            yield from json.loads(place.read_bytes())
        else:
            print(f"\nskipped: there are no cases at {place}")


def validators() -> Any:
    """Finds the validator of a published schema: relative references go by file, `$id`s are left aside."""
    from jsonschema import Draft7Validator, FormatChecker
    from referencing import Registry, Resource
    from referencing.jsonschema import DRAFT7

    folder, contents = PUBLISHED / "upstream" / "schemas", {}
    for path in folder.rglob("*.json"):
        name = f"http://schemas/{path.relative_to(folder).as_posix()}"
        contents[name] = absolute(json.loads(path.read_bytes()), name)
    registry = Registry().with_resources(
        (name, Resource(contents=document, specification=DRAFT7)) for name, document in contents.items()
    )

    def validator(name: str) -> Any:
        return Draft7Validator(
            {"$ref": f"http://schemas/{name}.json"}, registry=registry, format_checker=FormatChecker())

    return validator


def absolute(value: Any, base: str) -> Any:
    """A schema whose references are whole, and without its id."""
    if isinstance(value, dict):
        return {
            key: urljoin(base, one) if key == "$ref" and isinstance(one, str) else absolute(one, base)
            for key, one in value.items()
            if not (key == "$id" and isinstance(one, str))
        }
    return [absolute(one, base) for one in value] if isinstance(value, list) else value


class Cases(unittest.TestCase):
    def test_every_case_passes(self):
        count = 0
        for place in filter(Path.is_file, PLACES):
            for outcome, reason, name in check.check_file(place):
                self.assertEqual((outcome, reason), ("passed", ""), f"{place.name} {name}")
                count += 1
        print(f"\nchat engine: {count} cases")

    def test_planted_mistakes_are_found(self):
        count = 0
        for case in cases():
            for wrong in mistakes(case):
                count += 1
                with self.subTest(case=case["id"], wrong=wrong):
                    self.assertRaises(Exception, checks.check, wrong)
        print(f"\nchat engine: {count} planted mistakes")


def mistakes(case: dict) -> Iterator[dict]:
    """The case with something else in what it expects."""
    other = {"valid": "invalid", "invalid": "valid", "truncated": "valid", "late": "valid", "error": "valid"}
    if case["expect"] in other:
        yield case | {"expect": other[case["expect"]]}
    for key in ("active_path", "list", "order", "history_sent", "sent", "hits"):
        if key in case and (key != "sent" or case["expect"] == "valid"):
            yield case | {key: [*case[key], "surprise"]}
    for key in ("attempts", "effective_s", "status", "total", "returned", "current_index"):
        if key in case and case["kind"] in ("retry", "timeout", "tree", "paging", "status"):
            yield case | {key: case[key] + 1}
    if "final" in case:
        yield case | {"final": "ajar"}
    if "results" in case:
        yield case | {"results": case["results"][:-1]}
    if "statuses" in case:
        yield case | {"statuses": [*case["statuses"][:-1], 418]}
    if "indexes" in case and case["indexes"]:
        yield case | {"indexes": {name: index + 1 for name, index in case["indexes"].items()}}


class Published(unittest.TestCase):
    """What the Swift code writes is what the published documents allow."""

    def setUp(self):
        if not PUBLISHED.is_dir():
            self.skipTest(f"there are no published schemas at {PUBLISHED}")
        try:
            import jsonschema  # noqa: F401
        except ImportError:
            self.skipTest("jsonschema is not installed")

    def test_every_value_that_is_made_is_valid(self):
        validator, count = validators(), 0
        for case in json.loads(PLACES[1].read_bytes()):
            if case["kind"] != "value" or case["note" if "note" in case else "judge"] != "as it is written":
                continue
            errors = [error.message for error in validator(case["schema"]).iter_errors(case["input"])]
            self.assertEqual(errors, [], f"{case['id']} {case['schema']}")
            count += 1
        self.assertGreater(count, 0)
        print(f"\nchat engine: {count} values of ours by the published schemas")

    def test_what_only_the_openapi_document_says_is_valid_by_it(self):
        from jsonschema import Draft202012Validator

        document, count = json.loads((PUBLISHED / "openapi-3.1.json").read_bytes()), 0
        for case in json.loads(PLACES[1].read_bytes()):
            if "component" not in case:
                continue
            schema = {"$ref": f"#/components/schemas/{case['component']}", "components": document["components"]}
            errors = [error.message for error in Draft202012Validator(schema).iter_errors(case["input"])]
            self.assertEqual(errors, [], f"{case['id']} {case['component']}")
            count += 1
        self.assertGreater(count, 0)
        print(f"\nchat engine: {count} values of ours by the OpenAPI document")

    def test_the_readers_and_the_published_schemas_agree(self):
        """On every value of the cases, but for what a rule of ours decides."""
        validator, count = validators(), 0
        for case in cases():
            if case["kind"] != "value" or case.get("mode", "strict") != "strict" or "judge" in case:
                continue
            is_valid = not list(validator(case["schema"]).iter_errors(case["input"]))
            try:
                values.decode(case["schema"], case["input"])
                is_read = True
            except Violation as violation:
                # Ours are stricter about sums, variants, roles, chunks and what a date may be.
                is_read = violation.rule in ("CE-15", "CE-17", "CE-18", "CE-12", "CE-08") and is_valid
            self.assertEqual(is_read, is_valid, f"{case['id']} {case['schema']} {case['input']}")
            count += 1
        self.assertGreater(count, 0)


class Document(unittest.TestCase):
    def test_every_line_that_the_document_prints_is_read(self):
        lines = [one for one in (SPECS / "chat-engine.md").read_text().splitlines() if one.startswith("{")]
        for one in lines:
            value = values.read(one.encode())
            reader = values.event if "type" in value else values.line
            self.assertEqual(reader(value, "strict"), value)
        self.assertEqual(len(lines), 7)


class Hostile(unittest.TestCase):
    def test_a_reader_gives_a_value_or_names_a_rule(self):
        chance, accepted = random.Random(5), 0
        samples = [case["input"] for case in json.loads(PLACES[1].read_bytes()) if case["kind"] == "value"]
        for _ in range(INPUTS):
            changed = bytearray(json.dumps(chance.choice(samples)).encode())
            for _ in range(chance.randrange(1, 4)):
                at = chance.randrange(len(changed) + 1)
                changed[at : at + chance.randrange(2)] = chance.randbytes(chance.randrange(3))
            for mode in ("strict", "lenient", "interop", "uuidIds"):
                for reader in (values.WEBHOOK, values.event, values.SEND, values.message):
                    try:
                        value = reader(values.read(bytes(changed)), mode)
                    except Violation:
                        continue
                    accepted += 1
                    self.assertEqual(reader(value, mode), value)
        self.assertGreater(accepted, 0)

    def test_a_backend_always_comes_to_an_end(self):
        chance, outcomes = random.Random(6), set()
        good = b'{"type":"chunk","chunk":{"type":"text","content":"a"}}\n{"type":"complete"}\n'
        for _ in range(INPUTS):
            data = bytearray(good * chance.randrange(1, 3))
            for _ in range(chance.randrange(4)):
                data[chance.randrange(len(data))] = chance.choice(b'{}[]":,\n\x00\xff aet')
            backend = streams.Backend(checks.MESSAGE)
            backend.head(200, "application/x-ndjson")
            for piece in checks.pieces(bytes(data), chance.randrange(1, 40)):
                backend.feed(piece)
            backend.end()
            outcomes.add(backend.outcome)
        self.assertEqual(outcomes, {"valid", "invalid"})


if __name__ == "__main__":
    unittest.main()
