#!/usr/bin/env bash
# Runs the tests in Python; those of the page need a browser, and are counted as left out where none can be installed.
set -euo pipefail
cd "$(dirname "$0")"
root=$(cd ../../../.. && pwd)
venv=$root/.build-examples/venv
"$venv/bin/python" -c 'import websockets, selenium' 2>/dev/null ||
  { python3 -m venv "$venv" && "$venv/bin/pip" install -q -r requirements.txt; } ||
  { rm -rf "$venv"; echo "no Python environment: install python3-venv (Debian)" >&2; exit 1; }

vectors=$root/../shared/vectors/agent-chat
if command -v node >/dev/null && [ -d "$vectors" ]; then
  node page_rules.js ../../Sources/AgentChatServer/Page/protocol.js "$vectors/tool.json" "$vectors/fold.json"
else
  echo "left out: the page's rules against the vectors, because there is no node, or no $vectors"
fi

hasBrowser() { command -v chromium >/dev/null && command -v chromedriver >/dev/null; }
hasBrowser || { apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium chromium-driver; } \
  >/dev/null 2>&1 || true

"$venv/bin/python" -m unittest test_protocol test_hostile test_load test_hour test_programs
if hasBrowser; then
  "$venv/bin/python" -m unittest test_page
  echo "screenshots: $root/.build-examples/pictures"
else
  echo "left out: $(grep -c '    def test_' test_page.py) tests of the page, because chromium and chromedriver cannot be installed"
fi
