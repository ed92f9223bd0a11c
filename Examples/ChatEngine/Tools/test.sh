#!/usr/bin/env bash
# All tests of the Chat Engine server, once it is built. A part that cannot be installed is skipped, and counted.
set -euo pipefail
cd "$(dirname "$0")/../../.."
server=(--package-path Examples/ChatEngine --scratch-path .build-examples)
program="$(swift build "${server[@]}" --show-bin-path)/chat-engine"
exchanges=$(mktemp)
trap 'rm -f "$exchanges"' EXIT
skipped=0

python=.build-examples/python
if ! "$python/bin/python3" -c 'import schemathesis, jsonschema, selenium, requests' 2>/dev/null; then
    python3 -m venv "$python" && "$python/bin/pip" install -q -r Examples/ChatEngine/Tools/requirements.txt
fi

# One after another: some of the tests keep every processor busy, others wait.
CHAT_ENGINE_EXCHANGES=$exchanges swift test --no-parallel --skip-build "${server[@]}"
"$python/bin/python3" Examples/ChatEngine/Tools/exchanges.py "$exchanges"
"$python/bin/python3" Examples/ChatEngine/Tools/cases.py "$program"
"$python/bin/python3" Examples/ChatEngine/Tools/command.py "$program"
"$python/bin/python3" Examples/ChatEngine/Tools/kill9.py "$program"
"$python/bin/python3" Examples/ChatEngine/Tools/stop.py "$program"
"$python/bin/python3" Examples/ChatEngine/Tools/describe.py "$program"
if command -v chromium >/dev/null && command -v chromedriver >/dev/null ||
    { [ "$(id -u)" = 0 ] && apt-get update -qq && apt-get install -y -qq chromium chromium-driver; } >/dev/null 2>&1; then
    "$python/bin/python3" Examples/ChatEngine/Tools/page.py "$program"
else
    skipped=$((skipped + 1))
    echo "skipped: the page in a browser; chromium and chromium-driver (Debian) cannot be installed"
fi
echo "chat-engine-test: done, $skipped parts skipped"
