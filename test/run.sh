#!/bin/sh
# Runs the tests with servers and, at the same time, the checks and all other tests. Of these, it prints what failed at the end.
LONGHAUL_TEST_DIR=$(mktemp -d)
export LONGHAUL_TEST_DIR

descendants() {
  for child in $(pgrep -P "$1"); do echo "$child"; descendants "$child"; done
}
end() {
  # Stopped processes start no others.
  kill -STOP $(descendants $$)
  started=$(descendants $$)
  kill -KILL $started
  wait
  rm -rf "$LONGHAUL_TEST_DIR"
  # See test/support/memory-directory.ts.
  for pid in $started; do rm -rf /dev/shm/longhaul-tests-"$pid"-*; done
} 2>/dev/null
trap end EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# Prints all output of a script that fails, and the end of the output of one that passes.
run_beside() {
  log=$LONGHAUL_TEST_DIR/log
  if npm run "$1" >"$log" 2>&1; then tail -n "$2" "$log"; else cat "$log"; echo "FAILED: npm run $1"; return 1; fi
}

results=$LONGHAUL_TEST_DIR/results
{ run_beside check 0; checks=$?; run_beside test:beside 6 && exit $checks; } >"$results" 2>&1 &
others=$!
# A shell handles a signal only while it waits for a background job.
npm run test:servers &
wait $!
servers=$?
wait $others
beside=$?
cat "$results"
[ $servers = 0 ] || echo "FAILED: npm run test:servers (see above)"
exit $((servers | beside))
