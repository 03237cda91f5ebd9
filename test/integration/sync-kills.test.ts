import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { OpenBatchResult } from '../../src/contracts/batch.ts';
import { beginWorker, runCli, startCli, startWorkerProcess, type CliRun } from '../support/cli.ts';
import { md5, randomFile } from '../support/random-file.ts';
import { filesAt, manyFiles, runSync } from '../support/sync-folder.ts';
import { MiB, withSystem, type System } from '../support/system.ts';
import { until } from '../support/until.ts';
import { writeFiles } from '../support/temp-dir.ts';

/** `SYNC_KILL_FILES=500` for the long way. */
const SMALL_FILES = Number(process.env['SYNC_KILL_FILES'] ?? 120);
const LARGE_FILES = 3;
const KILLS = 2;
const purpose = 'assistants';

async function kill({ child, ended }: CliRun): Promise<void> {
  child.kill('SIGKILL');
  await ended;
}

function completed({ uploads }: System): number {
  return uploads().filter(({ status }) => status === 'completed').length;
}

/** IDs of the sessions that `openBatch` has returned. */
async function recordedSessions({ client }: System, workflowId: string): Promise<Set<string>> {
  const { events } = await client.temporal.workflow.getHandle(workflowId).fetchHistory();
  const results = (events ?? []).flatMap(
    ({ activityTaskCompletedEventAttributes: ended }) => ended?.result?.payloads?.[0]?.data ?? [],
  );
  const opened = results.flatMap(
    (data) => (JSON.parse(Buffer.from(data).toString()) as Partial<OpenBatchResult> | null)?.outcomes ?? [],
  );
  return new Set(opened.flatMap((outcome) => ('session' in outcome ? outcome.session.uploadId : [])));
}

describe('SIGKILL of every worker in the middle of a sync', () => {
  it('twice: in the end each file is there once, byte-exact, and the next run sends nothing', () =>
    withSystem(async (system) => {
      const folder = join(system.directory, 'data');
      await mkdir(folder);
      const contents = manyFiles(SMALL_FILES);
      await writeFiles(folder, contents);
      const large = new Map<string, string>();
      for (let index = 0; index < LARGE_FILES; index++) {
        large.set(`large-${index}`, md5(await randomFile(join(folder, `large-${index}`), 2 * MiB)));
      }
      const all = SMALL_FILES + LARGE_FILES;
      system.api.configure({ latencyMs: 5 });

      const startVictim = () => startWorkerProcess(system.environment, '--slots', '4');
      let victim = await startVictim();
      const handle = await system.client.sync({ folder, purpose });
      for (let kills = 1; kills <= KILLS; kills++) {
        const wanted = Math.floor((all * kills) / (KILLS + 1));
        await until(() => completed(system) >= wanted, `${wanted} Files before kill ${kills}`);
        await kill(victim);
        expect(completed(system), 'the kill came too late').toBeLessThan(all);
        if (kills < KILLS) victim = await startVictim();
      }
      await beginWorker(system.environment, '--slots', '4');
      const { counts } = await handle.result();
      expect(counts).toMatchObject({ sent: { files: all }, failed: 0 });

      const recorded = await recordedSessions(system, handle.workflowId);
      expect(recorded.size).toBeGreaterThanOrEqual(SMALL_FILES);
      const open = system.uploads().filter(({ id, status }) => recorded.has(id) && status === 'pending');
      expect(open, 'no session whose ID was recorded is left open').toEqual([]);

      const files = await filesAt(system);
      expect(files.size).toBe(all);
      expect([...files.values()].filter((ids) => ids.length !== 1)).toEqual([]);
      for (const [path, content] of Object.entries(contents)) {
        const [id] = files.get(path.replace('/', '__')) as [string];
        expect((await system.download(id)).toString()).toBe(content);
      }
      for (const [name, digest] of large) {
        expect(md5(await system.download((files.get(name) as [string])[0]))).toBe(digest);
      }
      expect((await runSync(system, { folder, purpose })).counts).toMatchObject({ same: all, sent: { files: 0 } });
    }));

  it('a command that was killed resumes when it is run again', () =>
    withSystem(
      async (system) => {
        const folder = join(system.directory, 'data');
        await writeFiles(folder, manyFiles(40));
        system.api.configure({ latencyMs: 20 });
        const args = ['sync', folder, '--purpose', purpose, '--json'];
        const first = startCli(args, system.embedded);
        await until(() => completed(system) >= 8, 'some Files');
        await kill(first);
        expect(completed(system)).toBeLessThan(40);
        const second = await runCli(args, system.embedded);
        expect(second.stderr).not.toMatch(/unexpected|Warning/);
        expect(second.code).toBe(0);
        expect(JSON.parse(second.stdout)).toMatchObject({ resumed: true, counts: { sent: { files: 40 }, failed: 0 } });
        expect([...(await filesAt(system)).values()].filter((ids) => ids.length !== 1)).toEqual([]);
      },
      { ownServer: true },
    ));
});
