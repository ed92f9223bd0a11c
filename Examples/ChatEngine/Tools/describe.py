#!/usr/bin/env python3
"""Runs schemathesis against an engine, from the description that it serves, with the same cases each time.

No status of 500 or more, no status that is not described, no answer that breaks its schema. Usage: describe.py PROGRAM
"""

import json
import os
import pathlib
import subprocess
import sys
import urllib.request

from engine import SPECS, TYPE, Backend, Engine, token


def main(program):
    engine = Engine(program, Backend()).start()
    with urllib.request.urlopen(engine.root + "/openapi.json") as answer:
        assert answer.read() == (SPECS / "openapi/chat-engine.json").read_bytes(), "another description"
    heard = []
    session = engine.session()
    engine.send(session, "hi", heard)
    share = engine.call("POST", f"/sessions/{session}/share", {})["share_token"]
    export = engine.call("POST", f"/sessions/{session}/export", {"format": "json", "scope": "all"})["download_url"]
    live = {"session": session, "message": heard[0]["message_id"], "type": TYPE, "client": "saro", "share": share,
            "export": export.rsplit("/", 1)[1]}
    checks = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
    schemathesis = pathlib.Path(sys.executable).parent / "schemathesis"
    status = subprocess.run(
        [schemathesis, "run", engine.root + "/openapi.json", "--header", f"Authorization: Bearer {token()}",
         "--checks", checks, "--max-examples", "25", "--generation-deterministic",
         "--phases", "examples,coverage,fuzzing,stateful", "--no-color"],
        cwd=engine.folder, env=os.environ | {
            "SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": str(pathlib.Path(__file__).parent),
            "CHAT_ENGINE_LIVE": json.dumps(live)},
        timeout=300).returncode
    engine.stop()
    sys.exit(status)


if __name__ == "__main__":
    main(*sys.argv[1:])
