import { mkdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCli } from '../support/cli.ts';
import { withSchedules, type ScheduleSystem } from '../support/stand-in/with-schedules.ts';
import { withTempDir } from '../support/temp-dir.ts';

function commandLine({ client, temporalAddress }: ScheduleSystem, directory: string) {
  const environment = {
    TEMPORAL_ADDRESS: temporalAddress,
    LONGHAUL_TASK_QUEUE: client.taskQueue,
    LONGHAUL_STATE_DIR: join(directory, 'state'),
    LONGHAUL_HOST: 'nowhere',
  };
  return (...args: string[]) => runCli(['schedule', ...args], environment);
}

describe.concurrent('longhaul schedule', () => {
  it('creates, shows, changes, pauses, resumes and deletes a schedule', () =>
    withTempDir((directory) =>
      withSchedules(async (system) => {
        const run = commandLine(system, directory);
        const folder = join(directory, 'data');
        await mkdir(folder);
        const nightly = system.name('nightly');
        const work = [
          '--',
          'sync',
          join(directory, 'data', '..', 'data'),
          '--purpose',
          'assistants',
          '--include',
          '*.jsonl',
          '--delete',
        ];
        const made = await run(
          'create',
          nightly,
          '--cron',
          '0 2 * * *',
          '--timezone',
          'Europe/Berlin',
          '--jitter',
          '5m',
          '--note',
          'all of it',
          ...work,
        );
        expect(made).toMatchObject({ code: 0, stdout: `${nightly}\n` });
        expect(made.stderr).toMatch(/cron "0 2 \* \* \*" Europe\/Berlin/);
        expect(made.stderr).toMatch(new RegExp(`no worker polls task queue "${system.client.taskQueue}"`));
        expect(await run('create', nightly, '--every', '1h', ...work)).toMatchObject({
          code: 2,
          stderr: expect.stringMatching(/schedule ".*" already exists/),
        });

        const jsonOf = async (...args: string[]) => JSON.parse((await run(...args, '--json')).stdout) as object;
        const shown = await jsonOf('show', nightly);
        expect(shown).toMatchObject({
          name: nightly,
          jitterMs: 300_000,
          note: 'all of it',
          runs: [],
          hasWorkers: false,
          sync: {
            source: { type: 'folder', path: await realpath(folder), host: 'nowhere' },
            purpose: 'assistants',
            include: ['*.jsonl'],
            delete: true,
          },
        });
        expect((await run('update', nightly, '--every', '1h30m', '--catchup', '2d')).code).toBe(0);
        expect((await run('pause', nightly)).stderr).toMatch(/every 1 h 30 min .*paused/);
        const text = (await run('show', nightly)).stdout;
        expect(text).toMatch(/note: all of it/);
        expect(text).toMatch(/overlap skip · catch-up 48 h · jitter 5 min/);
        expect((await run('resume', nightly)).stderr).toMatch(/next \d{4}-/);
        expect(await run('delete', nightly)).toMatchObject({ code: 2, stderr: expect.stringMatching(/Use --yes/) });

        expect(await jsonOf('update', nightly, '--note', 'other')).toMatchObject({ name: nightly, note: 'other' });
        expect(await jsonOf('pause', nightly)).toMatchObject({ name: nightly, paused: true });
        const { schedules } = (await jsonOf('list')) as { schedules: { name: string }[] };
        const resumed = await jsonOf('resume', nightly);
        expect(Object.keys(resumed)).toEqual(Object.keys(schedules.find(({ name }) => name === nightly) ?? {}));
        // Without a run, which would prevent that of the trigger: runs are every 90 minutes, with a jitter of 5 minutes.
        const [from, to] = ['2026-01-01T00:10:00.000Z', '2026-01-01T00:10:01.000Z'];
        expect(await jsonOf('backfill', nightly, '--from', from, '--to', to)).toEqual({ name: nightly, from, to });
        const triggered = (await jsonOf('trigger', nightly)) as { workflowId: string };
        expect(triggered).toEqual({ name: nightly, workflowId: expect.stringContaining(nightly) });
        await system.client.temporal.workflow.getHandle(triggered.workflowId).terminate('not needed');
        expect(await jsonOf('delete', nightly, '--yes')).toEqual({ name: nightly, deleted: true });
        expect(await jsonOf('delete', nightly, '--yes')).toMatchObject({ error: { code: 'ScheduleNotFound' } });
        await expect(system.client.schedules.get(nightly)).rejects.toThrow(/schedule ".*" not found/);
      }),
    ));

  it('exits with 1 from a check if a run had problems, and prints them', () =>
    withTempDir((directory) =>
      withSchedules(async (system) => {
        const run = commandLine(system, directory);
        await system.startWorker();
        const bad = system.name('bad');
        const made = await run(
          'create',
          bad,
          '--every',
          '1d',
          '--',
          'sync',
          directory,
          '--purpose',
          'assistants',
          '--prefix',
          'problems',
        );
        expect(made.code).toBe(0);
        const workflowId = (await run('trigger', bad)).stdout.trim();
        await system.client.temporal.workflow.getHandle(workflowId).result();
        const [shown, checked, inJson] = await Promise.all([
          run('show', bad),
          run('check', bad),
          run('check', bad, '--json'),
        ]);
        expect(shown.stdout).toMatch(/problems after .*1 sent \(1 KiB\) · 2 unchanged · 1 file failed/);
        expect(checked).toMatchObject({ code: 1, stderr: '' });
        expect(checked.stdout).toMatch(/problems: .*1 file failed, such as a\.jsonl/);
        const json = JSON.parse(inJson.stdout);
        expect(json).toMatchObject({ healthy: false, schedules: [{ name: bad, health: 'problems' }] });
      }),
    ));

  it('reports all invalid input in one line, before anything is created', () =>
    withTempDir((directory) =>
      withSchedules(async (system) => {
        const run = commandLine(system, directory);
        const wrong = [
          'create',
          '-x',
          '--cron',
          '* * *',
          '--jitter',
          'soon',
          '--timezone',
          'Nowhere',
          '--overlap',
          'maybe',
        ];
        const { code, stdout, stderr } = await run(
          ...wrong.map((word) => (word === '-x' ? 'x y' : word)),
          '--',
          'sync',
          'missing',
          '--purpose',
          'assistants',
        );
        expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
        expect(stderr.trim().split('\n')).toHaveLength(1);
        for (const words of [
          'its name must',
          '--jitter must be a duration',
          'zone "Nowhere"',
          'policy "maybe"',
          'missing',
        ]) {
          expect(stderr).toContain(words);
        }
        const unknown = await run(
          'create',
          'x',
          '--every',
          '1h',
          '--',
          'sync',
          directory,
          '--purpose',
          'dance',
          '--prefix',
          'a/b',
        );
        expect(unknown).toMatchObject({
          code: 2,
          stderr: expect.stringMatching(/must not contain slashes.*unknown purpose "dance"/),
        });
        expect((await run('create', 'x', '--every', '1h', '--', 'copy', directory)).stderr).toMatch(
          /use "sync" or "upload", not "copy"/,
        );
        expect((await run('create', 'x', '--every', '1h', '--', 'sync', directory)).stderr).toMatch(
          /required option '--purpose/,
        );
        expect((await run('backfill', 'x', '--from', 'yesterday')).stderr).toMatch(
          /--from must be a time, .*, not "yesterday"/,
        );
      }),
    ));
});
