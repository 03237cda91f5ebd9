import { randomBytes } from 'node:crypto';
import { Registry } from 'prom-client';
import { describe, expect, it, vi } from 'vitest';
import { createDestination } from '../../../../src/destinations/kinds.ts';
import type { Destination, PartListener } from '../../../../src/destinations/port.ts';
import { workerMetricsOf } from '../../../../src/observe/metrics/worker-metrics.ts';
import { withCaptureServer, type CaptureServerOptions } from '../../../support/capture-server.ts';
import { memoryReader } from '../../../support/memory-reader.ts';
import { until } from '../../../support/until.ts';

const KiB = 1024;

async function withMeasured(
  options: CaptureServerOptions,
  run: (setup: {
    client: Destination;
    metrics: Metrics;
    value: (name: string, labels?: Record<string, string>) => Promise<number | undefined>;
  }) => Promise<void>,
): Promise<void> {
  await withCaptureServer(options, async ({ baseUrl }) => {
    const registry = new Registry();
    const metrics = workerMetricsOf(registry);
    const client = createDestination(
      { name: 'eu', baseUrl, apiKey: 'sk-test' },
      { watch: { opened: metrics.sessionCounter('eu') } },
    );
    const value = async (name: string, labels: Record<string, string> = { destination: 'eu' }) => {
      const family = name.replace(/_(sum|count)$/, '');
      const values = (await (registry.getSingleMetric(name) ?? registry.getSingleMetric(family))?.get())?.values ?? [];
      return values.find(
        (one) =>
          ((one as { metricName?: string }).metricName ?? name) === name &&
          Object.entries(labels).every(([label, wanted]) => one.labels[label] === wanted),
      )?.value;
    };
    try {
      await run({ client, metrics, value });
    } finally {
      await client.close();
    }
  });
}

type Metrics = ReturnType<typeof workerMetricsOf>;

const part = (content: Buffer, ...listeners: readonly PartListener[]) => ({
  reader: memoryReader(content),
  partNumber: 1,
  offsetBytes: 0,
  sizeBytes: content.byteLength,
  listeners,
});
const watched = (metrics: Metrics, attempt = 1) => metrics.watchPart({ destination: 'eu', attempt });

describe('WorkerMetrics as a listener', () => {
  it('counts exactly the bytes sent and read for a part, and the part', () =>
    withMeasured({}, async ({ client, metrics, value }) => {
      const content = randomBytes(700 * KiB + 13);
      let told = 0;
      const other = { moved: (bytes: number) => void (told = bytes) };
      await client.send('upload_1', part(content, other, watched(metrics)));
      expect(told).toBe(content.byteLength);
      expect(await value('longhaul_sent_bytes_total')).toBe(content.byteLength);
      expect(await value('longhaul_resent_bytes_total')).toBe(0);
      expect(await value('longhaul_source_read_bytes_total', {})).toBe(content.byteLength);
      expect(await value('longhaul_source_read_seconds_total', {})).toBeGreaterThan(0);
      expect(await value('longhaul_part_duration_seconds_count')).toBe(1);
      const seconds = (await value('longhaul_part_duration_seconds_sum')) ?? 0;
      expect(await value('longhaul_part_throughput_bytes_per_second_sum')).toBeCloseTo(content.byteLength / seconds, 3);
    }));

  it('counts bytes of a second attempt as resent, and excludes a rejected part from histograms', () =>
    withMeasured({ reply: () => ({ status: 503 }) }, async ({ client, metrics, value }) => {
      const content = randomBytes(512 * KiB);
      const sending = client.send('upload_1', part(content, watched(metrics, 2)));
      await expect(sending).rejects.toThrow('503');
      const sent = await value('longhaul_sent_bytes_total');
      expect(sent).toBeGreaterThan(0);
      expect(await value('longhaul_resent_bytes_total')).toBe(sent);
      expect(await value('longhaul_part_duration_seconds_count')).toBe(0);
    }));

  it('counts only sessions that were opened', () => {
    const upload = { id: 'upload_1', created_at: 1, expires_at: 3601, status: 'pending' };
    const replies = [{ status: 500 }, { body: upload }];
    return withMeasured({ reply: () => replies.shift() }, async ({ client, value }) => {
      const fields = { filename: 'a', purpose: 'batch', bytes: 1, mimeType: 'text/plain' };
      await expect(client.open(fields)).rejects.toThrow('500');
      expect(await value('longhaul_sessions_opened_total')).toBe(0);
      await client.open(fields);
      expect(await value('longhaul_sessions_opened_total')).toBe(1);
    });
  });

  it('resets the silence at each chunk that the socket accepts', () =>
    withMeasured({}, async ({ client, metrics, value }) => {
      vi.useFakeTimers({ toFake: ['performance'] });
      try {
        let goOn = () => {};
        const held = new Promise<void>((resolve) => (goOn = resolve));
        const content = randomBytes(1024 * KiB);
        const reader = memoryReader(content, { beforeRead: (offset) => (offset < 512 * KiB ? undefined : held) });
        const watch = watched(metrics);
        const sending = client.send('u', { ...part(content, watch), reader });
        await until(async () => ((await value('longhaul_sent_bytes_total')) ?? 0) > 0, 'the first bytes', 5000);
        vi.advanceTimersByTime(60_000);
        expect(await value('longhaul_part_silence_seconds')).toBe(60);
        goOn();
        await sending;
        expect(await value('longhaul_part_silence_seconds')).toBe(0);
        vi.advanceTimersByTime(1000);
        expect(await value('longhaul_part_silence_seconds')).toBe(1);
        watch.finished();
        expect(await value('longhaul_part_silence_seconds')).toBe(0);
      } finally {
        vi.useRealTimers();
      }
    }));

  it('shows the silence of a part in flight, and 0 after it', () =>
    withMeasured({ onHead: () => true }, async ({ client, metrics, value }) => {
      const abort = new AbortController();
      const never = { ...memoryReader(randomBytes(8)), read: () => new Promise<number>(() => {}) };
      expect(await value('longhaul_part_silence_seconds')).toBe(0);
      const watch = watched(metrics);
      const content = { ...part(randomBytes(8), watch), reader: never };
      const sending = client.send('u', content, { signal: abort.signal });
      const first = (await value('longhaul_part_silence_seconds')) ?? 0;
      const isLonger = async () => ((await value('longhaul_part_silence_seconds')) ?? 0) > first + 0.02;
      await until(isLonger, 'a longer silence', 5000);
      expect(await value('longhaul_parts_in_flight')).toBe(1);
      abort.abort();
      await expect(sending).rejects.toThrow();
      watch.finished(new Error('aborted'));
      expect(await value('longhaul_part_silence_seconds')).toBe(0);
      expect(await value('longhaul_parts_in_flight')).toBe(0);
    }));
});
