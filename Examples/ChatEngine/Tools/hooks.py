"""What schemathesis is told of the engine that it runs against: ids that exist, so that it comes further than 404, and
how lines of events are read."""

import json
import os

import schemathesis

LIVE = json.loads(os.environ.get("CHAT_ENGINE_LIVE", "{}"))


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    path = context.operation.path
    if path == "/sessions/{id}" and context.operation.method.upper() == "DELETE":
        return path_parameters  # the session that the others need is not deleted
    if path_parameters and "id" in path_parameters and sum(map(ord, str(path_parameters["id"]))) % 4:
        path_parameters["id"] = LIVE["message" if path.startswith("/messages") else "session"]
    if path_parameters and "token" in path_parameters and sum(map(ord, str(path_parameters["token"]))) % 2:
        if not path.startswith("/sessions"):
            path_parameters["token"] = LIVE["export" if path.startswith("/exports") else "share"]
    return path_parameters


@schemathesis.hook
def map_body(context, body):
    if isinstance(body, dict):
        for key, kind in (("session_id", "session"), ("session_type_id", "type"), ("new_session_type_id", "type"),
                          ("client_id", "client"), ("parent_message_id", "message")):
            if isinstance(body.get(key), str) and len(json.dumps(body)) % 4:
                body[key] = LIVE[kind]
    return body


@schemathesis.deserializer("application/x-ndjson")
def events(context, response):
    """The last event: it has one of the four forms, and so has every other one, which the tests in Swift check."""
    return json.loads(response.content.splitlines()[-1])
