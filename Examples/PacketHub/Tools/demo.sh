#!/usr/bin/env bash
# A hub and two steps: Saro and Raya chat, Raya is killed in the middle, and finds what she missed when she is back.
# Usage: demo.sh PROGRAM
set -euo pipefail
program=$1
folder=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait 2>/dev/null; rm -rf "$folder"' EXIT

# Waits until a file has a number of lines that match, half a minute at most.
await() {
    for _ in $(seq 300); do
        [ "$(grep -c -- "$2" "$1" 2>/dev/null || true)" -ge "$3" ] && return
        sleep 0.1
    done
    echo "no ${3} lines with \"$2\" in $1" >&2 && return 1
}

touch "$folder/saro" "$folder/raya" "$folder/log"
"$program" serve --port 0 --route saro:raya --route raya:saro > "$folder/hub" 2>> "$folder/log" &
await "$folder/hub" '^listening on ' 1
hub=$(sed -n 's/^listening on //p' "$folder/hub")
mkfifo "$folder/saro-types" "$folder/raya-types"
exec 3<> "$folder/saro-types" 4<> "$folder/raya-types"
start() { "$program" step chat --stay --step "$1" --hub "$hub" < "$folder/$1-types" >> "$folder/$1" 2>> "$folder/log" & }
say() {
    echo "$1: $3" >&2
    echo "$3" >&"$2"
}

start saro
start raya && raya=$!
say saro 3 "The sun was shining on the sea"
await "$folder/raya" 'shining on the sea' 1
say raya 4 "Shining with all his might"
await "$folder/saro" 'all his might' 1
kill -9 "$raya" && wait "$raya" 2>/dev/null || true
echo "---- raya is killed (kill -9) ----" >&2
say saro 3 "He did his very best to make"
say saro 3 "The billows smooth and bright"
sleep 1
start raya
echo "---- raya is back ----" >&2
await "$folder/raya" 'smooth and bright' 1
say raya 4 "And this was odd, because it was"
await "$folder/saro" 'this was odd' 1
say saro 3 "The middle of the night"
await "$folder/raya" 'middle of the night' 1

echo && echo "raya received:" && sed 's/^/    /' "$folder/raya"
echo "saro received:" && sed 's/^/    /' "$folder/saro"
lines=$(sort "$folder/raya" "$folder/saro" | uniq | wc -l)
twice=$(sort "$folder/raya" "$folder/saro" | uniq -d | wc -l)
echo && echo "6 lines sent, $lines received, $((6 - lines)) missing, $twice twice"
[ "$lines" = 6 ] && [ "$twice" = 0 ]
