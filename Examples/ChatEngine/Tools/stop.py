#!/usr/bin/env python3
"""SIGTERM while connections arrive and streams run, again and again: the engine leaves with 0 each time.

Usage: stop.py PROGRAM [ROUNDS]
"""

import socket
import sys
import threading
import time

from engine import Backend, Engine

CALLERS, STREAMS = 4, 10


def call(address, is_over):
    """Opens connections as fast as they are taken; some ask for something, some say nothing, some leave at once."""
    waiting, number = [], 0
    while not is_over.is_set():
        number += 1
        try:
            connection = socket.create_connection(address, timeout=5)
            if number % 3 == 0:
                connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: engine\r\n\r\n")
            if number % 3 == 1:
                connection.close()
            else:
                waiting = waiting[-20:] + [connection]
        except OSError:
            time.sleep(0.001)


def stream(engine, session):
    try:
        engine.send(session, "hi", [])
    except (OSError, ValueError):
        pass  # the engine has stopped


def main(program, rounds=20):
    engine = Engine(program, Backend(words=[f"{n} " for n in range(400)], pause=0.05))
    slowest = 0.0
    for number in range(rounds):
        engine.start()
        is_over = threading.Event()
        host, port = engine.root.removeprefix("http://").split(":")
        sessions = [engine.session() for _ in range(STREAMS)]
        threads = [threading.Thread(target=call, args=((host, int(port)), is_over)) for _ in range(CALLERS)]
        threads += [threading.Thread(target=stream, args=(engine, session)) for session in sessions]
        for thread in threads:
            thread.start()
        time.sleep(0.1 + number % 5 * 0.05)
        start = time.monotonic()
        try:
            engine.stop()
        finally:
            is_over.set()
        slowest = max(slowest, time.monotonic() - start)
        for thread in threads:
            thread.join(timeout=60)
    print(f"SIGTERM under load, {rounds} times: always 0, the slowest within {slowest:.2f} s")


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
