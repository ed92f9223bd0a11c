"""The vector files of this repository: their schemas, every expected field, and protobuf's opinion."""

import json
import unittest
from pathlib import Path
from typing import Any, Iterator

try:
    import jsonschema
    from referencing import Registry, Resource
except ImportError:
    jsonschema = None

from chatspec import check, checks, messages
from chatspec.checks.common import exact_errors
from chatspec.checks.layouts import from_json

from . import SPECS, VECTORS
from .test_proto3 import descriptor_pb2, from_google, google_messages
from .test_vectors import leaves, planted

FILES = SPECS / "vectors"
SCHEMAS = FILES / "schema"
# What is not compared: the length of the previous chain, in the middle of a ratchet's state (Specs/vectors/README.md).
INPUTS = {"lost_data", "lost_parity"}  # beside what is expected
PLACES = 12  # in one case at most, spread over it: some have hundreds
UNSEEN = ("state", "initial_state")


def documents(*places: Path) -> Iterator[tuple[Path, dict]]:
    for place in places:
        for path in sorted(place.glob("*.json")):
            yield path, json.loads(path.read_bytes())


def schema_of(kind: str) -> dict:
    return json.loads((SCHEMAS / f"{kind}.json").read_bytes())


def expected_names(definition: dict) -> set[str]:
    """The properties that a definition marks as given by the operation."""
    return {name for name, field in definition["properties"].items() if field.get("readOnly")}


def expected_fields(kind: str, case: dict) -> Iterator[tuple[tuple, Any]]:
    """Texts and numbers that a case expects, with the way to them."""
    definition = schema_of(kind)["$defs"][case.get("operation", "case")]
    for name in expected_names(definition) & case.keys():
        yield from leaves_of(case[name], (name,))
    for number, step in enumerate(case.get("steps", [])):
        items = definition["properties"]["steps"]["items"]
        for arm in items.get("oneOf", [items]):
            if arm["properties"].get("op", {}).get("const") == step.get("op"):
                for name in expected_names(arm) & step.keys():
                    yield from leaves_of(step[name], ("steps", number, name))


def leaves_of(value: Any, path: tuple) -> Iterator[tuple[tuple, Any]]:
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves_of(inner, (*path, key))
    elif value is not None and not INPUTS.intersection(map(str, path)):
        yield path, value


class Files(unittest.TestCase):
    def test_there_is_a_file_and_a_schema_of_every_kind(self):
        kinds = {document["kind"] for _, document in documents(FILES)}
        self.assertEqual(kinds, set(checks.KINDS))
        self.assertEqual(kinds | {"common"}, {path.stem for path in SCHEMAS.glob("*.json")})

    def test_every_case_has_an_id_and_says_why_it_is_there(self):
        for path, document in documents(FILES):
            ids = [case["id"] for case in document["cases"]]
            self.assertEqual(len(set(ids)), len(ids), path.name)
            for case in document["cases"]:
                self.assertTrue(case["comment"], f"{path.name} {case['id']}")

    def test_every_case_applies(self):
        for path, document in documents(FILES):
            for outcome, reason, name in check.check_file(path):
                self.assertEqual((outcome, reason), ("passed", ""), f"{path.name} {name}")

    @unittest.skipIf(jsonschema is None, "jsonschema is not installed: files are not checked against their schemas")
    def test_schemas(self):
        contents = {path.name: json.loads(path.read_bytes()) for path in SCHEMAS.glob("*.json")}
        registry = Registry().with_resources((name, Resource.from_contents(one)) for name, one in contents.items())
        for schema in contents.values():
            jsonschema.Draft202012Validator.check_schema(schema)
        for path, document in documents(FILES, VECTORS / "logos", VECTORS / "leopard"):
            validator = jsonschema.Draft202012Validator(schema_of(document["kind"]), registry=registry)
            with self.subTest(file=str(path)):
                self.assertIsNone(next(validator.iter_errors(document), None))
                wrong = document | {"cases": [document["cases"][0] | {"surprise": 1}]}
                self.assertFalse(validator.is_valid(wrong))


class PlantedInExpectedFields(unittest.TestCase):
    def test_a_mistake_in_any_field_that_a_case_expects_is_found(self):
        for path, document in documents(FILES):
            kind, count = document["kind"], 0
            exact_errors.set(document.get("errors") == "exact")
            for case in document["cases"]:
                places = list(expected_fields(kind, case))
                for place, value in places[:: max(1, len(places) // PLACES)]:
                    wrong = self.mistaken(case, place, value)
                    count += 1
                    with self.subTest(file=path.name, case=case["id"], place=place):
                        self.assertNotEqual(check.check_case(kind, wrong)[0], "passed")
            self.assertGreater(count, 0, path.name)

    def mistaken(self, case: dict, place: tuple, value: Any) -> dict:
        if any(name in place for name in UNSEEN):  # the second byte, of the root key
            changed = value[:2] + format(int(value[2], 16) ^ 1, "x") + value[3:]
            return planted_value(case, place, changed)
        if value == "":
            return planted_value(case, place, "00")
        return planted_value(case, place, not value) if isinstance(value, bool) else planted(case, place, value)


def planted_value(case: dict, place: tuple, value: Any) -> dict:
    case = json.loads(json.dumps(case))
    inner: Any = case
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    return case


@unittest.skipIf(descriptor_pb2 is None, "protobuf is not installed: no third opinion on messages")
class ThirdOpinion(unittest.TestCase):
    def test_messages_are_those_of_generated_protobuf(self):
        google, count = google_messages(), 0
        for path, document in documents(FILES, VECTORS / "logos"):
            for case in document["cases"]:
                if case.get("operation") not in ("roundtrip", "decode") or case.get("message") not in google:
                    continue
                if case["result"] != "valid":
                    continue
                with self.subTest(file=path.name, case=case["id"]):
                    parsed = google[case["message"]].FromString(bytes.fromhex(case["bytes"]))
                    fields = from_json(messages.ALL[case["message"]], case["fields"])
                    self.assertEqual(from_google(parsed), fields)
                    if case["operation"] == "roundtrip":
                        self.assertEqual(parsed.SerializeToString(deterministic=True).hex(), case["bytes"])
                    count += 1
        print(f"\nmessages that generated protobuf reads and writes alike: {count}")
        self.assertGreater(count, 20)


if __name__ == "__main__":
    unittest.main()
