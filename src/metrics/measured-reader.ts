import type { SourceReader } from '../sources/source-reader.ts';
import type { WorkerMetrics } from './worker-metrics.ts';

/** A reader whose reads are counted and timed. */
export function measuredReader(reader: SourceReader, metrics: WorkerMetrics): SourceReader {
  return {
    stat: () => reader.stat(),
    read: async (buffer, offsetBytes) => {
      const startedAtMs = performance.now();
      const bytes = await reader.read(buffer, offsetBytes);
      metrics.countRead(bytes, performance.now() - startedAtMs);
      return bytes;
    },
    close: () => reader.close(),
  };
}
