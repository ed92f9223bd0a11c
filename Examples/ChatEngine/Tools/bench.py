#!/usr/bin/env python3
"""How fast the engine is, next to a bare proxy of the same streams in the same run. Usage: bench.py FOLDER

FOLDER has the programs `chat-engine` and `chat-engine-bench`, optimized. Exits with 1 where a figure is missed.
"""

import json
import os
import pathlib
import sqlite3
import statistics
import subprocess
import sys
import time
import uuid

from engine import Backend, Engine, token

TICK = os.sysconf("SC_CLK_TCK")
# Each is its own stem.
WORDS = "oyster sand sea sun moon ship shoe wax king pig wing boot bread pepper vinegar".split()
missed = []


def figure(name, value, unit, limit=None, at_least=False):
    is_missed = limit is not None and (value < limit if at_least else value > limit)
    bound = "at least" if at_least else "at most"
    bound = "" if limit is None else f"   ({bound} {limit:g}{', MISSED' if is_missed else ''})"
    print(f"  {name:<58}{value:>12.3f} {unit}{bound}", flush=True)
    if is_missed:
        missed.append(name)


class Process:
    """A server of the benchmark, and what the kernel says of any process."""

    def __init__(self, *command):
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().split()[2]

    def end(self):
        self.process.terminate()
        self.process.wait(timeout=30)


def processor(pid):
    """Seconds of processor time so far."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")")[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def memory(pid, key="VmRSS"):
    """MiB."""
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(key)) / 1024


def reset_peak(pid):
    pathlib.Path(f"/proc/{pid}/clear_refs").write_text("5")


def ask(client, url, sessions, count, pause, pid, *options):
    """Streams, and the seconds of processor time that a server took for them."""
    before = processor(pid)
    done = subprocess.run(
        [client, "client", "--url", url, "--token", token(), "--count", str(count), "--pause", str(pause), *options,
         "--", *sessions], capture_output=True, text=True, check=True)
    return json.loads(done.stdout), processor(pid) - before


def streams(program, engine, backend):
    proxy = Process(program, "proxy", backend.url)
    pids = {"proxy": proxy.process.pid, "engine": engine.process.pid}
    urls = {"proxy": proxy.url, "engine": engine.base + "/messages/send"}

    def both(streams, count, pause, in_turn=False, rounds=1):
        """The same from either, turn by turn: the medians of the rounds."""
        heard = {"proxy": [], "engine": []}
        for _ in range(rounds):
            for name in heard:
                sessions = [engine.session() for _ in range(streams)]
                options = ["--at-once", "1"] if in_turn else []
                result, seconds = ask(program, urls[name], sessions, count, pause, pids[name], *options)
                assert result["complete"] == streams and result["chunks"] == streams * count, result
                result["cpu"] = seconds * 1_000 / result["chunks"]
                heard[name].append(result)
        return {name: {key: [statistics.median(r[key][n] for r in runs) for n in (0, 1)]
                       for key in ("asked", "first", "chunk")}
                | {key: statistics.median(r[key] for r in runs) for key in ("cpu", "seconds")}
                for name, runs in heard.items()}

    def difference(values):
        return values["engine"]["cpu"] - values["proxy"]["cpu"]

    def compare(title, key, values, limits=(None, None)):
        for rank, name, limit in ((0, "p50", limits[0]), (1, "p99", limits[1])):
            proxied, engined = values["proxy"][key][rank], values["engine"][key][rank]
            print(f"  {title + ', ' + name:<46} proxy {proxied:8.3f} ms, engine {engined:8.3f} ms")
            figure("    more than the proxy", engined - proxied, "ms", limit)

    both(1, 200, 0)
    print("200 streams in turn, 5 chunks each")
    values = both(200, 5, 0, in_turn=True)
    compare("request to first chunk", "asked", values)
    compare("backend's first chunk to client's", "first", values, (1, 200))
    print("one stream, 2,000 chunks a millisecond apart, three times")
    values = both(1, 2_000, 1_000, rounds=3)
    compare("a chunk", "chunk", values, (1, 10))
    figure("processor time of a chunk, more than the proxy", difference(values), "ms", 0.2)
    print("one stream, 100,000 chunks as fast as they come")
    reset_peak(pids["engine"])
    before = memory(pids["engine"])
    values = both(1, 100_000, 0)
    for name in values:
        figure(f"chunks a second, {name}", 100_000 / values[name]["seconds"], "/s")
    figure("processor time of a chunk, more than the proxy", difference(values), "ms", 0.2)
    figure("memory for it at its peak", memory(pids["engine"], "VmHWM") - before, "MiB", 100)
    for count in (200, 1_000):
        print(f"{count} streams at once, 20 chunks each, 100 ms apart")
        reset_peak(pids["engine"])
        before = memory(pids["engine"])
        values = both(count, 20, 100_000)
        compare("a chunk", "chunk", values)
        figure("memory for a stream at its peak", (memory(pids["engine"], "VmHWM") - before) / count * 1024, "KiB")
    proxy.end()


def storing(program, engine):
    """Messages stored, each commit on disk; and what the disk does alone."""
    print("messages stored, 64 streams of one chunk at once, in 640 sessions")
    path, count = engine.folder / "sync", 0
    with open(path, "wb") as file:
        begun = time.monotonic()
        while time.monotonic() - begun < 2:
            file.write(b"x" * 4096)
            file.flush()
            os.fsync(file.fileno())
            count += 1
    figure("4 KiB written and synced, the disk alone", count / 2, "/s")
    sessions = [engine.session() for _ in range(640)]
    result, used = ask(program, engine.base + "/messages/send", sessions, 1, 0, engine.process.pid,
                       "--at-once", "64", "--seconds", "8")
    assert result["complete"] == result["chunks"], result
    stored = 2 * result["complete"]
    figure("messages stored", stored / result["seconds"], "/s", 1_000, at_least=True)
    figure("processor time of a message", used * 1_000 / stored, "ms")


def fill(path, session):
    """Makes of one stored session a hundred, each a path of a thousand messages, as rows of the same form."""
    database = sqlite3.connect(path)
    client, body = database.execute("SELECT client, body FROM sessions WHERE id = ?", [session]).fetchone()
    pair = database.execute("SELECT id, body FROM messages WHERE session = ? ORDER BY number", [session]).fetchall()

    def fresh(old):
        return "~".join([*old.split("~")[:-1], str(uuid.uuid4())])

    for number in range(100):
        new, parent = fresh(session), None
        database.execute("INSERT INTO sessions VALUES (?, ?, ?)", [new, client, exchange(body, {session: new})])
        for place in range(1_000):
            old, text = pair[place % 2]
            id = fresh(old)
            said = " ".join(WORDS[(place * step + number) % len(WORDS)] for step in range(1, 12))
            said += f" w{number}x{place}"
            changes = {session: new, old: id, "walrus": said}
            if place % 2:
                changes[pair[0][0]] = parent
            elif parent:
                changes['"parent_message_id":null'] = f'"parent_message_id":"{parent}"'
            row = database.execute(
                "INSERT INTO messages (id, session, parent, variant_index, is_active, is_hidden_from_user, "
                "is_hidden_from_llm, body) VALUES (?, ?, ?, 0, 1, 0, 0, ?)",
                [id, new, parent, exchange(text, changes)]).lastrowid
            database.execute("INSERT INTO search (rowid, stems) VALUES (?, ?)", [row, said])
            parent = id
    database.commit()
    database.close()
    return new


def exchange(body, changes):
    for old, new in changes.items():
        body = body.replace(old.encode(), new.encode())
    return body


def searching(program, backend):
    print("search among 100,000 messages, 100 sessions of one client")
    engine = Engine(program, backend).start()
    session = engine.session()
    engine.send(session, "walrus", [])
    engine.stop()
    filled = fill(engine.folder / "engine.sqlite", session)
    engine.start()
    for title, query in (("a rare word", "w99x500"), ("a common word", "oyster"), ("three words", "oyster+sand+kings")):
        for place, path, limit in (("a session", f"/sessions/{filled}/search?query={query}", 1_000),
                                   ("all", f"/search?query={query}", 3_000)):
            times = []
            for _ in range(7):
                begun = time.monotonic()
                total = engine.call("GET", path)["total"]
                times.append((time.monotonic() - begun) * 1_000)
            figure(f"{title}, {place} ({total} found)", statistics.median(times), "ms", limit)
    engine.stop()


def main(folder):
    program, parts = f"{folder}/chat-engine", f"{folder}/chat-engine-bench"
    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f} before the run")
    backend = Process(parts, "backend")
    # What is measured is never cut.
    engine = Engine(program, backend, options=["--log-level", "error", "--timeouts-scale", "30"]).start()
    streams(parts, engine, backend)
    storing(parts, engine)
    engine.stop()
    searching(program, Backend(words=["walrus"]))
    backend.end()
    print(f"load {os.getloadavg()[0]:.1f} after it; missed: {', '.join(name.strip() for name in missed) or 'nothing'}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
