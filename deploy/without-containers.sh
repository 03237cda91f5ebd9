#!/usr/bin/env bash
# Brings up what docker-compose.yml does, without containers: PostgreSQL, Temporal, a Longhaul worker and Prometheus;
# no Grafana, which Debian doesn't have. Runs until Ctrl-C or SIGTERM, and ends everything then. A second start goes on
# with the same data.
#
#   deploy/without-containers.sh [--embedded] [--demo] [--data DIR] [--PART-port N …]
#
#   --embedded   Longhaul's embedded Temporal server, with its UI, in place of Temporal on PostgreSQL
#   --demo       the local Uploads API as the destination; else OPENAI_API_KEY and OPENAI_BASE_URL say where to
#   --data DIR   everything that is kept, and the logs (default: /var/lib/longhaul for root, else ~/.local/share/longhaul-stack)
#   --temporal-port, --postgres-port, --metrics-port, --prometheus-port, --api-port
#                ports (default: 7233, 5433, 9464, 9090, 4010); 0: any that is free
#
# Needs Node, a built Longhaul (npm ci), Debian's prometheus (without it no metrics are kept) and, unless --embedded,
# Debian's postgresql and Go, which builds Temporal's server once (some minutes, into ~/.cache/longhaul).
set -euo pipefail
cd "$(dirname "$0")/.."

fail() { echo "without-containers: $1" >&2; exit "${2:-1}"; }
need() { command -v "$1" >/dev/null || fail "$1 is missing: $2"; }

declare -A port=([temporal]=7233 [postgres]=5433 [metrics]=9464 [prometheus]=9090 [api]=4010)
embedded='' demo=''
data=${XDG_DATA_HOME:-${HOME:-}/.local/share}/longhaul-stack
if ((EUID == 0)); then data=/var/lib/longhaul; fi
while (($#)); do
  name=${1#--} && name=${name%-port}
  case $1 in
    --embedded) embedded=1 ;;
    --demo) demo=1 ;;
    --data) data=${2:?--data needs a directory} && shift ;;
    --*-port)
      [[ -v port[$name] ]] || fail "unknown option $1; see --help" 2
      [[ ${2:-} =~ ^[0-9]{1,5}$ ]] || fail "$1 must be a port, or 0 for any that is free" 2
      port[$name]=$2 && shift ;;
    --help) sed -n '2,/^set/{s/^# \{0,1\}//p}' "$0" && exit ;;
    *) fail "unknown option $1; see --help" 2 ;;
  esac
  shift
done

need node 'install Node 20.19 or later'
[[ -f dist/src/cli/main.js ]] || fail "Longhaul isn't built: npm ci"
longhaul=(node dist/src/cli/main.js)
mkdir -p "$data/logs" && data=$(cd "$data" && pwd)
# Every part holds the lock too: what a start that was killed has left behind keeps the next one away.
exec 9>"$data/lock"
flock --nonblock 9 || fail "something runs on $data already; end it first (fuser $data/lock names it)"

free_ports() {
  node -e 'const servers = Array.from({length: process.argv[1]}, () => require("net").createServer().listen(0, "127.0.0.1"));
    setImmediate(() => servers.forEach((server) => { console.log(server.address().port); server.close(); }))' "$1"
}
for name in "${!port[@]}"; do
  if ((port[$name] == 0)); then port[$name]=$(free_ports 1); fi
done

parts=()
declare -A name_of
end_all() {
  trap '' INT TERM HUP
  for pid in "${parts[@]}"; do
    # SIGINT is PostgreSQL's way to end without waiting for its clients.
    kill -s "$([[ ${name_of[$pid]} == postgres ]] && echo INT || echo TERM)" "$pid" 2>/dev/null || continue
    for ((i = 0; i < 300; i++)); do kill -0 "$pid" 2>/dev/null && sleep 0.1 || break; done
    kill -s KILL "$pid" 2>/dev/null && echo "without-containers: ${name_of[$pid]} had to be killed" >&2
  done
}
trap end_all EXIT
trap 'exit 0' INT TERM HUP

start() { # NAME COMMAND…, in a session of its own, so that Ctrl-C reaches this script alone
  setsid "${@:2}" </dev/null >>"$data/logs/$1.log" 2>&1 &
  name_of[$!]=$1 parts=("$!" "${parts[@]}")
}
died() { fail "$1 ended; $data/logs/$1.log ends with: $(tail -n 3 "$data/logs/$1.log")"; }
until_ok() { # COMMAND…, which tells that the part started last is there
  for ((i = 0; i < 300; i++)); do
    if "$@" >/dev/null 2>&1; then return; fi
    kill -0 "${parts[0]}" 2>/dev/null || died "${name_of[${parts[0]}]}"
    sleep 0.2
  done
  fail "${name_of[${parts[0]}]} is not there after a minute; see $data/logs"
}
answers() ( # PORT PATH, over HTTP
  exec 3<>"/dev/tcp/127.0.0.1/$1" && printf 'GET %s HTTP/1.0\r\n\r\n' "$2" >&3 && grep -q '^HTTP/[0-9.]* 200' <&3
)

start_postgres() {
  local programs=(/usr/lib/postgresql/*/bin) user=()
  [[ -x ${programs[-1]}/initdb ]] || fail 'PostgreSQL is missing: apt-get install postgresql (or give --embedded)'
  # PostgreSQL refuses to run as root.
  if ((EUID == 0)); then user=(setpriv --reuid=postgres --regid=postgres --init-groups --); fi
  "${user[@]}" test -x "$data" || fail "the user postgres can't enter $data; choose another --data"
  if [[ ! -s $data/postgres/PG_VERSION ]]; then
    mkdir -p "$data/postgres"
    (umask 077 && od -An -N16 -tx1 /dev/urandom | tr -d ' \n' >"$data/postgres-password")
    if ((EUID == 0)); then chown postgres "$data/postgres" "$data/postgres-password"; fi
    "${user[@]}" "${programs[-1]}/initdb" --pgdata="$data/postgres" --username=temporal --auth=scram-sha-256 \
      --pwfile="$data/postgres-password" >"$data/logs/postgres.log" 2>&1 || died postgres
  fi
  start postgres "${user[@]}" "${programs[-1]}/postgres" -D "$data/postgres" -p "${port[postgres]}" \
    -c listen_addresses=127.0.0.1 -c unix_socket_directories=
  until_ok "${programs[-1]}/pg_isready" --host=127.0.0.1 --port="${port[postgres]}" --username=temporal
}

start_temporal() {
  local version tools internal database
  version=$(sed -n 's|.*temporalio/server:||p' docker-compose.yml)
  tools=${LONGHAUL_CACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/longhaul}/temporal-server-$version
  if [[ ! -x $tools/server || ! -x $tools/sql ]]; then
    need go 'install Go, or give --embedded'
    echo "building Temporal's server $version; that takes some minutes, once"
    GOBIN=$tools go install "go.temporal.io/server/cmd/server@v$version" "go.temporal.io/server/cmd/tools/sql@v$version"
  fi
  local -x SQL_PASSWORD && SQL_PASSWORD=$(<"$data/postgres-password")
  local sql=("$tools/sql" --plugin postgres12 --ep 127.0.0.1 --port "${port[postgres]}" --user temporal)
  # As in docker-compose.yml, every step may run again.
  for name in temporal visibility; do
    database=temporal
    if [[ $name == visibility ]]; then database=temporal_visibility; fi
    "${sql[@]}" --db "$database" create-database
    "${sql[@]}" --db "$database" setup-schema --version 0.0
    "${sql[@]}" --db "$database" update-schema --schema-name "postgresql/v12/$name"
  done >>"$data/logs/temporal-schema.log" 2>&1 || died temporal-schema
  mapfile -t internal < <(free_ports 8)
  DB=postgres12 DB_PORT=${port[postgres]} POSTGRES_SEEDS=127.0.0.1 POSTGRES_USER=temporal POSTGRES_PWD=$SQL_PASSWORD \
    BIND_ON_IP=127.0.0.1 NUM_HISTORY_SHARDS=128 DYNAMIC_CONFIG_FILE_PATH=deploy/temporal-dynamic-config.yaml \
    FRONTEND_GRPC_PORT=${port[temporal]} FRONTEND_HTTP_PORT=${internal[0]} FRONTEND_MEMBERSHIP_PORT=${internal[1]} \
    HISTORY_GRPC_PORT=${internal[2]} HISTORY_MEMBERSHIP_PORT=${internal[3]} \
    MATCHING_GRPC_PORT=${internal[4]} MATCHING_MEMBERSHIP_PORT=${internal[5]} \
    WORKER_GRPC_PORT=${internal[6]} WORKER_MEMBERSHIP_PORT=${internal[7]} start temporal "$tools/server" start
  unset "${!TEMPORAL_@}" && export TEMPORAL_ADDRESS=127.0.0.1:${port[temporal]}
  until_ok node deploy/ensure-namespace.js
}
