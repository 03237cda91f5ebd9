#!/usr/bin/env bash
# Starts the services of docker-compose.yml without containers: PostgreSQL, Temporal, a Longhaul worker and Prometheus
# (not Grafana, which Debian does not have). Runs until Ctrl-C or SIGTERM, then stops all of them. The next start resumes.
#
#   --embedded      Longhaul's embedded Temporal server, with its UI, instead of Temporal on PostgreSQL
#   --demo          the local Uploads API as the destination (default: OPENAI_API_KEY and OPENAI_BASE_URL)
#   --root DIR      directory of the files to upload (default: LONGHAUL_DATA_DIR, or /srv/longhaul)
#   --data DIR      databases, files and logs (default: ~/.local/share/longhaul-stack, for root /var/lib/longhaul)
#   --PART-port N   port of temporal (7233, embedded: any), postgres (5433), metrics (9464), prometheus (9090)
#                   or api (4010), 0 for any free port
#
# Requires Node.js, a built Longhaul (npm ci) and Debian's prometheus (without it, no metrics are stored). Without
# --embedded, also requires Debian's postgresql and Go, which builds Temporal's server once (minutes, cached in
# ~/.cache/longhaul).
set -euo pipefail
from=$PWD
cd "$(dirname "$0")/.."

fail() { echo "without-containers: $1" >&2 && exit "${2:-1}"; }

declare -A port=([temporal]=7233 [postgres]=5433 [metrics]=9464 [prometheus]=9090 [api]=4010)
embedded='' demo='' root=${LONGHAUL_DATA_DIR:-/srv/longhaul} data=${XDG_DATA_HOME:-${HOME:-}/.local/share}/longhaul-stack
((EUID != 0)) || data=/var/lib/longhaul
while (($#)); do
  name=${1#--} && name=${name%-port}
  case $1 in
    --embedded | --demo) printf -v "$name" 1 ;;
    --data) [[ ${2:-} ]] || fail '--data needs a directory' 2; data=$2 && shift ;;
    --root) [[ ${2:-} ]] || fail '--root needs a directory' 2; root=$(cd "$from" && realpath -m -- "$2") && shift ;;
    --*-port)
      [[ -v port[$name] ]] || fail "unknown option $1; see --help" 2
      [[ ${2:-} =~ ^[0-9]{1,5}$ ]] || fail "$1 needs a port, or 0 for any that is free" 2; port[$name]=$2 && shift ;;
    --help) sed -n '2,/^set/{s/^# \{0,1\}//p}' "$0" && exit ;;
    *) fail "unknown option $1; see --help" 2 ;;
  esac
  shift
done

longhaul=(node dist/cli/main.js)
[[ -f ${longhaul[1]} ]] || fail 'Longhaul is not built. Run: npm ci'
mkdir -p "$data/logs" && data=$(cd "$data" && pwd)
# Every process holds the lock, so processes that a killed start left behind block the next start.
exec 9>"$data/lock"
flock --nonblock 9 || fail "something runs on $data already: fuser $data/lock"

# Temporal's tables on PostgreSQL cannot store a port above 32767.
mapfile -t free < <(node -e 'const first = 20000 + Math.floor(Math.random() * 12000);
  for (let port = first; port < first + 40; port++) {
    const server = require("net").createServer().listen(port, "127.0.0.1").on("error", () => {});
    server.on("listening", () => { console.log(port); server.close(); });
  }')
take_port() { printf -v "$1" %s "${free[0]}" && free=("${free[@]:1}"); } # VARIABLE
for name in "${!port[@]}"; do ((port[$name] > 0)) || take_port "port[$name]"; done

parts=() && declare -A name_of
end_all() { # in reverse order of the start
  trap '' INT TERM HUP
  for pid in "${parts[@]}"; do
    # At SIGINT, PostgreSQL shuts down without waiting for its clients.
    if [[ ${name_of[$pid]} == postgres ]]; then kill -s INT "$pid"; else kill -s TERM "$pid"; fi 2>/dev/null || continue
    for ((i = 0; i < 300; i++)); do kill -0 "$pid" 2>/dev/null || continue 2 && sleep 0.1; done
    kill -s KILL "$pid"
  done
}
trap end_all EXIT
trap 'exit 0' INT TERM HUP

start() { # NAME COMMAND…, in a separate session, so that Ctrl-C reaches only this script
  setsid "${@:2}" </dev/null >>"$data/logs/$1.log" 2>&1 &
  name_of[$!]=$1 parts=("$!" "${parts[@]}")
}
ended() { fail "$1 exited. The end of $data/logs/$1.log is: $(tail -n 3 "$data/logs/$1.log")"; }
until_ok() { # COMMAND…, which succeeds when the last started process is ready
  local deadline=$((SECONDS + 90))
  until "$@" &>/dev/null; do
    kill -0 "${parts[0]}" 2>/dev/null || ended "${name_of[${parts[0]}]}"
    ((SECONDS < deadline)) || fail "${name_of[${parts[0]}]} is not ready after 90 s. Check $data/logs"
    sleep 0.2
  done
}
local_key=${LONGHAUL_LOCAL_API_KEY:-sk-local}
answers() (exec 3<>"/dev/tcp/127.0.0.1/$1"; printf 'GET %s HTTP/1.0\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\n\r\n' "$2" "$local_key" >&3; grep -q '^HTTP/1.. 200' <&3)

start_postgres() {
  local bin=(/usr/lib/postgresql/*/bin) user=()
  [[ -x ${bin[-1]}/initdb ]] || fail 'PostgreSQL is missing: apt-get install postgresql, or use --embedded'
  ((EUID != 0)) || user=(setpriv --reuid=postgres --regid=postgres --init-groups --) # it does not run as root
  "${user[@]}" test -x "$data" || fail "the user postgres cannot read $data. Use another --data"
  if [[ ! -s $data/postgres/PG_VERSION ]]; then
    mkdir -p "$data/postgres"
    (umask 077 && od -An -N16 -tx1 /dev/urandom | tr -d ' \n' >"$data/postgres-password")
    ((EUID != 0)) || chown postgres "$data/postgres" "$data/postgres-password"
    "${user[@]}" "${bin[-1]}/initdb" --pgdata="$data/postgres" --username=temporal --auth=scram-sha-256 \
      --pwfile="$data/postgres-password" &>>"$data/logs/postgres.log" || ended postgres
  fi
  start postgres "${user[@]}" "${bin[-1]}/postgres" -D "$data/postgres" -p "${port[postgres]}" \
    -c listen_addresses=127.0.0.1 -c unix_socket_directories=
  until_ok "${bin[-1]}/pg_isready" --host=127.0.0.1 --port="${port[postgres]}" --username=temporal
}

start_temporal() {
  local version tools name
  version=$(sed -n 's|.*temporalio/server:||p' docker-compose.yml)
  tools=${LONGHAUL_CACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/longhaul}/temporal-server-$version
  if [[ ! -x $tools/server || ! -x $tools/sql ]]; then
    command -v go >/dev/null || fail 'Go is missing: install it, or use --embedded'
    echo "building Temporal's server $version; once, in some minutes"
    GOBIN=$tools go install "go.temporal.io/server/cmd/server@v$version" "go.temporal.io/server/cmd/tools/sql@v$version"
  fi
  local -x POSTGRES_PWD SQL_PASSWORD
  POSTGRES_PWD=$(<"$data/postgres-password") SQL_PASSWORD=$POSTGRES_PWD
  local sql=("$tools/sql" --plugin postgres12 --ep 127.0.0.1 --port "${port[postgres]}" --user temporal)
  for name in temporal temporal_visibility; do # as in docker-compose.yml, each step is idempotent
    {
      "${sql[@]}" --db "$name" create-database && "${sql[@]}" --db "$name" setup-schema --version 0.0 &&
        "${sql[@]}" --db "$name" update-schema --schema-name "postgresql/v12/${name##*_}"
    } &>>"$data/logs/temporal-schema.log" || ended temporal-schema
  done
  for name in FRONTEND_HTTP FRONTEND_MEMBERSHIP {HISTORY,MATCHING,WORKER}_{GRPC,MEMBERSHIP}; do
    local -x "${name}_PORT" && take_port "${name}_PORT"
  done
  DB=postgres12 DB_PORT=${port[postgres]} POSTGRES_SEEDS=127.0.0.1 POSTGRES_USER=temporal BIND_ON_IP=127.0.0.1 \
    FRONTEND_GRPC_PORT=${port[temporal]} NUM_HISTORY_SHARDS=128 \
    DYNAMIC_CONFIG_FILE_PATH=deploy/temporal-dynamic-config.yaml start temporal "$tools/server" start
  export TEMPORAL_ADDRESS=127.0.0.1:${port[temporal]}
  until_ok node -e 'require("@temporalio/client").Connection.connect({ address: process.env.TEMPORAL_ADDRESS })
    .then(({ workflowService }) => workflowService.registerNamespace({
      namespace: "default", workflowExecutionRetentionPeriod: { seconds: 90 * 24 * 3600 } }))
    .then(() => process.exit(), ({ code }) => process.exit(code === 6 ? 0 : 1)) // 6: it is there already'
  until_ok "${longhaul[@]}" setup
}

unset "${!TEMPORAL_@}"
if [[ $demo ]]; then
  start local-api "${longhaul[@]}" local-api --port "${port[api]}" --data "$data/local-api"
  export OPENAI_BASE_URL=http://127.0.0.1:${port[api]}/v1 OPENAI_API_KEY=$local_key
  until_ok answers "${port[api]}" /_admin/stats
fi
if [[ $embedded ]]; then
  export LONGHAUL_STATE_DIR=$data/embedded LONGHAUL_LINGER=0 LONGHAUL_TASK_QUEUE=longhaul
else
  start_postgres
  start_temporal
fi
start worker "${longhaul[@]}" worker --root "$root" --metrics-port "${port[metrics]}"
until_ok answers "${port[metrics]}" /readyz
if [[ $embedded ]]; then
  read -r TEMPORAL_ADDRESS ui < <(node -p 'const it = require(process.argv[1]); it.address + " " + it.uiUrl' \
    "$data/embedded/server.json")
fi
if command -v prometheus >/dev/null; then
  cp deploy/prometheus-rules.yml "$data"
  sed "s/longhaul-worker:9464/127.0.0.1:${port[metrics]}/" deploy/prometheus.yml >"$data/prometheus.yml"
  start prometheus prometheus --config.file="$data/prometheus.yml" --storage.tsdb.path="$data/prometheus" \
    --web.listen-address="127.0.0.1:${port[prometheus]}"
  until_ok answers "${port[prometheus]}" /-/ready
  echo "Prometheus: http://127.0.0.1:${port[prometheus]}"
fi
echo "metrics:    http://127.0.0.1:${port[metrics]}/metrics${ui:+
Temporal UI: $ui}
files:      $root
data, logs: $data
all is up, until Ctrl-C; in another terminal:
  export TEMPORAL_ADDRESS=$TEMPORAL_ADDRESS${demo:+ OPENAI_BASE_URL=$OPENAI_BASE_URL OPENAI_API_KEY=$OPENAI_API_KEY}
  npx longhaul upload FILE --purpose batch"

wait -n -p pid "${parts[@]}" || true
ended "${name_of[$pid]}"
