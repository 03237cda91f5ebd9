import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { WorkflowCounter } from '../../src/contracts/metrics.ts';
import { WorkerMetric } from '../../src/observe/metrics/definitions.ts';
import { startChaosProxy, type ChaosProxy } from '../support/chaos-proxy.ts';
import { runCli, runCliProcess, startWorkerProcess, type CliRun } from '../support/cli.ts';
import { prometheusMissing, withPrometheus } from '../support/prometheus.ts';
import { randomFile } from '../support/random-file.ts';
import { processMetrics, sdkMetrics } from '../support/sdk-metrics.ts';
import { KEY, MiB, withSystem, type System } from '../support/system.ts';
import { until } from '../support/until.ts';

const deploy = fileURLToPath(new URL('../../deploy/', import.meta.url));
const purpose = 'assistants';
const partSizeBytes = MiB;

interface MeasuredWorker {
  readonly run: CliRun;
  readonly host: string;
  readonly metrics: () => Promise<string>;
  /** Of the series with all these labels, or undefined if it does not exist. */
  readonly value: (series: string) => Promise<number | undefined>;
  readonly status: (path: string) => Promise<number>;
}

/** A worker process that serves its metrics on a port that the system picks. */
async function startMeasuredWorker({ environment }: System, ...args: string[]): Promise<MeasuredWorker> {
  const run = await startWorkerProcess(environment, '--metrics-port', '0', ...args);
  const url = /metrics on (http:\S+)\/metrics/.exec(run.said())?.[1] ?? '';
  const metrics = async () => (await fetch(`${url}/metrics`)).text();
  return {
    run,
    host: new URL(url).host,
    metrics,
    value: async (series) => valueOf(await metrics(), series),
    status: async (path) => (await fetch(`${url}${path}`)).status,
  };
}

/** @param series `name` or `name{label="value"}`; other labels may be whatever they are */
function valueOf(text: string, series: string): number | undefined {
  const [name = '', labels = ''] = series.split(/[{}]/);
  const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  const found = lines.filter((line) => labels.split(',').every((label) => line.includes(label)));
  return found.length === 1 ? Number(found[0]?.split(' ').at(-1)) : undefined;
}

/** Ready while Temporal responds, and healthy also while it does not. */
async function expectReadiness(worker: MeasuredWorker, proxy: ChaosProxy): Promise<void> {
  await until(async () => (await worker.status('/readyz')) === 200, 'the worker to be ready', 10_000);
  const stalled = proxy.stall('all', 6000);
  await until(async () => (await worker.status('/readyz')) === 503, 'the worker to be no longer ready', 6000);
  expect(await worker.status('/healthz')).toBe(200);
  await stalled;
  await until(async () => (await worker.status('/readyz')) === 200, 'the worker to be ready again', 10_000);
}

/** Uploads a file with a retry and a wait. @returns the ID of its workflow */
async function measureRetryAndWait({ api, client }: System, worker: MeasuredWorker, file: string): Promise<string> {
  api.faults.add({ route: 'part', kind: 'status', status: 503, retryAfterSeconds: 0 });
  api.faults.add({ route: 'complete', kind: 'status', status: 401 });
  const handle = await client.upload({ file, purpose, partSizeBytes });
  await until(async () => (await handle.status()).state === 'waiting', 'the upload to wait');
  await until(
    async () =>
      (await worker.value('longhaul_uploads_parked_total{workflow_type="uploadFile",reason="ApiRejected"}')) === 1,
    'the waiting to be counted',
  );
  await handle.retry();
  await handle.result();
  await until(
    async () => (await worker.value('longhaul_uploads_ended_total{state="completed"}')) === 1,
    'the end to be counted',
  );
  return handle.workflowId;
}

describe('the metrics of a worker process', () => {
  it('count each retry, wait and session once, also if another worker replays them', () =>
    withSystem(async (system) => {
      const { api, client, directory } = system;
      const proxy = await startChaosProxy(Number(system.temporalAddress.split(':')[1]));
      const environment = { ...system.environment, TEMPORAL_ADDRESS: `127.0.0.1:${proxy.port}` };
      const worker = await startMeasuredWorker({ ...system, environment }, '--slots', '1');
      for (const { name, label } of Object.values<{
        name: string;
        label?: { name: string; values: readonly string[] };
      }>(WorkflowCounter)) {
        for (const value of label?.values ?? ['']) {
          const series = `${name}_total{workflow_type="uploadFile"${label ? `,${label.name}="${value}"` : ''}}`;
          expect(await worker.value(series), `${series} before anything happened`).toBe(0);
        }
      }
      const file = join(directory, 'measured.bin');
      await randomFile(file, 4 * MiB);
      const workflowId = await measureRetryAndWait(system, worker, file);

      const text = await worker.metrics();
      const ours = { destination: 'default' };
      const series = (name: string, more = '') => valueOf(text, `${name}{destination="${ours.destination}"${more}}`);
      expect(series('longhaul_parts_total', ',outcome="ok"')).toBe(4);
      expect(series('longhaul_parts_total', ',outcome="ApiUnavailable"')).toBe(1);
      expect(series('longhaul_sessions_opened_total')).toBe(1);
      expect(series('longhaul_part_duration_seconds_count')).toBe(4);
      const again = series('longhaul_resent_bytes_total') ?? 0;
      expect(again).toBe(MiB);
      expect(series('longhaul_sent_bytes_total')).toBeGreaterThanOrEqual(4 * MiB);
      expect(series('longhaul_sent_bytes_total')).toBeLessThanOrEqual(5 * MiB);
      expect(series('longhaul_parts_in_flight')).toBe(0);
      expect(valueOf(text, 'longhaul_uploads_started_total')).toBe(1);
      expect(valueOf(text, 'longhaul_parked_tries_failed_total{workflow_type="uploadFile",reason="ApiRejected"}')).toBe(
        1,
      );
      expect(valueOf(text, 'longhaul_source_read_bytes_total')).toBeGreaterThanOrEqual(4 * MiB);

      const families = new Set([...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name));
      const promised = [
        ...Object.values(WorkerMetric).map(({ name }) => name),
        ...Object.values(WorkflowCounter).map(({ name }) => `${name}_total`),
        ...sdkMetrics,
        ...processMetrics,
      ];
      expect(
        promised.filter((name) => !families.has(name)),
        'metrics that are missing',
      ).toEqual([]);
      expect([...text.matchAll(/^# TYPE (\S+)/gm)].length, 'no metric is there twice').toBe(families.size);
      for (const secret of [KEY, file, workflowId]) expect(text).not.toContain(secret);

      // A replaced session, whose upload continues on another worker.
      api.configure({ bandwidthBytesPerSecond: 2 * MiB });
      const replaced = join(directory, 'replaced.bin');
      await randomFile(replaced, 4 * MiB);
      api.faults.add({ route: 'part', kind: 'expire', skip: 2 });
      const handle = await client.upload({ file: replaced, purpose, partSizeBytes });
      await until(async () => (await worker.value('longhaul_sessions_replaced_total')) === 1, 'the replaced session');
      expect(await worker.value('longhaul_session_lost_bytes_total')).toBe(2 * MiB);
      await handle.pause({ parts: 'stop' });
      await expectReadiness(worker, proxy);
      worker.run.child.kill('SIGTERM');
      expect((await worker.run.ended).code).toBe(0);
      await proxy.close();
      const second = await startMeasuredWorker(system, '--slots', '1');
      await handle.resume();
      api.configure({ bandwidthBytesPerSecond: null });
      await handle.result();
      await until(async () => (await second.value('longhaul_uploads_ended_total{state="completed"}')) === 1, 'the end');
      expect(await second.value('longhaul_uploads_started_total')).toBe(0);
      expect(await second.value('longhaul_sessions_replaced_total')).toBe(0);
    }));

  it('are not served on a port in use, which the command reports before it starts', () =>
    withSystem(async (system) => {
      const port = String(system.api.port);
      const refused = await runCliProcess(['worker'], { ...system.environment, LONGHAUL_METRICS_PORT: port });
      expect(refused).toMatchObject({
        code: 2,
        stderr: expect.stringContaining(`cannot serve metrics on 127.0.0.1:${port}: the address is in use`),
      });
      const wrong = await runCli(['worker', '--metrics-port', '70000'], system.environment);
      expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining('from 0 to 65535') });
    }));

  it('are added to a registry that the caller provides, which two workers can share', () =>
    withSystem(async ({ client, startWorker, directory }) => {
      const registry = new Registry();
      const workers = [await startWorker({ metrics: { registry } }), await startWorker({ metrics: { registry } })];
      await until(async () => (await Promise.all(workers.map((worker) => worker.isReady()))).every(Boolean), 'both');
      const file = join(directory, 'own.bin');
      await randomFile(file, 3 * MiB);
      await (await client.upload({ file, purpose, partSizeBytes })).result();
      const text = await registry.metrics();
      expect(valueOf(text, 'longhaul_parts_total{destination="default",outcome="ok"}')).toBe(3);
      expect(valueOf(text, 'longhaul_sent_bytes_total{destination="default"}')).toBe(3 * MiB);
      await workers[0]?.shutdown();
      expect(await workers[0]?.isReady()).toBe(false);
    }));
});

describe.skipIf(prometheusMissing !== undefined)(
  `a real Prometheus${prometheusMissing ? ` (skipped: ${prometheusMissing})` : ''}`,
  () => {
    const promtool = (...args: string[]) => promisify(execFile)('promtool', args, { cwd: deploy });

    it('accepts deploy/prometheus.yml and its rules, and the rules pass their tests', async () => {
      await promtool('check', 'config', 'prometheus.yml');
      await promtool('check', 'rules', 'prometheus-rules.yml');
      await promtool('test', 'rules', 'prometheus-rules.test.yml');
    });

    it('scrapes a worker with deploy/prometheus.yml, and rules detect a waiting upload', () =>
      withSystem(async (system) => {
        const { api, client, directory } = system;
        const worker = await startMeasuredWorker(system);
        const rules = join(deploy, 'prometheus-rules.yml');
        const configuration = (await readFile(join(deploy, 'prometheus.yml'), 'utf8'))
          .replace('longhaul-worker:9464', worker.host)
          .replace('- prometheus-rules.yml', `- ${rules}`)
          .replaceAll('15s', '250ms');
        expect(configuration).toContain(worker.host);
        await withPrometheus(configuration, async ({ query, alerts }) => {
          const one = async (expr: string) => (await query(expr))[0]?.value;
          await until(async () => (await one('up{job="longhaul"}')) === 1, 'a scrape');
          await until(async () => ((await one('sum(temporal_num_pollers)')) ?? 0) > 0, 'pollers');
          const file = join(directory, 'scraped.bin');
          await randomFile(file, 4 * MiB);
          api.faults.add({ route: 'complete', kind: 'status', status: 403 });
          const handle = await client.upload({ file, purpose, partSizeBytes });
          const isAlerted = async () =>
            (await alerts()).some(
              ({ labels }) => labels['alertname'] === 'LonghaulUploadParked' && labels['reason'] === 'ApiRejected',
            );
          await until(isAlerted, 'the alert', 20_000);
          await handle.retry();
          await handle.result();
          await until(
            async () => (await one('longhaul_sent_bytes_total{destination="default"}')) === 4 * MiB,
            'all bytes',
          );
          expect(await one('sum(longhaul_parts_total{outcome="ok"})')).toBe(4);
          expect((await alerts()).map(({ labels }) => labels['alertname'])).toEqual(['LonghaulUploadParked']);
        });
      }));
  },
);
