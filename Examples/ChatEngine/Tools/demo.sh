#!/usr/bin/env bash
# Starts an engine and a backend, and shows a conversation with a branch and two variants. Usage: demo.sh PROGRAM
set -euo pipefail
program=$1
folder=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait; rm -rf "$folder"' EXIT

# Waits for the line that says where a program listens, half a minute at most.
address() {
    for _ in $(seq 300); do
        if [ -s "$1" ]; then sed -n 's/^listening on //p' "$1" && return; fi
        sleep 0.1
    done
    echo "$1: nothing listens" >&2 && return 1
}

head -c 48 /dev/urandom | base64 > "$folder/secret"
"$program" backend --port 0 > "$folder/backend" &
hook=$(address "$folder/backend")
cat > "$folder/types.json" <<TYPES
{"session_types": [{"session_type_id": "gts.hyperspot.chat_engine.session_types.echo.v1~", "name": "Echo",
  "webhook_url": "$hook", "capabilities": [], "summarization_settings": {"enabled": true}}]}
TYPES
"$program" serve --port 0 --database "$folder/engine.sqlite" --jwt-secret-file "$folder/secret" \
    --session-types "$folder/types.json" --log-level warning > "$folder/engine" &
engine=$(address "$folder/engine")
token=$("$program" token --client saro --secret-file "$folder/secret")

while IFS= read -r line; do
    echo "> $line" >&2
    echo "$line"
    sleep 1
done <<'LINES' | "$program" talk "$engine" --token "$token"
What is the sun doing?
And the moon?
/again 2
/variants 2
/branch 1 And the oysters?
/list
/search moon
/summary
/quit
LINES
