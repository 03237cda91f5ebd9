import { statfs } from 'node:fs/promises';
import { formatBytes } from '../../core/text/format.ts';

const INTERVAL_MS = 5_000;
/** With less space, the database soon cannot record events. */
const LOW_BYTES = 16 * 1024 ** 2;

/**
 * Reports a disk that becomes full while the server is running. Without this report, commands would wait without a reason.
 *
 * @param report receives undefined when the disk has space again
 * @param freeBytes for tests
 * @returns a function that stops the watch
 */
export function watchDisk(
  stateDir: string,
  report: (line: string | undefined) => void,
  intervalMs = INTERVAL_MS,
  freeBytes = async () => {
    const { bavail, bsize } = await statfs(stateDir);
    return bavail * bsize;
  },
): () => void {
  let wasLow = false;
  const check = async () => {
    const free = await freeBytes();
    const isLow = free < LOW_BYTES;
    const text = `the disk of the state directory ${stateDir} is full (${formatBytes(free)} left), and uploads wait. Free some space.`;
    if (isLow !== wasLow) report(isLow ? text : undefined);
    wasLow = isLow;
  };
  const timer = setInterval(() => void check().catch(() => {}), intervalMs).unref();
  return () => clearInterval(timer);
}
