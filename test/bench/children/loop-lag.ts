import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { LoopLag } from '../measurement.ts';

const RESOLUTION_MS = 10;

/** Starts to measure the event loop of this process. */
export function watchLoopLag(): () => LoopLag {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  // The histogram contains the time between two samples, which includes the requested resolution.
  const lagMs = (nanoseconds: number) => Math.max(nanoseconds / 1e6 - RESOLUTION_MS, 0);
  return () => {
    histogram.disable();
    return { p99Ms: lagMs(histogram.percentile(99)), mostMs: lagMs(histogram.max) };
  };
}
