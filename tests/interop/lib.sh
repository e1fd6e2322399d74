# Shared by the scripts beside it: packages, processes, and their end. To be sourced.

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

# Finds the binary: $1, or what has been built. Sets `mcpfw`.
find_mcpfw() {
  mcpfw=${1-}
  if [ -z "$mcpfw" ]; then
    for built in "$root/target/release/mcpfw" "$root/target/debug/mcpfw"; do
      if [ -x "$built" ]; then mcpfw=$built; break; fi
    done
  fi
  [ -x "$mcpfw" ] || die "no mcpfw binary: give its path, or build it with cargo build"
}

# --- packages -----------------------------------------------------------------------------------------------------

# Runs $2... until it succeeds, four times at most, each within 300 s and with a longer pause before it: registries
# refuse now and then. What the last run said is shown when all have failed under the name $1.
fetched() {
  local name=$1 pause; shift
  for pause in 2 8 20 0; do
    timeout 300 "$@" >"$work/fetch.log" 2>&1 && return
    echo "interop: $name failed, status $?"
    sleep "$pause"
  done
  sed 's/^/interop: | /' "$work/fetch.log" >&2
  die "$name failed"
}

stamp() { cat "$@" | sha256sum | cut -d' ' -f1; }

install() {
  local want
  want=$(stamp "$here/package-lock.json")
  if [ "$(cat "$here/node_modules/.stamp" 2>/dev/null)" != "$want" ]; then
    echo "interop: installing npm packages"
    fetched "npm ci" npm --prefix "$here" ci
    echo "$want" >"$here/node_modules/.stamp"
  fi
  install_python "$here/requirements.txt" "$here/.venv"
  install_python "$here/requirements-1.x.txt" "$here/.venv-1.x"
}

install_python() {
  local want venv=$2
  want=$(stamp "$1")
  [ "$(cat "$venv/.stamp" 2>/dev/null)" = "$want" ] && return
  echo "interop: installing python packages of ${1##*/}"
  python3 -m venv "$venv" || die "python3 -m venv failed"
  fetched "pip install" "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$1"
  echo "$want" >"$venv/.stamp"
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

# $1: ts-1.x, ts-2.x, python-1.x or python-2.x. Sets `url` and `log`.
start_streams_server() {
  local port
  log="$work/streams-$1.log"
  case "$1" in
    ts-*) node "$here/servers/streams.mjs" --sdk "${1:3:1}" >"$log" 2>&1 & ;;
    *) "$(python "$1")" "$here/servers/streams.py" >"$log" 2>&1 & ;;
  esac
  pids+=($!)
  port=$(await "$log" '^([0-9]+)$' $!) || die "the $1 server did not start"
  url="http://127.0.0.1:$port/mcp"
}

start_conformance_server() {
  local port log="$work/conformance.log"
  node "$here/servers/conformance.mjs" >"$log" 2>&1 &
  pids+=($!)
  port=$(await "$log" '^([0-9]+)$' $!) || die "the conformance server did not start"
  url="http://127.0.0.1:$port/mcp"
}

# The interpreter that has the SDK $1.
python() {
  case "$1" in
    python-1.x) echo "$here/.venv-1.x/bin/python" ;;
    *) echo "$here/.venv/bin/python" ;;
  esac
}

# $1: the server. $2: the folder of policies. $3: keys of the route, if any. Sets `url` and `mcpfw_log`.
start_mcpfw() {
  local log config="$work/mcpfw.$RANDOM.toml"
  log="$work/mcpfw.$RANDOM.log"
  mcpfw_log=$log
  printf '[listen]\naddress = "127.0.0.1:0"\n[[route]]\nupstream = "%s"\n%s\n' "$1" "${3-}" >"$config"
  "$mcpfw" run --config "$config" --policies "$2" >"$log" 2>&1 &
  pids+=($!)
  url=$(await "$log" '.*listening on (http:[^ ]+).*' $!) || die "mcpfw did not start"
}
