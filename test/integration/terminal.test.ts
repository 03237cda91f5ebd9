import { join } from 'node:path';
import type { UploadHandle } from 'longhaul';
import { describe, expect, it } from 'vitest';
import { runCli } from '../support/cli.ts';
import { randomFile } from '../support/random-file.ts';
import { MiB, partsReceived, withSystem, type System } from '../support/system.ts';
import { withTerminal } from '../support/terminal.ts';
import { until } from '../support/until.ts';

const partSizeBytes = MiB;

async function upload(system: System, name: string, parts: number): Promise<UploadHandle> {
  const file = join(system.directory, name);
  await randomFile(file, parts * MiB - 7);
  return system.client.upload({ file, purpose: 'batch', partSizeBytes, concurrency: 2 });
}

function longhaul({ environment }: System, ...args: string[]) {
  return runCli(args, environment);
}

async function listedAs(system: System, state: 'paused' | 'waiting', ids: readonly string[]): Promise<void> {
  const isListed = async () => {
    const found = new Set<string>();
    for await (const { workflowId } of system.client.list({ state, taskQueue: system.taskQueue }))
      found.add(workflowId);
    return ids.every((id) => found.has(id));
  };
  await until(isListed, `uploads to be listed as ${state}`, 10_000);
}

describe('the terminal', () => {
  it('lists, shows and tops uploads by their state, and agrees to the byte with what the API has', () =>
    withSystem(
      async (system) => {
        const { api, uploads } = system;
        await system.startWorker();
        const done = await upload(system, 'done.bin', 1);
        await done.result();
        api.faults.add({ route: 'create', kind: 'status', status: 403 });
        const waiting = await upload(system, 'waiting.bin', 2);
        await until(async () => (await waiting.status()).state === 'waiting', 'the upload to wait');
        const paused = await upload(system, 'paused.bin', 12);
        await partsReceived(system, 4);
        await paused.pause();
        await listedAs(system, 'paused', [paused.workflowId]);
        await listedAs(system, 'waiting', [waiting.workflowId]);
        const stored = uploads().find(({ filename }) => filename === 'paused.bin')?.bytesStored as number;
        expect(stored).toBeGreaterThanOrEqual(3 * MiB);

        const [list, top, status, byState] = await Promise.all([
          longhaul(system, 'list', '--state', 'paused', '--json'),
          longhaul(system, 'top', '--once', '--json'),
          longhaul(system, 'status', paused.workflowId, '--json'),
          longhaul(system, 'list', '--state', 'waiting'),
        ]);
        const mine = (outcome: { stdout: string }) =>
          JSON.parse(outcome.stdout).uploads.find(
            (one: { workflowId: string }) => one.workflowId === paused.workflowId,
          );
        expect(mine(list)).toMatchObject({
          state: 'paused',
          filename: 'paused.bin',
          bytes: 12 * MiB - 7,
          bytesDone: stored,
        });
        expect(mine(top)).toMatchObject({ state: 'paused', bytes: 12 * MiB - 7, bytesDone: stored, from: 'worker' });
        expect(JSON.parse(status.stdout)).toMatchObject({ progress: { state: 'paused', bytesDone: stored } });
        expect(list.stdout).not.toContain(waiting.workflowId);
        expect(byState.stdout).toMatch(new RegExp(`^\\S+  waiting  ${waiting.workflowId}  .*ApiRejected`, 'm'));
        expect(byState.stdout).not.toContain(paused.workflowId);
      },
      { bandwidthBytesPerSecond: 6 * MiB },
    ));

  it('pauses by a query and resumes without sending a part twice, after asking', () =>
    withSystem(
      async (system) => {
        await system.startWorker();
        const handles = await Promise.all(['a.bin', 'b.bin', 'c.bin'].map((name) => upload(system, name, 16)));
        const ids = handles.map(({ workflowId }) => workflowId);
        await partsReceived(system, 3);
        // None may be through before the commands have started, however slow the machine is.
        system.api.configure({ bandwidthBytesPerSecond: MiB / 8 });
        const query = `TaskQueue = "${system.taskQueue}"`;

        const unasked = await longhaul(system, 'pause', '--query', query);
        expect(unasked).toMatchObject({ code: 2, stderr: expect.stringMatching(/no terminal: add --yes/) });
        await withTerminal(['pause', '--query', query], system.environment, async ({ shows, press, ended }) => {
          await shows('pause these 3? [y/N]');
          system.api.configure({ bandwidthBytesPerSecond: 2 * MiB });
          press('y\n');
          expect(await ended).toBe(0);
        });
        for (const handle of handles)
          expect(await handle.status()).toMatchObject({ state: 'paused', partsInFlight: 0 });

        await listedAs(system, 'paused', ids);
        const resumed = await longhaul(
          system,
          'resume',
          '--query',
          `LonghaulState = "paused" AND ${query}`,
          '--yes',
          '--json',
        );
        const { outcomes } = JSON.parse(resumed.stdout);
        expect(outcomes.map((one: { workflowId: string }) => one.workflowId).toSorted()).toEqual(ids.toSorted());
        expect(outcomes).toMatchObject(ids.map(() => ({ outcome: 'done', progress: { state: 'uploading' } })));
        system.api.configure({ bandwidthBytesPerSecond: null });
        for (const handle of handles)
          expect(await handle.result()).toMatchObject({ parts: 16, partsSent: 16, sessions: 1 });
      },
      { bandwidthBytesPerSecond: 6 * MiB },
    ));
});
