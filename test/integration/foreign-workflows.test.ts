import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { msToTs } from '@temporalio/common/lib/time.js';
import { NativeConnection } from '@temporalio/worker';
import { createWorker } from 'longhaul/worker';
import { expect, it } from 'vitest';
import { JobIdTakenError, StrangeWorkflowError } from 'longhaul/errors';
import { runCli } from '../support/cli.ts';
import { KEY, withSystem, type System } from '../support/system.ts';
import { until } from '../support/until.ts';

/** Workflows of other programs in the same namespace, some with IDs and types like those of Longhaul. */

const startOther = ({ client, taskQueue }: System, workflowId: string, type: string, args: unknown[] = []) =>
  client.temporal.workflow.start(type, { workflowId, taskQueue: type === 'otherProgram' ? type : taskQueue, args });

it('the client does not follow, change or cancel a workflow of another type', () =>
  withSystem(async (system) => {
    const { client, taskQueue, environment } = system;
    const workflowId = `${taskQueue}-other`;
    const other = await startOther(system, workflowId, 'otherProgram');
    const handle = client.getHandle(workflowId);
    const follows = [() => handle.status(), () => handle.result(), () => client.getHandle(workflowId).receipt()];
    for (const call of [() => handle.cancel(), () => handle.pause(), () => handle.retry(), ...follows])
      await expect(call()).rejects.toThrow(StrangeWorkflowError);
    await expect(handle.progress().next()).rejects.toThrow(StrangeWorkflowError);
    for (const command of ['cancel', 'pause', 'status']) {
      const { code, stderr } = await runCli([command, workflowId], environment);
      expect({ code, stderr }).toEqual({
        code: 1,
        stderr: expect.stringMatching(/^longhaul: .* does not respond like a workflow of Longhaul/),
      });
    }
    expect((await other.describe()).status.name).toBe('RUNNING');
    const { events } = await other.fetchHistory();
    expect(events?.some((event) => event.workflowExecutionCancelRequestedEventAttributes)).toBe(false);
  }));

it('the client rejects the ID of a workflow of another program, and terminates nothing', () =>
  withSystem(async (system) => {
    const { client, taskQueue, directory, startWorker } = system;
    const [file, another] = [join(directory, 'a.jsonl'), join(directory, 'b.jsonl')] as const;
    await writeFile(file, '{}\n');
    await writeFile(another, '{"b":1}\n');
    const id = (name: string) => `${taskQueue}-${name}`;
    const upload = (name: string) => client.upload({ file, purpose: 'assistants', id: id(name) });
    const source = { type: 'file', path: another };
    const request = { source, purpose: 'assistants' };
    const other = await startOther(system, id('other'), 'otherProgram');
    const sync = await startOther(system, id('sync'), 'syncSource', [request]);
    await startOther(system, id('invalid'), 'uploadFile', ['text']);
    await expect(upload('other')).rejects.toThrow(JobIdTakenError);
    await expect(upload('sync')).rejects.toThrow(JobIdTakenError);
    await expect(upload('invalid')).rejects.toThrow(JobIdTakenError);
    const folder = { folder: directory, purpose: 'assistants' };
    await expect(client.sync({ ...folder, id: id('other') })).rejects.toThrow(JobIdTakenError);
    for (const { workflowId } of [other, sync])
      expect((await client.temporal.workflow.getHandle(workflowId).describe()).status.name).toBe('RUNNING');
    // An upload of another file, without a memo: its File is not that of this file.
    await startWorker();
    const started = await startOther(system, id('upload'), 'uploadFile', [request]);
    await started.result();
    await expect(upload('upload')).rejects.toThrow(JobIdTakenError);
    await expect(client.sync({ ...folder, id: id('upload') })).rejects.toThrow(JobIdTakenError);
    // The same request, as a program in another language writes it.
    await startOther(system, id('same'), 'uploadFile', [{ ...request, source: { type: 'file', path: file } }]);
    const same = await upload('same');
    expect(same.resumed).toBe(true);
    expect(await same.result()).toMatchObject({ file: { filename: 'a.jsonl' } });
  }));

it('a worker that starts retries uploads that wait for a key, also if a foreign memo is unreadable', () =>
  withSystem(async (system) => {
    const { api, client, taskQueue, directory, startWorker, temporalAddress } = system;
    const file = join(directory, 'a.jsonl');
    await writeFile(file, '{}\n');
    const destinations = [{ name: 'default', baseUrl: api.url, apiKey: 'sk-wrong' }];
    const worker = await startWorker({ destinations });
    const handle = await client.upload({ file, purpose: 'assistants' });
    await until(async () => (await handle.status()).waiting !== null, 'the upload to wait');
    const keyword = (value: string) => ({
      metadata: { encoding: Buffer.from('json/plain'), type: Buffer.from('Keyword') },
      data: Buffer.from(JSON.stringify(value)),
    });
    await client.temporal.workflowService.startWorkflowExecution({
      namespace: 'default',
      workflowId: `${taskQueue}-foreign`,
      requestId: taskQueue,
      workflowType: { name: 'uploadFile' },
      taskQueue: { name: taskQueue },
      workflowStartDelay: msToTs('1h'),
      memo: { fields: { other: { metadata: { encoding: Buffer.from('binary/other') }, data: Buffer.from('x') } } },
      searchAttributes: {
        indexedFields: { LonghaulState: keyword('waiting'), LonghaulReason: keyword('ApiRejected 401') },
      },
    });
    await until(async () => {
      const query = `TaskQueue = "${taskQueue}" AND LonghaulState = "waiting"`;
      return (await client.temporal.workflow.count(query)).count === 2;
    }, 'the list to contain both workflows');
    await worker.shutdown();
    const connection = await NativeConnection.connect({ address: temporalAddress });
    const options = { connection, taskQueue, sources: { any: true } };
    const next = await createWorker({ ...options, destinations: [{ name: 'default', baseUrl: api.url, apiKey: KEY }] });
    const run = next.run();
    try {
      expect(await handle.result()).toMatchObject({ file: { filename: 'a.jsonl' } });
    } finally {
      await next.shutdown();
      await run;
      await connection.close();
    }
  }));
