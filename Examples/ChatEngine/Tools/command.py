#!/usr/bin/env python3
"""The command line of the engine: exit codes, what is written where, and how it stops. Usage: command.py PROGRAM"""

import json
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

from engine import Backend, Engine, sign, token


def refusals(program, engine):
    """Each refusal has its exit code and one line on standard error that names what was wrong."""
    folder = engine.folder
    good = {"--port": "0", "--database": folder / "new.sqlite", "--jwt-secret-file": folder / "secret",
            "--session-types": folder / "types.json"}
    (folder / "short").write_bytes(b"x" * 31 + b"\n")
    (folder / "text.sqlite").write_text("this is no database, whatever its name says. " * 100)
    (folder / "twice.json").write_text('{"session_types":[],"session_types":[]}')
    database = sqlite3.connect(folder / "newer.sqlite")
    database.execute("CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY)")
    database.execute("INSERT INTO grdb_migrations VALUES ('999: of a newer engine')")
    database.commit()
    taken = socket.create_server(("127.0.0.1", 0))
    cases = [
        (64, {"--port": "x"}, "port"), (64, {"--port": "65536"}, "port"), (64, {"--timeouts-scale": "0"}, "timeouts-scale"),
        (64, {"--timeouts-scale": "nan"}, "timeouts-scale"), (64, {"--log-level": "loud"}, "log-level"),
        (64, {"--nothing": "x"}, "nothing"), (64, {"--database": None}, "database"),
        (69, {"--port": str(taken.getsockname()[1])}, "127.0.0.1"),
        (74, {"--database": "/nowhere/engine.sqlite"}, "/nowhere"), (74, {"--database": folder / "text.sqlite"}, "text.sqlite"),
        (74, {"--database": folder / "newer.sqlite"}, "newer"), (74, {"--exports": folder / "secret" / "x"}, "secret"),
        (74, {"--database": folder / "engine.sqlite"}, "engine"),
        (78, {"--jwt-secret-file": folder / "none"}, "none"), (78, {"--jwt-secret-file": folder / "short"}, "31"),
        (78, {"--session-types": folder / "none"}, "none"), (78, {"--session-types": folder / "twice.json"}, "twice.json"),
    ]
    for code, changes, word in cases:
        options = [str(part) for pair in (good | changes).items() if pair[1] is not None for part in pair]
        done = subprocess.run([program, "serve", *options], capture_output=True, text=True, timeout=60)
        assert done.returncode == code, (changes, done)
        assert not done.stdout and word in done.stderr, (changes, done)
        assert code == 64 or done.stderr.count("\n") == 1, done.stderr
    for arguments in (["--help"], ["serve", "--help"], ["--version"]):
        assert subprocess.run([program, *arguments], capture_output=True, timeout=60).returncode == 0, arguments
    assert subprocess.run([program, "sing"], capture_output=True, timeout=60).returncode == 64
    print(f"{len(cases) + 4} command lines exit as they should")


def tokens(program, engine):
    """A token that the program prints is good until its time is over; one with a critical extension never is."""
    def status(text):
        request = urllib.request.Request(engine.base + "/session-types")
        request.add_header("authorization", "Bearer " + text)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code
    made = subprocess.run([program, "token", "--client", "saro", "--secret-file", engine.folder / "secret", "--for", "2s"],
                          capture_output=True, text=True, check=True).stdout.strip()
    assert status(made) == 200
    time.sleep(3)
    assert status(made) == 401
    claims = {"sub": "saro", "client_id": "saro", "exp": int(time.time()) + 60}
    assert status(sign(claims)) == 200
    for critical in (["b64"], ["exp"], [], None):
        assert status(sign(claims, {"alg": "HS256", "b64": True, "crit": critical})) == 401, critical
    print("a token is good for as long as it says")


def stopping(engine, backend):
    """SIGTERM ends open streams and leaves with 0; what had come is there afterwards."""
    backend.words, backend.pause = [f"{n} " for n in range(1000)], 0.1
    session, heard = engine.session(), []

    def listen():
        try:
            engine.send(session, "hi", heard)
        except OSError:
            pass
    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    while len(heard) < 5:
        time.sleep(0.05)
    begun = time.monotonic()
    engine.process.send_signal(signal.SIGTERM)
    thread.join(timeout=10)
    ended = time.monotonic() - begun
    assert engine.process.wait(timeout=15) == 0
    assert not thread.is_alive() and ended < 3, ended
    assert heard[-1]["type"] == "error", heard[-1]
    engine.start()
    stored = engine.call("GET", f"/sessions/{session}/messages")["messages"]
    assert len(stored) == 2 and not stored[1]["is_complete"]
    said = "".join(event["chunk"]["content"] for event in heard if event["type"] == "chunk")
    assert stored[1]["content"] == [{"type": "text", "text": said}], (said, stored[1])
    print(f"SIGTERM ends a stream in {ended:.2f} s, and nothing of it is lost")


def never_reading(engine, backend):
    """A client that never reads costs the engine at most what may wait for it, and nobody else anything."""
    backend.words, backend.pause = ["x" * 100_000] * 1_000, 0.0
    session = engine.session()
    body = json.dumps({"session_id": session, "content": "hi"}).encode()
    head = (f"POST /api/v1/messages/send HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token()}\r\n"
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n").encode()
    address = engine.base.split("/")[2].split(":")
    lazy = [socket.create_connection((address[0], int(address[1]))) for _ in range(5)]
    for one in lazy:
        one.sendall(head + body)
    time.sleep(4)
    with open(f"/proc/{engine.process.pid}/status", encoding="ascii") as status:
        memory = next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) >> 10
    assert memory < 600, f"{memory} MiB for 5 clients"
    backend.words = ("hel", "lo")
    heard = []
    engine.send(engine.session(), "hi", heard)
    assert heard[-1]["type"] == "complete"
    for one in lazy:
        one.close()
    for _ in range(200):
        stored = engine.call("GET", f"/sessions/{session}/messages")["messages"]
        if sum(message["role"] == "assistant" for message in stored) == 5:
            break
        time.sleep(0.1)
    assert sum(message["role"] == "assistant" and not message["is_complete"] for message in stored) == 5, len(stored)
    print(f"5 clients that never read: {memory} MiB, and the others are served")


def main(program):
    backend = Backend()
    engine = Engine(program, backend).start()
    refusals(program, engine)
    tokens(program, engine)
    stopping(engine, backend)
    never_reading(engine, backend)
    engine.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
