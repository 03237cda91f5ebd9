import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startCli, type CliRun } from '../support/cli.ts';
import { freePort } from '../support/free-port.ts';
import { configMapData, containerOf, deploymentOf } from '../support/kubernetes.ts';
import { randomFile } from '../support/random-file.ts';
import { KEY, MiB, partsReceived, withSystem, type System } from '../support/system.ts';
import { until } from '../support/until.ts';

interface Pod extends CliRun {
  readonly component: 'control' | 'transfer';
  readonly url: string;
}

/** Starts the command of a manifest with its environment; only addresses, ports and mounts are those of the test. */
async function startPod(
  { directory, temporalAddress, taskQueue, api }: System,
  component: 'control' | 'transfer',
  name: string,
): Promise<Pod> {
  const { args, volumeMounts } = containerOf(component);
  const mounts: Readonly<Record<string, string>> = {
    '/data': join(directory, 'data'),
    '/etc/longhaul/openai': join(directory, 'openai'),
  };
  for (const { mountPath } of volumeMounts) expect(Object.keys(mounts)).toContain(mountPath);
  const mounted = (text: string) =>
    Object.entries(mounts).reduce(
      (path, [from, to]) => (path.startsWith(from) ? to + path.slice(from.length) : path),
      text,
    );
  const port = await freePort();
  const environment = Object.fromEntries(Object.entries(configMapData()).map(([key, value]) => [key, mounted(value)]));
  const run = startCli(args.map(mounted), {
    ...environment,
    TEMPORAL_ADDRESS: temporalAddress,
    LONGHAUL_METRICS_PORT: String(port),
    LONGHAUL_METRICS_HOST: '127.0.0.1',
    OPENAI_BASE_URL: api.url,
    LONGHAUL_TASK_QUEUE: taskQueue,
    // Each pod has a different host name, and a root file system that is read-only.
    LONGHAUL_HOST: name,
    HOME: '/proc/no-home',
  });
  return { ...run, component, url: `http://127.0.0.1:${port}` };
}

const statusOf = ({ url }: Pod, path: string): Promise<number> =>
  fetch(`${url}${path}`).then(
    ({ status }) => status,
    () => 0,
  );

describe('the manifests for Kubernetes', () => {
  it('run workers that share a mount, respond to probes, and release parts within the grace period', () =>
    withSystem(
      async (system) => {
        const { api, client, directory, download } = system;
        await mkdir(join(directory, 'data'));
        await mkdir(join(directory, 'openai'));
        await writeFile(join(directory, 'openai', 'api-key'), `${KEY}\n`, { mode: 0o400 });
        const path = join(directory, 'data', 'train.bin');
        await randomFile(path, 24 * MiB);

        const control = await startPod(system, 'control', 'control-1');
        const transfers = await Promise.all(
          ['transfer-1', 'transfer-2'].map((name) => startPod(system, 'transfer', name)),
        );
        const pods = [control, ...transfers];
        for (const pod of pods) {
          const { startupProbe, livenessProbe, readinessProbe } = containerOf(pod.component);
          for (const { httpGet } of [startupProbe, livenessProbe, readinessProbe])
            await until(async () => (await statusOf(pod, httpGet.path)) === 200, `${httpGet.path} of ${pod.component}`);
        }

        // Without `host`: any transfer worker reads the path.
        const source = { type: 'file', path } as const;
        const handle = await client.upload({ source, purpose: 'assistants', partSizeBytes: MiB });
        await partsReceived(system, 2);
        const bytesSent = async ({ url }: Pod) => {
          const text = await (await fetch(`${url}/metrics`)).text();
          return Number(/^longhaul_sent_bytes_total\{destination="default"\} (\d+)/m.exec(text)?.[1] ?? 0);
        };
        await until(
          async () => (await Promise.all(transfers.map(bytesSent))).every((bytes) => bytes > 0),
          'both to send',
        );

        const [first, second] = transfers as [Pod, Pod];
        const stoppedAt = performance.now();
        first.child.kill('SIGTERM');
        await until(
          () => first.said().includes('shutting down: waiting up to 60 s for parts in flight'),
          'the worker to stop',
        );
        expect(await statusOf(first, '/readyz')).not.toBe(200);
        expect(await first.ended).toMatchObject({ code: 0 });
        const { terminationGracePeriodSeconds } = deploymentOf('transfer').spec.template.spec;
        expect(performance.now() - stoppedAt).toBeLessThan(terminationGracePeriodSeconds * 1000);
        api.configure({ bandwidthBytesPerSecond: null });
        const { file } = await handle.result();
        // The parts in flight were completed: none was sent twice. Requests are counted, because Temporal can assign a part
        // to a poll that has just ended, and assigns it again after a heartbeat timeout.
        expect(system.uploads()).toMatchObject([{ partsBegun: 24, partsReceived: 24 }]);
        expect((await download(file.id)).equals(await readFile(path))).toBe(true);

        for (const { child } of [control, second]) child.kill('SIGTERM');
        for (const { ended } of [control, second]) expect(await ended).toMatchObject({ code: 0 });
        const warnings = pods.flatMap((pod) =>
          pod
            .said()
            .split('\n')
            .filter((line) => /"level":[4-6]0|warning/i.test(line)),
        );
        expect(warnings).toEqual([]);
      },
      { bandwidthBytesPerSecond: 3 * MiB },
    ));
});
