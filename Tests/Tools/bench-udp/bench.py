#!/usr/bin/env python3
"""Compares the UDP delivery service with a bare relay loop and with nats-server: `make bench-udp`.

Usage: bench.py DIRECTORY-OF-PROGRAMS [--rounds N] [--sizes 64,1024] [--subscribers 1,8] [--json]

Relay, publisher and subscribers are processes of their own, on loopback. The systems take turns, round by round, so
that all see the same machine; medians of the rounds count. What is not installed (nats-server, libnats-dev) is left
out. Exit code 0 whatever the figures are: they belong to a machine and its load, which are printed.
"""
import argparse
import glob
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
# Payloads of a round: half a second or more for the slowest system.
COUNTS = {64: 120_000, 256: 100_000, 1_024: 60_000, 16_384: 8_000, 262_144: 600}
PACED = 400
LIMIT = 120


class Failed(Exception):
    """A round that did not come to its end; the row says so."""


def processor(pid):
    """Nanoseconds of processor time of a process and its threads."""
    total = 0
    for path in glob.glob(f"/proc/{pid}/task/*/schedstat"):
        try:
            total += int(Path(path).read_text().split()[0])
        except (OSError, IndexError):
            pass  # the thread has ended
    return total


class System:
    """One relay with its clients."""

    def __init__(self, name, start, publisher, subscriber):
        self.name, self.publisher, self.subscriber = name, publisher, subscriber
        self.relay, self.address = start()

    def round(self, size, subscribers, count, paced):
        listening = [
            subprocess.Popen(self.subscriber(self.address, size, count, index), stdout=subprocess.PIPE, text=True)
            for index in range(subscribers)
        ]
        publisher = subprocess.Popen(
            self.publisher(self.address, size, count, subscribers) + (["--paced"] if paced else []),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        everybody = [publisher] + listening
        try:
            for one in listening:
                if one.stdout.readline().strip() != "ready":
                    raise Failed("a subscriber did not start")
            before = processor(self.relay.pid)
            said, _ = publisher.communicate("go\n", timeout=LIMIT)
            start, _, spent = (int(word) for word in said.split())
            results = [[int(word) for word in one.communicate(timeout=LIMIT)[0].split()] for one in listening]
            relay = processor(self.relay.pid) - before
        except (subprocess.TimeoutExpired, ValueError) as error:
            raise Failed(f"{self.name}: {type(error).__name__}") from None
        finally:
            for one in everybody:
                if one.poll() is None:
                    one.kill()
                one.wait()
        received = sum(result[5] if len(result) > 5 else count for result in results)
        if received == 0:
            raise Failed("nothing arrived")
        time_taken = max(result[1] for result in results) - start
        return {
            "rate": received * 1e9 / time_taken, "lost": 1 - received / (count * subscribers),
            "median": statistics.median(result[3] for result in results), "p99": max(result[4] for result in results),
            "relay": relay / received, "all": (relay + spent + sum(result[2] for result in results)) / received,
        }

    def stop(self):
        self.relay.send_signal(signal.SIGTERM)
        try:
            self.relay.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.relay.kill()


OURS = {"plain": ["--plain"], "sealed": []}


def ours(programs, name):
    def start():
        relay = subprocess.Popen(
            [programs / "chat-relay", "--listen", "127.0.0.1:0", "--retain-count", "200000", "--retain-bytes",
             str(64 << 20), "--total-bytes", str(128 << 20), *OURS[name]],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        return relay, relay.stdout.readline().split()[-1]

    def role(which, address, size, count):
        return [programs / "chat-bench", "udp-role", which, address, str(size), str(count)]

    return System(
        name, start, lambda address, size, count, _: role("publish", address, size, count),
        lambda address, size, count, _: role("subscribe", address, size, count))


def bare(built):
    def start():
        relay = subprocess.Popen([built / "bare", "relay"], stdout=subprocess.PIPE, text=True)
        return relay, relay.stdout.readline().strip()

    return System(
        "bare", start,
        lambda port, size, count, subscribers: [built / "bare", "publish", port, str(size), str(count), str(subscribers)],
        lambda port, size, count, index: [built / "bare", "subscribe", port, str(size), str(count), str(index)])


def nats(built, server):
    def start():
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        configuration = built / "nats.conf"
        configuration.write_text(f"listen: 127.0.0.1:{port}\nmax_pending: 1GB\nwrite_deadline: 60s\n")
        process = subprocess.Popen([server, "-c", configuration], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                time.sleep(0.05)
        return process, f"nats://127.0.0.1:{port}"

    return System(
        "nats", start, lambda url, size, count, _: [built / "nats", "publish", url, str(size), str(count)],
        lambda url, size, count, _: [built / "nats", "subscribe", url, str(size), str(count)])


def compiled(source, folder, *libraries):
    """Builds a small C program; false where that is not possible."""
    command = [os.environ.get("CC", "cc"), "-O2", "-o", folder / source.stem, source, *libraries]
    return shutil.which(command[0]) and subprocess.run(command, stderr=subprocess.DEVNULL).returncode == 0


def measure(systems, size, subscribers, rounds):
    """Figures of each system: medians of rounds in which the systems take turns."""
    found = {system.name: {"fast": [], "paced": []} for system in systems}
    count = max(50, COUNTS.get(size, max(100, 100_000_000 // size)) // (1 if subscribers == 1 else 3))
    for system in systems:  # memory that later rounds find
        try:
            system.round(size, subscribers, max(50, count // 2), False)
        except Failed:
            pass
    for number in range(rounds):
        for system in systems[number % len(systems):] + systems[:number % len(systems)]:
            for kind, payloads in (("fast", count), ("paced", PACED)):
                try:
                    found[system.name][kind].append(system.round(size, subscribers, payloads, kind == "paced"))
                except Failed as failure:
                    print(f"  {size} B to {subscribers}, {system.name}, {kind}: {failure}", file=sys.stderr)
    figures = {}
    for name, kinds in found.items():
        def middle(kind, key):
            values = [one[key] for one in kinds[kind]]
            return statistics.median(values) if values else None
        figures[name] = {
            "payloads/s": middle("fast", "rate"), "lost": middle("fast", "lost"), "relay-ns": middle("fast", "relay"),
            "all-ns": middle("fast", "all"), "median-ns": middle("paced", "median"), "p99-ns": middle("paced", "p99"),
        }
    return figures


def ratio(figures, own, other, key="payloads/s"):
    mine, theirs = figures[own][key], figures.get(other, {}).get(key)
    return mine / theirs if mine and theirs else None


def shown(value, digits=0, scale=1.0):
    return "-" if value is None else f"{value / scale:,.{digits}f}"


def report(size, subscribers, figures):
    for name, one in figures.items():
        line = (f"{size:>7} B  1 to {subscribers}  {name:<6}{shown(one['payloads/s']):>12} payloads/s"
                f"{shown(one['payloads/s'] and one['payloads/s'] * size, 1, 1e6):>9} MB/s"
                f"  latency {shown(one['median-ns'], 0, 1e3):>6} us, p99 {shown(one['p99-ns'], 0, 1e3):>7} us"
                f"  processor {shown(one['relay-ns']):>8} ns relay, {shown(one['all-ns']):>8} ns all")
        if one["lost"] and one["lost"] > 0.0005:
            line += f"  lost {100 * one['lost']:.1f} %"
        if name in OURS:
            line += (f"  ratio-to-nats {shown(ratio(figures, name, 'nats'), 2)}"
                     f"  ratio-to-bare {shown(ratio(figures, name, 'bare'), 2)}")
        print(line, flush=True)


def shortfalls(size, subscribers, figures):
    """What is below its mark, as sentences."""
    for name in OURS:
        row = f"{size} B, 1 to {subscribers}, {name}"
        to_nats, to_bare = ratio(figures, name, "nats"), ratio(figures, name, "bare")
        if figures[name]["payloads/s"] is None:
            yield f"{row}: no round came to its end"
        if to_nats is not None and to_nats < 1:
            yield f"{row}: {to_nats:.2f} of the broker's payloads/s (in plain); at least 1 wanted"
        if size >= 262_144 and to_bare is not None and to_bare < 0.6:
            yield f"{row}: {to_bare:.2f} of the bare loop's bytes; at least 0.60 wanted"
        late = ratio(figures, name, "bare", "median-ns")
        if late is not None and late > 2:
            yield f"{row}: median latency {late:.1f} times the bare loop's; at most 2 wanted"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("programs", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sizes", default="64,256,1024,16384,262144")
    parser.add_argument("--subscribers", default="1,8")
    parser.add_argument("--json", action="store_true", help="a JSON object for each row instead of a table")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        built, systems = Path(folder), [ours(options.programs.resolve(), name) for name in OURS]
        server = shutil.which("nats-server") or shutil.which("nats-server", path="/usr/sbin:/usr/local/sbin")
        if compiled(HERE / "bare.c", built):
            systems.append(bare(built))
        if server and compiled(HERE / "nats.c", built, "-lnats"):
            systems.append(nats(built, server))
        else:
            print("without a broker: install nats-server and libnats-dev (Debian) to compare", file=sys.stderr)
        load = os.getloadavg()[0]
        print(f"{os.cpu_count()} processors, load {load:.1f} at the start, {options.rounds} rounds", file=sys.stderr)
        short = []
        try:
            for subscribers in (int(word) for word in options.subscribers.split(",")):
                for size in (int(word) for word in options.sizes.split(",")):
                    figures = measure(systems, size, subscribers, options.rounds)
                    short += shortfalls(size, subscribers, figures)
                    if options.json:
                        print(json.dumps({"size": size, "subscribers": subscribers, **figures}), flush=True)
                    else:
                        report(size, subscribers, figures)
        finally:
            for system in systems:
                system.stop()
        print(f"load {os.getloadavg()[0]:.1f} at the end", file=sys.stderr)
        print("falls short:" if short else "nothing falls short", file=sys.stderr)
        for line in short:
            print(f"  {line}", file=sys.stderr)


if __name__ == "__main__":
    main()
