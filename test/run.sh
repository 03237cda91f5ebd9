#!/bin/sh
# Runs the tests with servers and, at the same time, the checks and all other tests. Prints the output of these at the end.
LONGHAUL_TEST_DIR=$(mktemp -d)
export LONGHAUL_TEST_DIR
trap 'rm -rf "$LONGHAUL_TEST_DIR"' EXIT
# Shells start background jobs that ignore Ctrl-C.
trap 'trap "" TERM; kill 0; exit 130' INT
log=$LONGHAUL_TEST_DIR/log

npm run test:beside >"$log" 2>&1 &
npm run test:servers
servers=$?
wait $!
beside=$?
cat "$log"
exit $((servers | beside))
