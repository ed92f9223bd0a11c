#!/usr/bin/env python3
"""Checks what the tests in Swift recorded: answers by the description of the engine, and answers, events and webhooks
by the published schemas, where those lie beside the repository. Usage: exchanges.py FILE
"""

import base64
import collections
import json
import pathlib
import re
import sys

import jsonschema
import referencing

from engine import SPECS

PUBLISHED = SPECS.parents[1] / "shared/vectors/chat-engine/upstream/schemas"
FORMATS = jsonschema.FormatChecker()
ANSWERS = {
    "createSession": "session/SessionCreateResponse", "deleteSession": "session/SessionDeleteResponse",
    "switchSessionType": "session/SessionSwitchTypeResponse", "exportSession": "session/SessionExportResponse",
    "shareSession": "session/SessionShareResponse", "reactToMessage": "message/MessageReactionResponse",
}
EVENTS = {"start": "Start", "chunk": "Chunk", "complete": "Complete", "error": "Error"}


class Description:
    """The operations of the engine's OpenAPI document."""

    def __init__(self):
        document = json.loads((SPECS / "openapi/chat-engine.json").read_text())
        resource = referencing.Resource(document, referencing.jsonschema.DRAFT202012)
        self.registry = referencing.Registry().with_resource("urn:engine", resource)
        self.document, self.routes = document, []
        for path, methods in document["paths"].items():
            pattern = re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path)) + r"(\?.*)?$")
            for method, operation in methods.items():
                if method != "parameters":
                    self.routes.append((method.upper(), pattern, operation))

    def find(self, method, path):
        path = path.split("/api/v1", 1)[-1]
        found = [o for m, pattern, o in self.routes if m == method and pattern.match(path)]
        # /messages/send is also /messages/{id}; the one without parameters in its path is meant.
        return found[0] if found else None

    def check(self, operation, status, body):
        responses = operation["responses"]
        assert str(status) in responses, f"{operation['operationId']}: {status} is not described"
        response = responses[str(status)]
        if "$ref" in response:
            response = self.document["components"]["responses"][response["$ref"].rsplit("/", 1)[1]]
        schema = response["content"].get("application/json", {}).get("schema")
        if schema is None:
            return
        schema = json.loads(json.dumps(schema).replace('"#/', '"urn:engine#/'))
        jsonschema.Draft202012Validator(schema, registry=self.registry, format_checker=FORMATS).validate(body)


class Schemas:
    """The published schemas; their `$id` would capture references, which are files."""

    def __init__(self):
        self.validators = {}

    def check(self, name, value):
        if not PUBLISHED.is_dir():
            return False
        if name not in self.validators:
            self.validators[name] = jsonschema.Draft7Validator(self.read(PUBLISHED / f"{name}.json"), format_checker=FORMATS)
        self.validators[name].validate(value)
        return True

    def read(self, path):
        """A schema with its references put in."""
        def inline(node, here):
            if isinstance(node, list):
                return [inline(item, here) for item in node]
            if not isinstance(node, dict):
                return node
            if "$ref" in node:
                file, _, place = node["$ref"].partition("#")
                target = (here.parent / file).resolve() if file else here
                found = json.loads(target.read_text())
                for step in filter(None, place.split("/")):
                    found = found[step]
                return inline(found, target)
            return {key: inline(value, here) for key, value in node.items() if key != "$id"}
        return inline(json.loads(path.read_text()), path)


def webhook(name):
    words = name.replace("_", ".").split(".")
    return "webhook/" + "".join(word.capitalize() for word in words) + "Event"


def published(value):
    """A message as the published schemas have it: without the place that only the OpenAPI document has (CE-G20)."""
    if isinstance(value, list):
        return [published(item) for item in value]
    if not isinstance(value, dict):
        return value
    extra = {"variant_index", "is_active", "is_complete"} if "message_id" in value and "role" in value else set()
    return {key: published(item) for key, item in value.items() if key not in extra}


def main(path):
    description, schemas, counts = Description(), Schemas(), collections.Counter()
    for line in pathlib.Path(path).read_text().splitlines():
        method, target, status, data = line.split("\t")
        data, status = base64.b64decode(data), int(status)
        try:
            if method == "webhook":
                body = json.loads(data)
                counts["webhooks"] += schemas.check(webhook(body["event"]), published(body))
                continue
            if "/api/v1" not in target and not target.startswith("/"):
                continue
            operation = description.find(method, target)
            if operation is None or status == 405:
                assert status in (200, 404, 405), status
                continue
            if status == 200 and operation["operationId"] in ("sendMessage", "recreateMessage", "summarizeSession"):
                for event in map(json.loads, data.splitlines()):
                    # A chunk is the OpenAPI document's (CE-G01).
                    if event["type"] != "chunk":
                        shown = {k: v for k, v in event.items() if k != "details"}
                        counts["events"] += schemas.check(f"streaming/Streaming{EVENTS[event['type']]}Event", shown)
                continue
            if operation["operationId"] == "readExport" and not data.startswith(b"{"):
                continue
            body = json.loads(data)
            description.check(operation, status, body)
            counts["answers"] += 1
            name = ANSWERS.get(operation["operationId"])
            if status < 300 and name:
                counts["published"] += schemas.check(name, published(body))
        except (AssertionError, jsonschema.ValidationError) as error:
            sys.exit(f"{method} {target} {status}: {error}\n{data[:2000]!r}")
    if not PUBLISHED.is_dir():
        print("skipped: the published schemas do not lie beside the repository")
    print("checked by schemas:", ", ".join(f"{count} {what}" for what, count in counts.items()))
    assert counts["answers"] > 100, "too few answers"


if __name__ == "__main__":
    main(*sys.argv[1:])
