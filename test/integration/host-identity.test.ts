import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import os from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { LonghaulClient, type JobEvent } from 'longhaul';
import { describe, expect, it } from 'vitest';
import { listQueueWorkers } from '../../src/client/queues/read-queue.ts';
import { beginCli, beginWorker, runCli, startCli, startWorkerProcess } from '../support/cli.ts';
import { md5, randomFile } from '../support/random-file.ts';
import { until } from '../support/until.ts';
import { MiB, partsReceived, withSystem, type System } from '../support/system.ts';
import { useDisk } from '../support/use-disk.ts';

useDisk();

const PARTS = 12;
const uploadArguments = '--purpose assistants --part-size 1MiB --concurrency 4 --heartbeat-timeout 2s --json'.split(
  ' ',
);
/** Slow enough that a kill hits the middle. */
const limits = { bandwidthBytesPerSecond: 4 * MiB };

/** A user without a Temporal server. All commands of a test share one. */
const withUser = (body: (system: System) => Promise<void>) => withSystem(body, { ...limits, ownServer: true });

/** Runs `body` on a machine with that host name. */
async function onHost<T>(name: string, body: () => Promise<T>): Promise<T> {
  const { hostname } = os;
  os.hostname = () => name;
  syncBuiltinESMExports();
  try {
    return await body();
  } finally {
    os.hostname = hostname;
    syncBuiltinESMExports();
  }
}

/** The same for a process. */
async function processOnHost(name: string, { embedded, directory }: System): Promise<Record<string, string>> {
  const module = join(directory, `host-${name}.mjs`);
  await writeFile(
    module,
    `import os from 'node:os'; import { syncBuiltinESMExports } from 'node:module';
os.hostname = () => ${JSON.stringify(name)}; syncBuiltinESMExports();`,
  );
  return { ...embedded, NODE_OPTIONS: `--import=${module}` };
}

describe('a machine whose host name changes', () => {
  it('continues a killed upload of standard input from its private copy and the recorded parts', () =>
    withUser(async (system) => {
      const content = randomBytes(PARTS * MiB);
      const piped = ['upload', '-', '--filename', 'piped.jsonl', ...uploadArguments];
      const killed = startCli(piped, await processOnHost('before', system), 'pipe');
      killed.child.stdin?.end(content);
      await partsReceived(system, PARTS / 3);
      killed.child.kill('SIGKILL');
      await killed.ended;
      expect(system.api.stats().totals.partsReceived, 'the kill came too late').toBeLessThan(PARTS);
      const copy = /^saved .* to (\S+)\. /m.exec(killed.said())?.[1] ?? '';
      expect((await stat(copy)).mode & 0o777).toBe(0o600);
      const identity = join(system.directory, 'state', 'host.json');
      expect(JSON.parse(await readFile(identity, 'utf8'))).toEqual({ host: 'before', earlier: [] });

      const second = await onHost('after', () => runCli(['upload', copy, ...uploadArguments], system.embedded));
      expect(second.code, second.stderr).toBe(0);
      expect(second.stderr).not.toMatch(/unexpected|Warning/);
      const { file: uploaded, ...result } = JSON.parse(second.stdout);
      expect(result).toMatchObject({ resumed: true, parts: PARTS, md5: md5(content) });
      // The record of the copy has the name.
      expect(uploaded.filename).toBe('piped.jsonl');
      expect(md5(await system.download(uploaded.id))).toBe(md5(content));
      expect(system.uploads()).toMatchObject([{ status: 'completed', completions: 1 }]);
      expect(system.api.stats().totals.partsBegun).toBeLessThanOrEqual(PARTS + 4);
      expect(await readdir(join(system.directory, 'state', 'spool'))).toEqual([]);
      expect(JSON.parse(await readFile(identity, 'utf8'))).toMatchObject({ host: 'before' });
    }));

  it('continues uploads, syncs and schedules in a state directory of an earlier version', () =>
    withUser(async (system) => {
      const { directory, embedded } = system;
      const identity = join(directory, 'state', 'host.json');
      const stored = async () => JSON.parse(await readFile(identity, 'utf8'));
      const file = join(directory, 'renamed.bin');
      const content = await randomFile(file, PARTS * MiB);
      const folder = join(directory, 'nightly');
      await mkdir(folder);
      await writeFile(join(folder, 'a.txt'), 'a');
      const sync = ['sync', folder, '--purpose', 'assistants'];
      await onHost('before', async () => {
        const synced = await runCli([...sync, '--json'], embedded);
        expect(synced.code, synced.stderr).toBe(0);
        const create = ['schedule', 'create', 'nightly', '--cron', '0 2 * * *', '--', ...sync, '--prefix', 'night-'];
        const created = await runCli(create, embedded);
        expect(created.code, created.stderr).toBe(0);
        const interrupted = beginCli(['upload', file, ...uploadArguments], embedded);
        await partsReceived(system, 1 + PARTS / 3);
        interrupted.interrupt();
        expect((await interrupted.ended).code).toBe(130);
      });

      await rm(identity);
      await onHost('after', async () => {
        const uploaded = await runCli(['upload', file, ...uploadArguments], embedded);
        expect(uploaded.code, uploaded.stderr).toBe(0);
        expect(JSON.parse(uploaded.stdout)).toMatchObject({ resumed: true, parts: PARTS, md5: md5(content) });
        expect(await stored()).toMatchObject({ host: 'before' });

        await rm(identity);
        const synced = await runCli([...sync, '--json'], embedded);
        expect(synced.code, synced.stderr).toBe(0);
        expect(synced.stderr).toContain('Its uploads still use the name before');
        expect(await stored()).toEqual({ host: 'before', earlier: [] });
        // The memory of the sync is found under the same name.
        expect(JSON.parse(synced.stdout)).toMatchObject({ counts: { same: 1, sent: { files: 0 } } });
        const worker = await beginWorker(embedded, '--any-source');
        expect(worker.stderr()).toMatch(/polls .*-transfer-before, .*-transfer-after/);
        worker.interrupt('SIGTERM');
        await worker.ended;
      });
    }));
});

describe('a host without a worker', () => {
  it('is reported within seconds by the library and by each command, until its worker starts', () =>
    withSystem(async (system) => {
      await system.startWorker({ host: 'present' });
      const file = join(system.directory, 'gone.bin');
      await randomFile(file, 2 * MiB);
      const gone = new LonghaulClient(system.client.temporal, { taskQueue: system.taskQueue, host: 'gone' });
      const upload = await gone.upload({ file, purpose: 'assistants', partSizeBytes: MiB });
      const folder = join(system.directory, 'folder');
      await mkdir(folder);
      await writeFile(join(folder, 'a.txt'), 'a');
      const sync = await gone.sync({ folder, purpose: 'assistants' });
      const queue = `${system.taskQueue}-transfer-gone`;
      const reason = `no worker of host gone polls task queue "${queue}". Start "longhaul worker" there`;
      const unpolled = { taskQueue: queue, host: 'gone', reason: expect.stringContaining(reason) };

      for (const handle of [upload, sync]) {
        const events: JobEvent[] = [];
        for await (const event of handle.progress({ intervalMs: 200, signal: AbortSignal.timeout(60_000) })) {
          if ('unpolled' in event && event.unpolled) events.push(event);
          if (events.at(-3)?.type === 'no-answer') break;
        }
        // Progress continues, and the report comes once.
        const progress = { type: 'progress', unpolled };
        const report = { type: 'no-answer', reason: unpolled.reason, unpolled };
        expect(events.slice(-4)).toMatchObject([progress, report, progress, progress]);
        expect(events.filter(({ type }) => type === 'no-answer')).toHaveLength(1);
        expect(await handle.status()).toMatchObject({ unpolled });
      }

      const run = (...words: string[]) => runCli(words, { ...system.environment, LONGHAUL_HOST: 'present' });
      const [status, list, listJson, top, doctor] = await Promise.all([
        run('status', upload.workflowId, sync.workflowId),
        run('list'),
        run('list', '--json'),
        run('top', '--once'),
        run('doctor'),
      ]);
      expect(status.stdout.split(reason)).toHaveLength(3);
      expect(list.stdout.split('no worker of gone')).toHaveLength(3);
      expect(list.stderr.split(reason)).toHaveLength(2);
      // Other tests have uploads and syncs in this namespace, too.
      const { uploads, syncs } = JSON.parse(listJson.stdout) as Record<string, { readonly workflowId: string }[]>;
      for (const [listed, { workflowId }] of [[uploads, upload] as const, [syncs, sync] as const]) {
        expect(listed?.find((one) => one.workflowId === workflowId)).toMatchObject({ unpolled });
      }
      expect(top.stdout.split(reason)).toHaveLength(3);
      expect(doctor.stdout).toContain(`warn  hosts: 2 waiting: ${reason}`);

      await system.startWorker({ host: 'gone' });
      expect((await upload.result()).partsSent).toBe(2);
      await sync.result();
      expect((await run('doctor')).stdout).toContain('ok    hosts');
    }));

  it('is reported within seconds of a kill, and a copy of the file on another machine continues the upload', () =>
    withSystem(async (system) => {
      const { api, directory, environment } = system;
      await system.startWorker({ host: 'present', roles: ['control'] });
      const host = { ...environment, LONGHAUL_HOST: 'killed', LONGHAUL_HEARTBEAT_INTERVAL_MS: '1000' };
      const worker = await startWorkerProcess(host, '--any-source', '--slots', '2');
      // The second heartbeat contains the interval.
      const query = `TaskQueue="${system.taskQueue}-transfer-killed"`;
      await until(async () => {
        const workers = await listQueueWorkers(system.client.temporal, query);
        return workers.some(({ intervalMs }) => intervalMs < 60_000);
      }, 'two heartbeats of the worker');
      const file = join(directory, 'killed.bin');
      const content = await randomFile(file, PARTS * MiB);
      const client = new LonghaulClient(system.client.temporal, { taskQueue: system.taskQueue, host: 'killed' });
      const upload = await client.upload({ file, purpose: 'assistants', partSizeBytes: MiB, concurrency: 8 });
      await partsReceived(system, 4);
      expect((await upload.status()).unpolled).toBeUndefined();
      worker.child.kill('SIGKILL');
      await worker.ended;
      for await (const event of upload.progress({ signal: AbortSignal.timeout(60_000) })) {
        if (event.type === 'no-answer' && event.unpolled) break;
      }
      expect((await upload.status()).unpolled?.host).toBe('killed');

      const copy = `${file}.copy`;
      // The copy of Node.js rounds times to milliseconds.
      await promisify(execFile)('cp', ['--preserve=timestamps', file, copy]);
      await rename(copy, file);
      const retuned = await runCli(['retune', upload.workflowId, '--ignore-inode'], environment);
      expect(retuned.code, retuned.stderr).toBe(0);
      await beginWorker(host, '--any-source', '--slots', '2');
      expect(await upload.result()).toMatchObject({ parts: PARTS, md5: md5(content), sessions: 1 });
      expect(api.stats().totals.partsBegun).toBeLessThan(PARTS + 8);
    }, limits));
});
