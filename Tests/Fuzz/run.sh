#!/usr/bin/env bash
# Runs fuzzers one after the other: run.sh SECONDS [TARGET…]. What breaks one is kept in .build/fuzz/found;
# once mended, the input goes to Tests/Fuzz/Found/TARGET, where every test run tries it again.
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=$1
shift
fuzzer=.build/fuzz/release/chat-fuzz
[ $# -gt 0 ] || set -- $($fuzzer)
export SWIFT_BACKTRACE=enable=no  # or the process ends before libFuzzer has kept the input
failed=0
for target; do
    corpus=.build/fuzz/corpus/$target found=.build/fuzz/found/$target log=.build/fuzz/$target.log
    mkdir -p "$corpus" "$found"
    FUZZ=$target FUZZ_SEEDS=$corpus $fuzzer
    if FUZZ=$target $fuzzer -max_total_time="$seconds" -max_len=4096 -timeout=10 -rss_limit_mb=2048 \
        -artifact_prefix="$found/" -print_final_stats=1 "$corpus" >"$log" 2>&1; then
        runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
        echo "$target: $runs inputs, $(ls "$corpus" | wc -l) kept, nothing found"
    else
        failed=1
        echo "$target: FAILED, see $log and $found:"
        grep -E 'Fatal error|SUMMARY|ERROR: libFuzzer|Test unit written' "$log" | head -5 || tail -5 "$log"
    fi
done
exit $failed
