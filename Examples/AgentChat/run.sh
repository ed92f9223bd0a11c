#!/usr/bin/env bash
# Starts the service, and opens its page where there is a browser to open it with. Stops with Control-C.
set -euo pipefail
coproc SERVICE { exec .build-examples/debug/agent-chat serve "$@" 2>>.build-examples/agent-chat.log; }
service=$SERVICE_PID
trap 'kill "$service" 2>/dev/null || true' INT TERM
read -r address <&"${SERVICE[0]}" || { tail -3 .build-examples/agent-chat.log >&2; wait "$service"; exit 1; }
echo "Agent chat is at $address (the log is in .build-examples/agent-chat.log; Control-C stops it)"
opener=$(command -v xdg-open || command -v open || true)
[ -z "$opener" ] || [ -z "${DISPLAY:-}${WAYLAND_DISPLAY:-}$([ "$(uname)" = Darwin ] && echo yes)" ] ||
  "$opener" "$address" >/dev/null 2>&1 || true
wait "$service" || wait "$service"
