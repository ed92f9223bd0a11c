#!/usr/bin/env python3
"""Runs the parity benchmarks next to zfec (pip install zfec) and prints the ratios.

Usage: parity_vs_zfec.py PATH-TO-CHAT-BENCH

Both code 128 shards of data with 16 of parity, and give back 16 lost ones. The codes differ (zfec's is a
systematic Vandermonde code over another GF(2^8)); what they do for the user is the same.
"""
import json
import os
import subprocess
import sys
import time

try:
    import zfec
except ImportError:
    print("zfec is not installed (pip install zfec); the comparison is left out")
    sys.exit(0)

DATA, PARITY = 128, 16


def measure(body, size):
    count, best = 1, 0.0
    while True:
        start = time.thread_time()
        for _ in range(count):
            body()
        elapsed = time.thread_time() - start
        if elapsed > 0.1:
            break
        count *= 2
    for _ in range(7):
        start = time.thread_time()
        for _ in range(count):
            body()
        elapsed = time.thread_time() - start
        best = max(best, count * DATA * size / 2**20 / elapsed)
    return best


def rows(size):
    shards = [os.urandom(size) for _ in range(DATA)]
    encoder, decoder = zfec.Encoder(DATA, DATA + PARITY), zfec.Decoder(DATA, DATA + PARITY)
    numbers = list(range(DATA, DATA + PARITY))
    parity = encoder.encode(shards, numbers)
    received, where = list(parity) + shards[PARITY:], numbers + list(range(PARITY, DATA))
    assert decoder.decode(received, where) == shards
    yield f"parity/encode/{size}", measure(lambda: encoder.encode(shards, numbers), size)
    yield f"parity/recover/{size}", measure(lambda: decoder.decode(received, where), size)


def ours():
    command = [sys.argv[1], "--json", "--filter", "parity/"]
    for line in subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines():
        row = json.loads(line)
        yield row["name"], row["MiB/s"]


if len(sys.argv) != 2:
    sys.exit(__doc__)
own = dict(ours())
for size in (1024, 65536):
    for name, theirs in rows(size):
        print(f"{name:<36}MiB/s {own[name]:.0f}  zfec {theirs:.0f}  ratio {own[name] / theirs:.1f}")
