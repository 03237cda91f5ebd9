#!/bin/sh
# Runs the tests with servers and, at the same time, the checks and all other tests. Of these, it prints what failed at the end.
LONGHAUL_TEST_DIR=$(mktemp -d)
export LONGHAUL_TEST_DIR
trap 'rm -rf "$LONGHAUL_TEST_DIR"' EXIT
# Shells start background jobs that ignore Ctrl-C.
trap 'trap "" TERM; kill 0; exit 130' INT

# Prints all output of a script that fails, and the end of the output of one that passes.
run_beside() {
  log=$LONGHAUL_TEST_DIR/log
  if npm run "$1" >"$log" 2>&1; then tail -n "$2" "$log"; else cat "$log"; echo "FAILED: npm run $1"; return 1; fi
}

results=$LONGHAUL_TEST_DIR/results
{ run_beside check 0; checks=$?; run_beside test:beside 6 && exit $checks; } >"$results" 2>&1 &
npm run test:servers
servers=$?
wait $!
beside=$?
cat "$results"
[ $servers = 0 ] || echo "FAILED: npm run test:servers (see above)"
exit $((servers | beside))
