#!/usr/bin/env bash
# Official MCP clients against official MCP servers, with mcpfw between them.
#
#   tests/interop/run.sh [MCPFW]        through the binary MCPFW (default: target/release/mcpfw, else target/debug/mcpfw)
#   tests/interop/run.sh --direct       without mcpfw: shows that clients and servers agree with each other
#
# Needs node >= 20, npm and python >= 3.11. Installs pinned packages beside itself on the first run, needs no
# fixed port, ends what it started, and takes about a minute then. The last line is `N passed, N failed`.
set -uo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
work=$(mktemp -d)
pids=()

finish() {
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null; done
  for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null; done
  rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM

die() {
  echo "interop: $*" >&2
  exit 2
}

direct=no
mcpfw=
case "${1-}" in
  --direct) direct=yes ;;
  "") for built in "$root/target/release/mcpfw" "$root/target/debug/mcpfw"; do
        if [ -x "$built" ]; then mcpfw=$built; break; fi
      done ;;
  *) mcpfw=$1 ;;
esac
[ "$direct" = yes ] || [ -x "$mcpfw" ] || die "no mcpfw binary: give its path, or build it with cargo build"

# --- packages -----------------------------------------------------------------------------------------------------

stamp() { cat "$@" | sha256sum | cut -d' ' -f1; }

install() {
  local want
  want=$(stamp "$here/package-lock.json")
  if [ "$(cat "$here/node_modules/.stamp" 2>/dev/null)" != "$want" ]; then
    echo "interop: installing npm packages"
    (cd "$here" && timeout 300 npm ci --silent) || die "npm ci failed"
    echo "$want" >"$here/node_modules/.stamp"
  fi
  want=$(stamp "$here/requirements.txt")
  if [ "$(cat "$here/.venv/.stamp" 2>/dev/null)" != "$want" ]; then
    echo "interop: installing python packages"
    python3 -m venv "$here/.venv" || die "python3 -m venv failed"
    timeout 300 "$here/.venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt" ||
      die "pip install failed"
    echo "$want" >"$here/.venv/.stamp"
  fi
}

# --- processes ----------------------------------------------------------------------------------------------------

# Waits until the pattern $2 stands in file $1 and prints what its group matched; gives up after 20 s or when
# process $3 has ended.
await() {
  local found tries
  for tries in $(seq 200); do
    found=$(sed -nE "s/$2/\1/p" "$1" 2>/dev/null | head -n 1)
    if [ -n "$found" ]; then echo "$found"; return 0; fi
    kill -0 "$3" 2>/dev/null || break
    sleep 0.1
  done
  sed 's/^/interop: | /' "$1" >&2
  return 1
}

free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# Each sets `url`.
start_reference_server() {
  local port log="$work/everything.log"
  port=$(free_port)
  PORT=$port node "$here/node_modules/@modelcontextprotocol/server-everything/dist/index.js" streamableHttp >"$log" 2>&1 &
  pids+=($!)
  await "$log" '.*listening on port ([0-9]+).*' $! >/dev/null || die "the reference server did not start"
  url="http://127.0.0.1:$port/mcp"
}

start_modern_server() {
  local port log="$work/modern.log"
  "$here/.venv/bin/python" "$here/servers/modern.py" >"$log" 2>&1 &
  pids+=($!)
  port=$(await "$log" '^([0-9]+)$' $!) || die "the modern server did not start"
  url="http://127.0.0.1:$port/mcp"
}

start_reference_sse_server() {
  local port log="$work/everything-sse.log"
  port=$(free_port)
  PORT=$port node "$here/node_modules/@modelcontextprotocol/server-everything/dist/index.js" sse >"$log" 2>&1 &
  pids+=($!)
  await "$log" '.*running on port ([0-9]+).*' $! >/dev/null || die "the reference server did not start over SSE"
  url="http://127.0.0.1:$port/sse"
}

start_python_sse_server() {
  local port log="$work/python-sse.log"
  "$here/.venv/bin/python" "$here/servers/modern.py" --sse >"$log" 2>&1 &
  pids+=($!)
  port=$(await "$log" '^([0-9]+)$' $!) || die "the Python server did not start over SSE"
  url="http://127.0.0.1:$port/sse"
}

start_mcpfw() {
  local log="$work/mcpfw.$RANDOM.log"
  "$mcpfw" run --upstream "$1" --policies "$here/policies" --listen 127.0.0.1:0 >"$log" 2>&1 &
  pids+=($!)
  url=$(await "$log" '.*listening on (http:[^ ]+).*' $!) || die "mcpfw did not start"
}

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
    start_mcpfw "$url"
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
    start_mcpfw "$url"
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
