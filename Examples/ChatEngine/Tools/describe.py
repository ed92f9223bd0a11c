#!/usr/bin/env python3
"""Runs schemathesis against an engine, from the description that it serves, with a fixed seed and for a bounded time.

No status of 500 or more, no status that is not described, no answer that breaks its schema. Usage: describe.py PROGRAM
"""

import pathlib
import subprocess
import sys
import urllib.request

from engine import SPECS, Backend, Engine, token


def main(program):
    engine = Engine(program, Backend()).start()
    with urllib.request.urlopen(engine.root + "/openapi.json") as answer:
        assert answer.read() == (SPECS / "openapi/chat-engine.json").read_bytes(), "another description"
    checks = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
    schemathesis = pathlib.Path(sys.executable).parent / "schemathesis"
    status = subprocess.run(
        [schemathesis, "run", engine.root + "/openapi.json", "--header", f"Authorization: Bearer {token()}",
         "--checks", checks, "--max-examples", "25", "--seed", "12", "--generation-deterministic",
         "--phases", "examples,coverage,fuzzing,stateful", "--no-color"],
        cwd=engine.folder, timeout=300).returncode
    engine.stop()
    sys.exit(status)


if __name__ == "__main__":
    main(*sys.argv[1:])
