import { randomBytes } from 'node:crypto';
import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { MeasuredUploadsClient } from '../../../../src/observe/metrics/measured-uploads-client.ts';
import { workerMetricsOf } from '../../../../src/observe/metrics/worker-metrics.ts';
import { withCaptureServer, type CaptureServerOptions } from '../../../support/capture-server.ts';
import { memoryReader } from '../../../support/memory-reader.ts';
import { until } from '../../../support/until.ts';

const KiB = 1024;

async function withMeasured(
  options: CaptureServerOptions,
  run: (setup: {
    client: MeasuredUploadsClient;
    metrics: ReturnType<typeof workerMetricsOf>;
    value: (name: string, labels?: Record<string, string>) => Promise<number | undefined>;
  }) => Promise<void>,
): Promise<void> {
  await withCaptureServer(options, async ({ baseUrl }) => {
    const registry = new Registry();
    const metrics = workerMetricsOf(registry);
    const client = new MeasuredUploadsClient(metrics, { name: 'eu', baseUrl, apiKey: 'sk-test' });
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

const part = (content: Buffer) => ({ reader: memoryReader(content), offsetBytes: 0, sizeBytes: content.byteLength });

describe('MeasuredUploadsClient', () => {
  it('counts exactly the bytes of a part, what was read for them, and the part', () =>
    withMeasured({}, async ({ client, value }) => {
      const content = randomBytes(700 * KiB + 13);
      let told = 0;
      await client.addPart('upload_1', { ...part(content), onBytesSent: (bytes) => (told = bytes) });
      expect(told).toBe(content.byteLength);
      expect(await value('longhaul_sent_bytes_total')).toBe(content.byteLength);
      expect(await value('longhaul_resent_bytes_total')).toBe(0);
      expect(await value('longhaul_source_read_bytes_total', {})).toBe(content.byteLength);
      expect(await value('longhaul_source_read_seconds_total', {})).toBeGreaterThan(0);
      expect(await value('longhaul_part_duration_seconds_count')).toBe(1);
      const seconds = (await value('longhaul_part_duration_seconds_sum')) ?? 0;
      expect(await value('longhaul_part_throughput_bytes_per_second_sum')).toBeCloseTo(content.byteLength / seconds, 3);
    }));

  it('counts bytes of a second attempt as sent again, and a part that was refused in no histogram', () =>
    withMeasured({ reply: () => ({ status: 503 }) }, async ({ client, metrics, value }) => {
      const content = randomBytes(512 * KiB);
      const sending = metrics.flights.run('eu', 2, () => client.addPart('upload_1', part(content)));
      await expect(sending).rejects.toThrow('503');
      const sent = await value('longhaul_sent_bytes_total');
      expect(sent).toBeGreaterThan(0);
      expect(await value('longhaul_resent_bytes_total')).toBe(sent);
      expect(await value('longhaul_part_duration_seconds_count')).toBe(0);
    }));

  it('counts sessions only when they were opened', () => {
    const upload = { id: 'upload_1', created_at: 1, expires_at: 3601, status: 'pending' };
    const replies = [{ status: 500 }, { body: upload }];
    return withMeasured({ reply: () => replies.shift() }, async ({ client, value }) => {
      const fields = { filename: 'a', purpose: 'batch', bytes: 1, mimeType: 'text/plain' };
      await expect(client.createUpload(fields)).rejects.toThrow('500');
      expect(await value('longhaul_sessions_opened_total')).toBe(0);
      await client.createUpload(fields);
      expect(await value('longhaul_sessions_opened_total')).toBe(1);
    });
  });

  it('takes each byte that a socket takes for a sign of life', () =>
    withMeasured({}, async ({ client, metrics, value }) => {
      let goOn = () => {};
      const held = new Promise<void>((resolve) => (goOn = resolve));
      const content = randomBytes(1024 * KiB);
      const reader = memoryReader(content, { beforeRead: (offset) => (offset < 512 * KiB ? undefined : held) });
      await metrics.flights.run('eu', 1, async () => {
        const flight = metrics.flights.current;
        const begunAtMs = flight?.lastMoveAtMs ?? Infinity;
        const sending = client.addPart('u', { reader, offsetBytes: 0, sizeBytes: content.byteLength });
        await until(async () => ((await value('longhaul_sent_bytes_total')) ?? 0) > 0, 'the first bytes', 5000);
        expect(flight?.lastMoveAtMs).toBeGreaterThan(begunAtMs);
        goOn();
        await sending;
      });
    }));

  it('knows how long nothing of a part has moved, and that none is in flight', () =>
    withMeasured({ onHead: () => true }, async ({ client, metrics, value }) => {
      const abort = new AbortController();
      const never = { ...memoryReader(randomBytes(8)), read: () => new Promise<number>(() => {}) };
      const content = { reader: never, offsetBytes: 0, sizeBytes: 8 };
      expect(await value('longhaul_part_silence_seconds')).toBe(0);
      const sending = metrics.flights.run('eu', 1, () => client.addPart('u', content, { signal: abort.signal }));
      const first = (await value('longhaul_part_silence_seconds')) ?? 0;
      const isLonger = async () => ((await value('longhaul_part_silence_seconds')) ?? 0) > first + 0.02;
      await until(isLonger, 'a longer silence', 5000);
      expect(await value('longhaul_parts_in_flight')).toBe(1);
      abort.abort();
      await expect(sending).rejects.toThrow();
      expect(await value('longhaul_part_silence_seconds')).toBe(0);
      expect(await value('longhaul_parts_in_flight')).toBe(0);
    }));
});
