#!/usr/bin/env bash
# Official MCP clients against official MCP servers, with mcpfw between them.
#
#   tests/interop/run.sh [MCPFW]        through the binary MCPFW (default: target/release/mcpfw, else target/debug/mcpfw)
#   tests/interop/run.sh --direct       without mcpfw: shows that clients and servers agree with each other
#
# Needs node >= 20, npm and python >= 3.11. Installs pinned packages beside itself on the first run, needs no
# fixed port, ends what it started, and takes about two minutes then. The last line is `N passed, N failed`.
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

# One client of servers/streams.*; what it says, and what went over both wires if something failed.
stream_client() {
  local sdk=$1 era=$2 way=$3
  local label="$sdk to $server, $era, $way" out="$work/$sdk-$era"
  local flags=(--era "$era" --label "$label" --transcript "$out.wire")
  [ "$way" = strict ] && flags+=(--firewalled)
  case "$sdk" in
    ts-*) timeout 90 node "$here/clients/streams.mjs" "$url" --sdk "${sdk:3:1}" "${flags[@]}" >"$out" 2>"$out.stderr" ;;
    *) timeout 90 "$(python "$sdk")" "$here/clients/streams.py" "$url" "${flags[@]}" >"$out" 2>"$out.stderr" ;;
  esac
  local status=$?
  [ "$status" -le 1 ] && grep -q . "$out" || echo "FAIL $label: ended with status $status" >>"$out"
  if grep -q '^FAIL' "$out"; then
    { tail -n 5 "$out.stderr" && echo "the client's wire:" && tail -n 60 "$out.wire" && echo "the server's:" && tail -n 80 "$log"; } |
      cut -c 1-400 | sed 's/^/     | /' >>"$out"
    if [ "$direct" = no ]; then tail -n 40 "$mcpfw_log" | cut -c 1-400 | sed 's/^/     | mcpfw: /' >>"$out"; fi
  fi
}

# Clients of sessions at once, where the event store of the server is told which session is which; those of 2026-07-28 one behind the
# other, since all of a server hear of a change.
streams_suite() {
  local way=$2 sdk running=()
  server=$1
  echo "== streams of $server, $way"
  for sdk in ts-1.x ts-2.x python-1.x python-2.x; do
    stream_client "$sdk" legacy "$way" &
    running+=($!)
    case "$server" in python-*) wait $! ;; esac
  done
  wait "${running[@]}"
  for sdk in ts-1.x ts-2.x python-1.x python-2.x; do tee -a "$results" <"$work/$sdk-legacy"; done
  case "$server" in *-1.x) return ;; esac
  for sdk in ts-2.x python-2.x; do
    stream_client "$sdk" modern "$way"
    tee -a "$results" <"$work/$sdk-modern"
  done
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

mkdir "$work/open"
printf '[[allow]]\nname = "all"\neverything = true\n' >"$work/open/open.toml"
for sdk in ts-1.x ts-2.x python-1.x python-2.x; do
  start_streams_server "$sdk"
  upstream=$url
  if [ "$direct" = yes ]; then
    streams_suite "$sdk" direct
  else
    start_mcpfw "$upstream" "$work/open"
    streams_suite "$sdk" open
    start_mcpfw "$upstream" "$here/policies"
    streams_suite "$sdk" strict
  fi
done

passed=$(grep -c '^ok ' "$results")
failed=$(grep -c '^FAIL ' "$results")
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
