import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { OpenBatchResult } from '../../src/contracts/batch.ts';
import { runCli, startCli, startWorkerProcess, type CliRun } from '../support/cli.ts';
import { md5, randomFile } from '../support/random-file.ts';
import { filesAt, manyFiles } from '../support/sync-folder.ts';
import { MiB, withSystem, type System } from '../support/system.ts';
import { until } from '../support/until.ts';
import { writeFiles } from '../support/temp-dir.ts';

/** `SYNC_KILL_FILES=500` for the long way. */
const SMALL_FILES = Number(process.env['SYNC_KILL_FILES'] ?? 60);
const LARGE_FILES = 3;
const purpose = 'assistants';

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

it('a sync continues after SIGKILL of its command, then of its worker, and sends each file once', () =>
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
    const killAfter = async (victim: CliRun, files: number) => {
      await until(() => completed(system) >= files, `${files} Files before the kill`);
      victim.child.kill('SIGKILL');
      await victim.ended;
      expect(completed(system), 'the kill came too late').toBeLessThan(all);
    };

    const embedded = { ...system.embedded, LONGHAUL_TASK_QUEUE: system.taskQueue };
    const args = ['sync', folder, '--purpose', purpose, '--json'];
    await killAfter(startCli(args, embedded), all / 3);
    await killAfter(await startWorkerProcess(system.environment, '--slots', '4'), (2 * all) / 3);
    const { code, stdout, stderr } = await runCli(args, embedded);
    expect(stderr).not.toMatch(/unexpected|Warning/);
    expect(code).toBe(0);
    const { workflowId, ...result } = JSON.parse(stdout);
    expect(result).toMatchObject({ resumed: true, counts: { sent: { files: all }, failed: 0 } });

    const recorded = await recordedSessions(system, workflowId);
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
    const next = await runCli(args, embedded);
    expect(JSON.parse(next.stdout)).toMatchObject({ counts: { same: all, sent: { files: 0 } } });
  }));
