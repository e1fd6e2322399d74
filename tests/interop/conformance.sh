#!/usr/bin/env bash
# The conformance suite in server mode, direct and through mcpfw with a policy that allows everything: the same checks must come
# to the same end. But one: that a foreign Host is refused is what mcpfw adds to a server that does not.
#
#   tests/interop/conformance.sh [MCPFW]    through the binary MCPFW (default: target/release/mcpfw, else target/debug/mcpfw)
#
# Needs what run.sh needs. The last line is `N checks, N differ`.
set -uo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
find_mcpfw "${1-}"

# Runs the suite against $1; prints a line for each check: its scenario, name and end.
checks() {
  local out="$work/$2"
  mkdir -p "$out"
  (cd "$out" && timeout 300 node "$here/node_modules/@modelcontextprotocol/conformance/dist/index.js" \
    server --url "$1" --suite all --output-dir "$out" >"$out.log" 2>&1)
  node -e '
    const fs = require("fs"), path = require("path");
    for (const run of fs.readdirSync(process.argv[1]).sort()) {
      const file = path.join(process.argv[1], run, "checks.json");
      if (!fs.existsSync(file)) continue;
      // The name of a folder ends in the time of the run.
      const scenario = run.replace(/-?\d{4}-\d{2}-\d{2}T.*$/, "");
      for (const check of JSON.parse(fs.readFileSync(file)))
        console.log(`${scenario} ${check.id} ${check.status}`);
    }' "$out" | sort
}

install
start_reference_server
direct=$url
mkdir -p "$work/open"
printf '[[allow]]\nname = "all"\neverything = true\n' >"$work/open/open.toml"
start_mcpfw "$direct" "$work/open" 'elicitation_hosts = ["*"]'
checks "$direct" direct >"$work/direct.txt"
checks "$url" through >"$work/through.txt"
# And where every request of the server is looked at.
start_mcpfw "$direct" "$work/open"
checks "$url" inspected >"$work/inspected.txt"
differ=0
for way in through inspected; do
  grep -q 'localhost-host-rebinding-rejected SUCCESS' "$work/$way.txt" || differ=$((differ + 1))
  sed -i '/localhost-host-rebinding-rejected/d' "$work/direct.txt" "$work/$way.txt"
  diff "$work/direct.txt" "$work/$way.txt" || differ=$((differ + $(diff "$work/direct.txt" "$work/$way.txt" | grep -c '^[<>]')))
done
count=$(wc -l <"$work/direct.txt")
echo "$count checks, $(grep -c SUCCESS "$work/direct.txt") succeed direct, $differ differ"
[ "$differ" -eq 0 ] && [ "$count" -gt 0 ]
