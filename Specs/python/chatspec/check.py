"""Checks vector files of formats logos-chat-vectors/1, agent-chat-vectors/1 and streaming-abi-vectors/1, and cases of
Chat Engine, from anyone.

    python3 -m chatspec.check DIRECTORY|FILE …

Every case gives a line. The last line counts cases passed, failed and not applicable (of a kind, or about
something, that this implementation does not do). A file of another format is one case that is not applicable; one of
another version of this format, or one that cannot be read, is one that failed. Exit status: 0 if something passed and
nothing failed, 1 otherwise.
"""

import argparse
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Callable, Iterator

from . import checks
from .checks import agent_chat, chat_engine, packet_stream
from .checks.common import Mismatch, NotApplicable, exact_errors

FORMAT = "logos-chat-vectors/"
SCHEMA = FORMAT + "1"
RESULTS = ("valid", "invalid", "unsupported", "ignored", "policy", "invalid_size", "invalid_counts")
MAX_FILE = 64 * 2**20
SYSTEMS = {system.SCHEMA: system for system in (agent_chat, packet_stream)}


def check_file(path: Path) -> Iterator[tuple[str, str, str]]:
    """Outcome, reason and name of every case of a file."""
    try:
        if path.stat().st_size > MAX_FILE:
            raise ValueError(f"more than {MAX_FILE} bytes")
        document = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        yield "failed", f"cannot be read: {error}", "file"
        return
    if isinstance(document, dict) and "$schema" in document:
        return  # a JSON Schema that lies beside vector files
    if chat_engine.is_ours(document):
        for number, case in enumerate(document):
            name = case.get("id", number) if isinstance(case, dict) else number
            yield *outcome_of(lambda: chat_engine.check(case)), str(name)
        return
    schema = document.get("schema") if isinstance(document, dict) else None
    if schema in SYSTEMS and isinstance(document.get("cases"), list):
        document = SYSTEMS[schema].parse(path.read_bytes())
        for number, case in enumerate(document["cases"]):
            yield *check_system(document, case), str(case.get("id", number) if isinstance(case, dict) else number)
    elif schema != SCHEMA:
        is_ours = isinstance(schema, str) and schema.startswith(FORMAT)
        yield "failed" if is_ours else "not applicable", f"schema {schema!r}, expected {SCHEMA!r}", "file"
    elif not isinstance(document.get("cases"), list):
        yield "failed", "there is no list of cases", "file"
    else:
        exact_errors.set(document.get("errors") == "exact")
        for number, case in enumerate(document["cases"]):
            name = case.get("id", number) if isinstance(case, dict) else number
            yield *check_case(document.get("kind"), case), str(name)


def check_case(kind: object, case: object) -> tuple[str, str]:
    """Outcome and reason of a case of logos-chat-vectors."""

    def run() -> None:
        if not isinstance(case, dict):
            raise Mismatch("a case is an object")
        if case.get("result", "valid") not in RESULTS:
            raise Mismatch(f"result {case['result']}")
        checks.check(kind, case)

    return outcome_of(run)


def check_system(document: dict, case: object) -> tuple[str, str]:
    """Outcome and reason of a case of a published system's format."""

    def run() -> None:
        if not isinstance(case, dict):
            raise Mismatch("a case is an object")
        SYSTEMS[document["schema"]].check(document, case)

    return outcome_of(run)


def outcome_of(run: Callable[[], None]) -> tuple[str, str]:
    """Whatever a case does to this implementation, the next one is run."""
    try:
        run()
        return "passed", ""
    except NotApplicable as reason:
        return "not applicable", str(reason)
    except Mismatch as reason:
        return "failed", str(reason)
    except KeyError as missing:
        return "failed", f"there is no {missing}"
    except Exception as error:
        return "failed", f"{type(error).__name__}: {error}"


def find_files(paths: list[str]) -> Iterator[Path]:
    """Files as they are named, and all JSON files of directories, sorted."""
    for path in map(Path, paths):
        yield from sorted(path.rglob("*.json")) if path.is_dir() else [path]


def check_paths(paths: list[str]) -> Counter[str]:
    """Prints a line for every case, and counts outcomes."""
    counts: Counter[str] = Counter()
    for path in find_files(paths):
        for outcome, reason, name in check_file(path):
            counts[outcome] += 1
            line = f"{outcome:<15}{path.name} {name}" + (f": {reason}" if reason else "")
            print(" ".join(line.splitlines()))
    return counts


def main() -> None:
    parser = argparse.ArgumentParser(prog="chatspec.check", description=__doc__.splitlines()[0])
    parser.add_argument("paths", nargs="+", metavar="DIRECTORY|FILE")
    sys.stdout.reconfigure(errors="backslashreplace")
    counts = check_paths(parser.parse_args().paths)
    print(", ".join(f"{counts[outcome]} {outcome}" for outcome in ("passed", "failed", "not applicable")))
    sys.exit(0 if counts["passed"] and not counts["failed"] else 1)


if __name__ == "__main__":
    main()
