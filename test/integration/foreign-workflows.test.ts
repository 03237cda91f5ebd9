import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { JobIdTakenError, StrangeWorkflowError } from 'longhaul/errors';
import { runCli } from '../support/cli.ts';
import { withSystem, type System } from '../support/system.ts';

/** Workflows of other programs in the same namespace, some with IDs and types like those of Longhaul. */

const startOther = ({ client, taskQueue }: System, workflowId: string, type: string, args: unknown[] = []) =>
  client.temporal.workflow.start(type, { workflowId, taskQueue: type === 'otherProgram' ? type : taskQueue, args });

it('does not follow, change or cancel a workflow of another type', () =>
  withSystem(async (system) => {
    const { client, taskQueue, environment } = system;
    const workflowId = `${taskQueue}-other`;
    const other = await startOther(system, workflowId, 'otherProgram');
    const handle = client.getHandle(workflowId);
    for (const call of [() => handle.cancel(), () => handle.pause(), () => handle.retry(), () => handle.status()])
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

it('rejects the ID of a workflow of another program, and terminates nothing', () =>
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
    // The same request, as a program in another language writes it.
    await startOther(system, id('same'), 'uploadFile', [{ ...request, source: { type: 'file', path: file } }]);
    const same = await upload('same');
    expect(same.resumed).toBe(true);
    expect(await same.result()).toMatchObject({ file: { filename: 'a.jsonl' } });
  }));
