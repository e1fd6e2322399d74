#!/usr/bin/env bash
# Official MCP clients against official MCP servers, with mcpfw between them.
#
#   tests/interop/run.sh [MCPFW]        through the binary MCPFW (default: target/release/mcpfw, else target/debug/mcpfw)
#   tests/interop/run.sh --direct       without mcpfw: shows that clients and servers agree with each other
#
# Needs node >= 20, npm and python >= 3.11. Installs pinned packages beside itself on the first run, needs no
# fixed port, ends what it started, and takes about a minute then. The last line is `N passed, N failed`.
set -uo pipefail

source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

direct=no
case "${1-}" in
  --direct) direct=yes ;;
  *) find_mcpfw "${1-}" ;;
esac

# --- checks -------------------------------------------------------------------------------------------------------

results="$work/results"
: >"$results"

# Runs a client; what it does not live to say counts as one failure.
client() {
  local label=$1
  shift
  timeout 90 "$@" 2>"$work/stderr" | tee -a "$results"
  local status=${PIPESTATUS[0]}
  if [ "$status" -gt 1 ] || { [ "$status" -eq 1 ] && ! tail -n 20 "$results" | grep -q '^FAIL'; }; then
    echo "FAIL $label: ended with status $status" | tee -a "$results"
    tail -n 20 "$work/stderr" | sed 's/^/     | /'
  fi
}

suite() {
  local server=$1 flags=() ts="$here/clients/typescript.mjs" python=("$here/.venv/bin/python" "$here/clients/python_client.py")
  if [ "$direct" = no ]; then
    start_mcpfw "$url" "$here/policies"
    flags+=(--firewalled)
  fi
  echo "== $server, $([ "$direct" = yes ] && echo direct || echo through mcpfw)"
  local auto=2025-11-25
  if [ "$server" = modern ]; then
    flags+=(--modern-server)
    auto=2026-07-28
  fi
  client ts-1.x node "$ts" "$url" --sdk 1 --revision 2025-11-25 "${flags[@]}"
  client ts-2.x/legacy node "$ts" "$url" --sdk 2 --revision 2025-11-25 "${flags[@]}"
  client ts-2.x/auto node "$ts" "$url" --sdk 2 --mode auto --revision "$auto" "${flags[@]}"
  client python/legacy "${python[@]}" "$url" --mode legacy --revision 2025-11-25 "${flags[@]}"
  client python/auto "${python[@]}" "$url" --mode auto --revision "$auto" "${flags[@]}"
}

# The transport of 2024-11-05: recognised by mcpfw, not configured.
sse_suite() {
  local server=$1 flags=(--sse) ts="$here/clients/typescript.mjs" python=("$here/.venv/bin/python" "$here/clients/python_client.py")
  if [ "$direct" = no ]; then
    start_mcpfw "$url" "$here/policies"
    flags+=(--firewalled)
  fi
  [ "$server" = reference ] || flags+=(--modern-server)
  echo "== $server over HTTP+SSE, $([ "$direct" = yes ] && echo direct || echo through mcpfw)"
  client ts-1.x/sse node "$ts" "$url" --sdk 1 "${flags[@]}"
  client ts-2.x/sse node "$ts" "$url" --sdk 2 "${flags[@]}"
  client python/sse "${python[@]}" "$url" --mode legacy "${flags[@]}"
}

install
start_reference_server
suite reference
start_modern_server
suite modern
start_reference_sse_server
sse_suite reference
start_python_sse_server
sse_suite python

passed=$(grep -c '^ok ' "$results")
failed=$(grep -c '^FAIL ' "$results")
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
