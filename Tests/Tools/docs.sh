#!/usr/bin/env bash
# Builds the documentation of every library product into .build/docs, without a plug-in, and the two walks of the
# architecture as articles; a broken link is an error.
set -euo pipefail
cd "$(dirname "$0")/../.."
docc=$(command -v docc || command -v "$(dirname "$(readlink -f "$(command -v swift)")")/docc") || {
    echo "docc is missing: it comes with the Swift toolchain" >&2
    exit 1
}
# In the order in which they stand on each other, so that links into another module resolve.
modules=$(swift package describe --type json | python3 -c '
import json, sys
package = json.load(sys.stdin)
libraries = {t for p in package["products"] if "library" in p["type"] for t in p["targets"]}
needs = {t["name"]: set(t.get("target_dependencies", [])) & libraries for t in package["targets"] if t["name"] in libraries}
done = []
while needs:
    ready = sorted(name for name in needs if needs[name] <= set(done))
    done += ready
    for name in ready: del needs[name]
print(*done)')
swift package dump-symbol-graph --minimum-access-level public --skip-synthesized-members >/dev/null
graphs=$(dirname "$(swift build --show-bin-path)")/symbolgraph
out=.build/docs
rm -rf "$out" && mkdir -p "$out"
archives=()
for module in $modules; do
    mkdir -p "$out/graphs/$module"
    cp "$graphs/$module".symbols.json "$graphs/$module"@*.symbols.json "$out/graphs/$module" 2>/dev/null || true
    catalog=$(find Sources -type d -path "*/$module/*.docc" -prune | head -n 1)
    docc convert ${catalog:+"$catalog"} --fallback-display-name "$module" --fallback-bundle-identifier "chat-framework.$module" \
        --additional-symbol-graph-dir "$out/graphs/$module" --output-path "$out/$module.doccarchive" \
        --enable-experimental-external-link-support "${archives[@]}" --warnings-as-errors
    archives+=(--dependency "$out/$module.doccarchive")
    echo "$module: $(find "$out/$module.doccarchive/data" -name '*.json' | wc -l) pages"
done
# shellcheck disable=SC2086
python3 Tests/Tools/docs_articles.py Specs/architecture.md "$out/graphs" "$out/ChatFramework.docc" $modules
docc convert "$out/ChatFramework.docc" --fallback-display-name chat-framework --fallback-bundle-identifier chat-framework \
    --output-path "$out/ChatFramework.doccarchive" \
    --enable-experimental-external-link-support "${archives[@]}" --warnings-as-errors
echo "articles: $(find "$out/ChatFramework.doccarchive/data" -name '*.json' | wc -l) pages"
