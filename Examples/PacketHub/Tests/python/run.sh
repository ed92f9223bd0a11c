#!/usr/bin/env bash
# Runs the tests in Python against the program that was built.
set -euo pipefail
cd "$(dirname "$0")"
root=$(cd ../../../.. && pwd)
venv=$root/.build-examples/packet-venv
"$venv/bin/python" -c 'import grpc, grpc_tools, cryptography' 2>/dev/null ||
  { python3 -m venv "$venv" && "$venv/bin/pip" install -q -r requirements.txt; } ||
  { rm -rf "$venv"; echo "no Python environment: install python3-venv (Debian)" >&2; exit 1; }
"$venv/bin/python" -m unittest test_hub test_programs
"$root/Examples/PacketHub/Tools/demo.sh" "$root/.build-examples/debug/packet-hub" >/dev/null
