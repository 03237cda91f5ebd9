/**
 * Loaded into `longhaul worker` by `--import`: reports the delay of the event loop between two queries to the bench, over the
 * channel of its parent.
 */
import { isMainThread } from 'node:worker_threads';
import { watchLoopLag } from './loop-lag.ts';

if (isMainThread && process.send) {
  let read = watchLoopLag();
  process.on('message', () => {
    process.send?.(read());
    read = watchLoopLag();
  });
  // Nor does it outlive a bench that was killed.
  process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'));
  // The worker exits when it is done, even with an open channel.
  process.channel?.unref();
}
