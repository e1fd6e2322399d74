#!/usr/bin/env bash
# The conformance suite in server mode, once for each revision, direct and through mcpfw with a policy that allows everything: the same
# checks must come to the same end, and all of them succeed.
#
#   tests/interop/conformance.sh [MCPFW]    through the binary MCPFW (default: target/release/mcpfw, else target/debug/mcpfw)
#
# Needs what run.sh needs. The last line is `N checks, N succeed direct, N differ`.
set -uo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
find_mcpfw "${1-}"

# Runs the suite for revision $2 against $1; prints a line for each check: its scenario, id and end, and what is wrong. Folder $3 keeps
# what the suite says.
checks() {
  local out="$work/$3"
  mkdir -p "$out"
  (cd "$out" && timeout 120 node --import "$here/conformance-node20.mjs" \
    "$here/node_modules/@modelcontextprotocol/conformance/dist/index.js" \
    server --url "$1" --suite all --spec-version "$2" --output-dir "$out" >"$out.log" 2>&1)
  node -e '
    const fs = require("fs"), path = require("path");
    for (const run of fs.readdirSync(process.argv[1]).sort()) {
      const file = path.join(process.argv[1], run, "checks.json");
      if (!fs.existsSync(file)) continue;
      // The name of a folder ends in the time of the run.
      const scenario = run.replace(/-?\d{4}-\d{2}-\d{2}T.*$/, "");
      for (const { id, status, errorMessage } of JSON.parse(fs.readFileSync(file)))
        console.log(`${process.argv[2]} ${scenario} ${id} ${status}${status === "FAILURE" ? ` (${errorMessage})` : ""}`);
    }' "$out" "$2" | sort
}

install
mkdir "$work/open"
printf '[[allow]]\nname = "all"\neverything = true\n' >"$work/open/open.toml"
start_conformance_server
direct=$url
count=0 succeed=0 differ=0
for revision in 2025-11-25 2026-07-28; do
  # What mcpfw says of revisions is what its operator said of the server: its `server/discover` names the modern one alone.
  served='' && [ "$revision" = 2026-07-28 ] && served='revisions = ["2026-07-28"]'
  start_mcpfw "$direct" "$work/open" "$served
elicitation_hosts = [\"*\"]"
  through=$url
  # And where every request of the server is looked at.
  start_mcpfw "$direct" "$work/open" "$served"
  inspected=$url
  for way in direct through inspected; do checks "${!way}" "$revision" "$way-$revision" >"$work/$way.txt"; done
  for way in through inspected; do
    diff "$work/direct.txt" "$work/$way.txt" || differ=$((differ + $(diff "$work/direct.txt" "$work/$way.txt" | grep -c '^[<>]')))
  done
  grep FAILURE "$work/direct.txt"
  count=$((count + $(wc -l <"$work/direct.txt")))
  succeed=$((succeed + $(grep -cE ' (SUCCESS|INFO|SKIPPED)$' "$work/direct.txt")))
done
echo "$count checks, $succeed succeed direct, $differ differ"
# Fewer than there were: the suite did not run through.
[ "$differ" -eq 0 ] && [ "$succeed" -eq "$count" ] && [ "$count" -ge 200 ]
