import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { expect, it } from 'vitest';
import { acquireEmbeddedTemporal } from '../../src/dev/server/join.ts';
import { runCli } from '../support/cli.ts';
import { KEY, withSystem, type System } from '../support/system.ts';
import { temporalCliForTests } from '../support/temporal-cli.ts';
import { until } from '../support/until.ts';

const workflowsPath = fileURLToPath(new URL('../support/stand-in/earlier-version.ts', import.meta.url));
const names = { uploadFile: 'one', uploadSplitFile: 'split', syncSource: 'sync' } as const;
const purpose = 'assistants';

it('a command restarts jobs of another version of Longhaul, and cancels their sessions', () =>
  withSystem(async (system) => {
    const environment = { ...system.embedded, LONGHAUL_TASK_QUEUE: system.taskQueue };
    const idOf = (name: string) => `${name}-${system.taskQueue}`;
    const folder = join(system.directory, 'data');
    await mkdir(folder);
    await writeFile(join(folder, 'a.jsonl'), '{}\n');
    // Other names than in the folder: the list of Files identifies a File only by its name, size and purpose.
    const whole = join(system.directory, 'whole.jsonl');
    const split = join(system.directory, 'split.jsonl');
    await Promise.all([whole, split].map((path) => writeFile(path, '{}\n')));
    await startEarlier(system, idOf, {
      uploadFile: { source: { type: 'file', path: whole }, purpose, filename: 'whole.jsonl' },
      uploadSplitFile: { source: { type: 'file', path: split }, purpose, filename: 'split.jsonl' },
      syncSource: { source: { type: 'folder', path: folder }, purpose },
    });
    const earlier = system.uploads();

    const run = async (name: string, ...args: string[]) => {
      const { code, stderr } = await runCli([...args, '--purpose', purpose, '--id', idOf(name)], environment);
      expect(stderr.split('\n').filter((line) => line.includes('another version'))).toEqual([
        expect.stringMatching(new RegExp(`^${idOf(name)}: .* this (upload|sync), and .* Restarting it\\.$`)),
      ]);
      expect(code, stderr).toBe(0);
    };
    await Promise.all([
      run('one', 'upload', whole),
      run('split', 'upload', split, '--split'),
      run('sync', 'sync', folder),
    ]);

    expect(earlier.map(({ id }) => system.uploads().find((one) => one.id === id)?.status)).toEqual(
      earlier.map(() => 'cancelled'),
    );
    expect(system.uploads().filter(({ status }) => status === 'pending')).toEqual([]);
  }));

/** Starts a job of each kind on the embedded server. Each has opened a session when its worker stops. */
async function startEarlier(
  { api, embedded, taskQueue, uploads }: System,
  idOf: (name: string) => string,
  requests: Readonly<Record<keyof typeof names, object>>,
) {
  const stateDir = embedded['LONGHAUL_STATE_DIR'] as string;
  const server = await acquireEmbeddedTemporal({ stateDir, cli: temporalCliForTests });
  const { address } = server;
  const [connection, native] = await Promise.all([
    Connection.connect({ address }),
    NativeConnection.connect({ address }),
  ]);
  const createUpload = async () => {
    const body = JSON.stringify({ filename: 'a.jsonl', purpose, bytes: 3, mime_type: 'application/jsonl' });
    const headers = { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' };
    const response = await fetch(`${api.url}/uploads`, { method: 'POST', headers, body });
    return { uploadId: ((await response.json()) as { id: string }).id };
  };
  const worker = await Worker.create({ connection: native, taskQueue, workflowsPath, activities: { createUpload } });
  const { workflow } = new Client({ connection });
  await worker.runUntil(async () => {
    for (const [type, request] of Object.entries(requests)) {
      const workflowId = idOf(names[type as keyof typeof names]);
      await workflow.start(type, { workflowId, taskQueue, args: [request] });
    }
    await until(() => uploads().length === 3, 'a session of each job');
    // The worker must have reported them.
    for (const name of Object.values(names)) await untilRecorded(workflow, idOf(name));
  });
  await native.close();
  await connection.close();
  await server.release();
}

async function untilRecorded(workflow: Client['workflow'], workflowId: string): Promise<void> {
  await until(async () => {
    const { raw } = await workflow.getHandle(workflowId).describe();
    const id = raw.pendingChildren?.[0]?.workflowId ?? workflowId;
    const { events } = await workflow.getHandle(id).fetchHistory();
    return (events ?? []).some((event) => event.activityTaskCompletedEventAttributes);
  }, 'the session in the history');
}
