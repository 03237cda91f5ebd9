/**
 * Loaded into `longhaul worker` by `--import`: tells the bench, over the channel of its parent, how late the event loop
 * was between two questions.
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
  // The worker ends when it is done, whoever may still ask.
  process.channel?.unref();
}
