import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCli } from '../support/cli.ts';
import { randomFile } from '../support/random-file.ts';
import { manyFiles } from '../support/sync-folder.ts';
import { MiB, withSystem, type System } from '../support/system.ts';
import { until } from '../support/until.ts';
import { writeFiles } from '../support/temp-dir.ts';

const purpose = 'assistants';

interface Row {
  readonly workflowId: string;
}

/** The server is shared with other tests: only what is on this system's own. */
function mine(stdout: string, id: string): { uploads: Row[]; syncs: Row[] } {
  const { uploads, syncs } = JSON.parse(stdout) as { uploads: Row[]; syncs?: Row[] };
  const isMine = ({ workflowId }: Row) => workflowId === id;
  return { uploads: uploads.filter(isMine), syncs: (syncs ?? []).filter(isMine) };
}

/** The list is a moment behind. */
async function listedAs({ client }: System, id: string, state: string): Promise<void> {
  const query = `WorkflowId = "${id}" AND LonghaulState = "${state}"`;
  const isListed = async () => (await client.temporal.workflow.count(query)).count === 1;
  await until(isListed, `${id} to be listed as ${state}`, 10_000);
}

function lineOf(stdout: string, id: string): string | undefined {
  return stdout.split('\n').find((line) => line.includes(id));
}

describe('a sync', () => {
  it('that waits is in the lists, with the reason, and not in those of uploads', () =>
    withSystem(async (system) => {
      const { api, client, directory, environment } = system;
      await system.startWorker();
      const folder = join(directory, 'data');
      await writeFiles(folder, manyFiles(3));
      api.faults.add({ route: 'create', kind: 'status', status: 401, count: 1000 });
      const { workflowId } = await client.sync({ folder, purpose });
      await listedAs(system, workflowId, 'waiting');

      const [waiting, running, json, top, topJson, paused] = await Promise.all([
        runCli(['list', '--state', 'waiting'], environment),
        runCli(['list', '--running'], environment),
        runCli(['list', '--state', 'waiting', '--json'], environment),
        runCli(['top', '--once'], environment),
        runCli(['top', '--json'], environment),
        runCli(['list', '--state', 'paused'], environment),
      ]);
      for (const { stdout } of [waiting, running]) {
        expect(lineOf(stdout, workflowId)).toMatch(/^\S+ +waiting +\S+ +sync +0% .*ApiRejected 401 .*\/data$/);
      }
      expect(lineOf(top.stdout, workflowId)).toMatch(/^waiting +0% .* sync +.*rejects the key/);
      expect(top.stderr).toMatch(/sync/);
      expect(mine(json.stdout, workflowId)).toMatchObject({
        uploads: [],
        syncs: [{ type: 'syncSource', state: 'waiting', reason: 'ApiRejected 401', filename: folder, percent: 0 }],
      });
      expect(mine(topJson.stdout, workflowId)).toMatchObject({
        uploads: [],
        syncs: [{ type: 'syncSource', state: 'waiting', from: 'worker', filename: folder }],
      });
      expect(paused.stdout).not.toContain(workflowId);

      const idsOf = async (syncs: boolean) => {
        const ids: string[] = [];
        for await (const one of client.list({ state: 'waiting', taskQueue: client.taskQueue, syncs })) {
          ids.push(one.workflowId);
        }
        return ids;
      };
      expect([await idsOf(false), await idsOf(true)]).toEqual([[], [workflowId]]);
    }));

  it('of a schedule is in its show and its check, if the sync or one of its uploads waits', () =>
    withSystem(async (system) => {
      const { api, client, directory, environment, taskQueue } = system;
      await system.startWorker();
      await writeFiles(join(directory, 'small'), manyFiles(3));
      await mkdir(join(directory, 'large'));
      for (const name of ['a.bin', 'b.bin']) await randomFile(join(directory, 'large', name), 2 * MiB);
      // One upload is sent for as long as the test lasts, and everything else waits.
      api.configure({ bandwidthBytesPerSecond: MiB / 16 });
      api.faults.add({ route: 'create', kind: 'status', status: 401, skip: 1, count: 1000 });
      const names = ['small', 'large'].map((kind) => `${kind}-${taskQueue}`);
      const [small = '', large = ''] = names;
      const start = async (name: string, folder: string) => {
        const source = { type: 'folder', path: join(directory, folder), host: client.host } as const;
        await client.schedules.create({ name, cron: ['0 2 1 1 *'], sync: { source, purpose } });
        return (await client.schedules.trigger(name)) ?? '';
      };
      try {
        const isSeen = async (name: string) => (await client.schedules.check(name)).health === 'waiting';
        const ofLarge = await start(large, 'large');
        await until(() => isSeen(large), 'an upload of the large files to wait', 15_000);
        const ofSmall = await start(small, 'small');
        await until(() => isSeen(small), 'the sync of the small files to wait', 15_000);
        expect(await client.getHandle<'sync'>(ofLarge).status()).toMatchObject({ state: 'uploading', waiting: null });

        const [shown, json, checked, checkedJson] = await Promise.all([
          runCli(['schedule', 'show', small], environment),
          runCli(['schedule', 'show', large, '--json'], environment),
          runCli(['schedule', 'check', small, large], environment),
          runCli(['schedule', 'check', small, '--json'], environment),
        ]);
        expect(lineOf(shown.stdout, ofSmall)).toMatch(/^\S+ {2}waiting · \S+ · ApiRejected 401$/);
        expect(JSON.parse(json.stdout).runs).toMatchObject([
          { outcome: 'running', waitsFor: expect.stringMatching(/^ApiRejected 401 \(upload .*[ab]\.bin.*\)$/) },
        ]);
        expect(checked).toMatchObject({ code: 1, stderr: '' });
        expect(checked.stdout.split('\n')).toEqual([
          `${small}: waiting: ${ofSmall} is waiting: ApiRejected 401`,
          expect.stringMatching(/^large-\S+: waiting: \S+ is waiting: ApiRejected 401 \(upload \S+\)$/),
          '',
        ]);
        expect(JSON.parse(checkedJson.stdout)).toMatchObject({ healthy: false, schedules: [{ health: 'waiting' }] });
      } finally {
        for (const name of names) await client.schedules.delete(name).catch(() => {});
      }
    }));
});
