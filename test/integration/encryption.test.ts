import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Worker } from '@temporalio/worker';
import { encryptedDataConverter, LonghaulClient, type JobHandle } from 'longhaul';
import { expect, it } from 'vitest';
import { workflowBundleOf } from '../../dist/src/worker/bundle.js';
import { beginCli, runCli } from '../support/cli.ts';
import { randomFile } from '../support/random-file.ts';
import { MiB, withSystem, type System } from '../support/system.ts';
import { temporalCliForTests } from '../support/temporal-cli.ts';
import { until } from '../support/until.ts';

const CANARY = 'canary-7f3a';
const newKey = (id: string) => `${id} ${randomBytes(32).toString('base64')}\n`;

/** All texts and bytes in an answer of Temporal, except for search attributes. */
function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (value instanceof Uint8Array) return [Buffer.from(value).toString('latin1')];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => (name === 'searchAttributes' ? [] : textsIn(inner)));
}

/** What Temporal stores of a workflow. */
async function stored({ client }: System, workflowId: string): Promise<string> {
  const handle = client.temporal.workflow.getHandle(workflowId);
  const [history, { raw }] = await Promise.all([handle.fetchHistory(), handle.describe()]);
  return textsIn([history, raw]).join('\n');
}

/** An upload that waits, an upload with parts that are repeated, a split upload and a sync; every name has the canary. */
async function runJobs(system: System, client: LonghaulClient): Promise<readonly string[]> {
  const { api, directory } = system;
  const folder = join(directory, CANARY);
  await mkdir(folder, { recursive: true });
  const file = join(folder, `${CANARY}.jsonl`);
  await randomFile(file, 2 * MiB);
  const lines = join(folder, 'lines.jsonl');
  await writeFile(lines, `${'x'.repeat(600_000)}\n`.repeat(2));
  const request = { purpose: 'vision', partSizeBytes: MiB };
  const finished = async (handle: JobHandle<'upload' | 'split' | 'sync'>) => {
    await handle.result();
    return handle.workflowId;
  };

  // Each repeated part has a heartbeat and a failure, whose message quotes the service.
  api.faults.add({ route: 'part', kind: 'status', status: 500, count: 2 });
  const first = await finished(await client.upload({ ...request, file, filename: `${CANARY}.jsonl` }));
  const split = await finished(await client.uploadSplit({ ...request, file: lines, pieceSizeBytes: MiB }));
  const sync = await finished(await client.sync({ folder, purpose: 'vision' }));

  const other = join(folder, `${CANARY}-other.jsonl`);
  await randomFile(other, 1.5 * MiB);
  api.faults.add({ route: 'part', kind: 'status', status: 403, count: 1000 });
  const waiting = await client.upload({ ...request, file: other });
  await until(async () => (await waiting.status()).state === 'waiting', 'the upload to wait');
  await truncate(other, MiB);
  api.faults.clear();
  await waiting.retry();
  await expect(waiting.result()).rejects.toMatchObject({ failureType: 'SourceChanged' });
  return [first, split, sync, waiting.workflowId];
}

const connect = ({ temporalAddress, taskQueue }: System, keyFile: string) =>
  LonghaulClient.connect({
    connection: { address: temporalAddress },
    taskQueue,
    dataConverter: encryptedDataConverter({ keyFile }),
  });

it('the codec encrypts every payload, and a history replays after the key was replaced', () =>
  withSystem(async (system) => {
    const { directory, startWorker, taskQueue, environment } = system;
    const keyFile = join(directory, 'encryption-keys');
    const old = newKey('2026-01');
    await writeFile(keyFile, old);
    const dataConverter = encryptedDataConverter({ keyFile });
    const client = await connect(system, keyFile);
    await startWorker({ dataConverter });

    const ids = await runJobs(system, client);
    for (const id of ids) {
      const text = await stored(system, id);
      expect(text).toContain('binary/encrypted');
      expect(text, id).not.toContain(CANARY);
    }

    const cli = { ...environment, LONGHAUL_ENCRYPTION_KEY_FILE: keyFile };
    const [uploadId = ''] = ids;
    const status = await runCli(['status', uploadId, '--json'], cli);
    expect(status.stdout).toContain(`${CANARY}.jsonl`);

    // The running worker reads the file again: no restart.
    await writeFile(keyFile, newKey('2026-02') + old);
    const next = join(directory, `${CANARY}-next.jsonl`);
    await randomFile(next, 1000);
    const usesNewKey = async () => {
      const handle = await client.upload({ file: next, purpose: 'assistants', id: `${taskQueue}-${Date.now()}` });
      await handle.result();
      return (await stored(system, handle.workflowId)).includes('2026-02');
    };
    await until(usesNewKey, 'an upload with the new key');
    const bundle = await workflowBundleOf(false, true);
    for (const id of ids) {
      const history = await client.temporal.workflow.getHandle(id).fetchHistory();
      await Worker.runReplayHistory({ workflowBundle: bundle, dataConverter }, history, id);
    }

    // Temporal UI and the command of Temporal decrypt through the codec server.
    const server = beginCli(['codec-server', '--port', '0'], cli);
    await until(() => server.stderr().includes('--codec-endpoint'), 'the codec server');
    const endpoint = /--codec-endpoint\s+(\S+)/.exec(server.stderr())?.[1] ?? '';
    const { events } = await client.temporal.workflow.getHandle(uploadId).fetchHistory();
    const [input] = events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads ?? [];
    const metadata = Object.entries(input?.metadata ?? {}).map(([name, value]) => [name, base64(value)]);
    const answer = await fetch(`${endpoint}/decode`, {
      method: 'POST',
      headers: { origin: 'http://localhost:8233', 'content-type': 'application/json', 'x-namespace': 'default' },
      body: JSON.stringify({ payloads: [{ metadata: Object.fromEntries(metadata), data: base64(input?.data) }] }),
    });
    expect(answer.headers.get('access-control-allow-origin')).toBe('http://localhost:8233');
    const { payloads } = (await answer.json()) as { payloads: { data: string }[] };
    expect(Buffer.from(payloads[0]?.data ?? '', 'base64').toString()).toContain(`${CANARY}.jsonl`);
    const { path } = await temporalCliForTests();
    const query = ['workflow', 'query', '--type', 'progress', '--workflow-id', uploadId];
    const through = ['--address', system.temporalAddress, '--codec-endpoint', endpoint];
    expect((await promisify(execFile)(path, [...query, ...through])).stdout).toContain(`${CANARY}.jsonl`);
    server.interrupt();
    await server.ended;

    // A command without the key explains what it needs.
    const without = await runCli(['status', uploadId], environment);
    expect(without.stderr).toContain('LONGHAUL_ENCRYPTION_KEY_FILE');
    expect(without.code).not.toBe(0);
    await client.close();
  }));

const base64 = (bytes: Uint8Array | null | undefined) => Buffer.from(bytes ?? []).toString('base64');

it('without encryption, histories contain the canary', () =>
  withSystem(async (system) => {
    await system.startWorker();
    for (const id of await runJobs(system, system.client)) {
      expect(await stored(system, id), id).toContain(CANARY);
    }
  }));
