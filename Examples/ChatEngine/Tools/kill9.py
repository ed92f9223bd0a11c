#!/usr/bin/env python3
"""kill -9 in the middle of streams, and a restart on the same database, again and again.

What was acknowledged is there, what was streamed is there as incomplete, no index comes twice, nothing is an orphan.
Usage: kill9.py PROGRAM [ROUNDS]
"""

import collections
import json
import random
import sys
import threading
import time

from engine import Backend, Engine

STREAMS = 50
# What is said so is answered at once, so that a kill comes in the middle of commits.
SHORT = "in short"


def script(webhook):
    if webhook["event"] != "message.new" or SHORT not in json.dumps(webhook["message"]):
        return None
    lines = [{"type": "chunk", "chunk": {"type": "text", "content": "yes"}}, {"type": "complete"}]
    return 200, "application/x-ndjson", ["".join(json.dumps(line) + "\n" for line in lines).encode()]


def text(events):
    return "".join(event["chunk"]["content"] for event in events if event["type"] == "chunk")


def check(engine, sessions, said):
    """Compares what clients heard with what is stored."""
    counts = collections.Counter()
    for session in sessions:
        stored = {m["message_id"]: m for m in engine.call("GET", f"/sessions/{session}/messages")["messages"]}
        for heard in said[session]:
            if not heard:
                continue
            message, content = heard[0]["message_id"], text(heard)
            is_complete = heard[-1]["type"] == "complete"
            if not content and not is_complete:
                continue
            assert message in stored, f"what was streamed is not there: {heard[-1]}"
            have = "".join(part["text"] for part in stored[message]["content"])
            assert have.startswith(content), f"{have!r} does not begin with {content!r}"
            assert not is_complete or stored[message]["is_complete"], "what was acknowledged is incomplete"
            assert stored[stored[message]["parent_message_id"]]["role"] == "user", "what was said is not there"
            counts["complete" if stored[message]["is_complete"] else "incomplete"] += 1
        groups = collections.defaultdict(list)
        for message in stored.values():
            parent = message["parent_message_id"]
            assert parent is None or parent in stored, "an orphan"
            groups[parent].append(message)
        for group in groups.values():
            assert len({m["variant_index"] for m in group}) == len(group), "an index comes twice"
            assert sum(m["is_active"] for m in group) == 1, "one of a group is active"
    return counts


def main(program, rounds=5):
    draw = random.Random(12)
    backend = Backend(words=[f"{n} " for n in range(40)], pause=0.05)
    backend.script = script
    engine = Engine(program, backend).start()
    sessions = [engine.session() for _ in range(STREAMS)]
    said = collections.defaultdict(list)
    for number in range(rounds):
        threads = []
        for place, session in enumerate(sessions):
            def run(session=session, is_short=place % 2 == 0):
                try:
                    while is_short:
                        said[session].append([])
                        engine.send(session, SHORT, said[session][-1])
                    said[session].append([])
                    engine.send(session, f"round {number}", said[session][-1])
                except (OSError, ValueError):
                    pass  # the engine was killed
            threads.append(threading.Thread(target=run, daemon=True))
            threads[-1].start()
        time.sleep(draw.uniform(0.3, 2.3))
        engine.kill()
        for thread in threads:
            thread.join(timeout=60)
        engine.start()
        counts = check(engine, sessions, said)
        print(f"kill -9 {number + 1} of {rounds}: {counts['complete']} complete, {counts['incomplete']} incomplete")
    engine.stop()


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
