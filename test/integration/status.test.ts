import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { beginCli, runCli } from '../support/cli.ts';
import { linesFile } from '../support/lines-file.ts';
import { randomFile } from '../support/random-file.ts';
import { MiB, withSystem } from '../support/system.ts';
import { withTemporalServer } from '../support/temporal-with-flags.ts';
import { until } from '../support/until.ts';

describe('longhaul status', () => {
  it('shows the results of uploads and syncs without a worker, and exits immediately', () =>
    withSystem(async (system) => {
      const { api, client, directory, environment, taskQueue } = system;
      const worker = await system.startWorker();
      const start = async (name: string, mebibytes: number) => {
        const file = join(directory, name);
        await randomFile(file, mebibytes * MiB - 7);
        return client.upload({ file, purpose: 'assistants', partSizeBytes: MiB, concurrency: 2 });
      };
      const done = await start('done.bin', 2);
      const { file } = await done.result();

      api.faults.add({ route: 'create', kind: 'status', status: 422 });
      const failed = await start('failed.bin', 1);
      await expect(failed.result()).rejects.toThrow();

      const lines = join(directory, 'lines.jsonl');
      await linesFile(lines, 3 * MiB);
      api.faults.add({ route: 'create', kind: 'status', status: 422, skip: 1 });
      const split = await client.uploadSplit({ file: lines, purpose: 'assistants', pieceSizeBytes: 2 * MiB });
      await expect(split.result()).rejects.toThrow();

      const folder = join(directory, 'folder');
      await mkdir(folder);
      await writeFile(join(folder, 'a.txt'), 'a');
      const sync = await client.sync({ folder, purpose: 'assistants' });
      await sync.result();

      api.faults.add({ route: 'part', kind: 'stall', count: 1000 });
      const cancelled = await start('cancelled.bin', 4);
      const terminated = await start('terminated.bin', 4);
      await until(() => (api.faults.list().at(-1)?.fired ?? 0) >= 2, 'parts to hang');
      await cancelled.cancel();
      await expect(cancelled.result()).rejects.toThrow();
      await client.temporal.workflow.getHandle(terminated.workflowId).terminate('for the test');
      await worker.shutdown();
      const running = await start('running.bin', 1);
      const timedOut = await client.temporal.workflow.start('uploadFile', {
        taskQueue,
        workflowId: `timed-out-${taskQueue}`,
        args: [{ source: { type: 'file', path: lines }, purpose: 'assistants' }],
        workflowExecutionTimeout: 1000,
      });
      await expect(timedOut.result()).rejects.toThrow();

      const ended = [done, failed, split, sync, cancelled, terminated, timedOut].map(({ workflowId }) => workflowId);
      const run = (...args: string[]) => runCli(['status', ...args], environment);
      // A command that waits for a worker prints this on standard error.
      const shown = await run(...ended);
      expect(shown).toMatchObject({ code: 0, stderr: '' });
      const [of1, of2, of3, piece1, piece2, of4, of5, of6, of7] = shown.stdout.split('\n');
      expect(of1).toMatch(new RegExp(`^${done.workflowId}: completed · 2 MiB in .* · ${file.id}$`));
      expect(of2).toMatch(new RegExp(`^${failed.workflowId}: failed · ApiRejected: .*422`));
      expect(of3).toMatch(new RegExp(`^${split.workflowId}: failed · PiecesFailed: 1 of 2 pieces`));
      expect(piece1).toMatch(/^ {2}1\. completed .* · file-\w+$/);
      expect(piece2).toMatch(/^ {2}2\. failed .*422/);
      expect(of4).toMatch(new RegExp(`^${sync.workflowId}: completed · 1 sent \\(1 B\\) · 0 unchanged in `));
      expect(of5).toBe(`${cancelled.workflowId}: cancelled`);
      expect(of6).toBe(`${terminated.workflowId}: terminated`);
      expect(of7).toBe(`${timedOut.workflowId}: timed out`);

      // The library reads the same, in the form of the progress.
      const states = await Promise.all([done, failed, split, sync, cancelled, terminated].map((one) => one.status()));
      expect(states).toMatchObject([
        { state: 'completed', filename: 'done.bin', bytesDone: 2 * MiB - 7, partsDone: 2, partsTotal: 2 },
        { state: 'failed', filename: 'failed.bin', waiting: null },
        { state: 'failed', pieces: [{ state: 'completed' }, { state: 'failed' }] },
        { state: 'completed', counts: { sent: { files: 1 } }, bytesSent: 1 },
        { state: 'cancelled', filename: 'cancelled.bin' },
        { state: 'cancelled', filename: 'terminated.bin' },
      ]);

      const json = await run(...ended, '--json');
      const objects = json.stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, unknown>);
      expect(objects.map(({ workflowId }) => workflowId)).toEqual(ended);
      expect(objects).toMatchObject([
        { status: 'COMPLETED', result: { file: { id: file.id } } },
        { status: 'FAILED', error: { code: 'ApiRejected', message: expect.any(String) } },
        {
          status: 'FAILED',
          error: { code: 'PiecesFailed' },
          pieces: [{ state: 'completed' }, { state: 'failed' }],
        },
        { status: 'COMPLETED', result: { counts: { sent: { files: 1 } } } },
        { status: 'CANCELLED', error: { code: 'JobCancelled' } },
        { status: 'TERMINATED', error: { code: 'JobCancelled' } },
        { status: 'TIMED_OUT', error: { code: 'TimeoutFailure' } },
      ]);
      expect(json.stdout).not.toContain('"memory"');

      const [watched, unserved, mixed, watchedMany] = await Promise.all([
        run(cancelled.workflowId, '--watch'),
        run(running.workflowId),
        run('no-such-upload', done.workflowId),
        run(done.workflowId, failed.workflowId, '--watch'),
      ]);
      expect(watched).toMatchObject({ code: 1, stderr: `longhaul: ${cancelled.workflowId} was cancelled\n` });
      expect(unserved).toMatchObject({ code: 0, stdout: `${running.workflowId}: running\n` });
      expect(unserved.stderr).toMatch(/no worker/);
      expect(mixed).toMatchObject({ code: 1, stderr: expect.stringMatching(/^longhaul: no-such-upload: .*\n$/) });
      expect(mixed.stdout).toContain(`${done.workflowId}: completed`);
      expect(watchedMany).toMatchObject({ code: 2, stderr: expect.stringMatching(/--watch follows one/) });
    }));

  it('prints the fix, like each control, if the upload is paused in Temporal, and the upload then completes', () =>
    withTemporalServer({ 'frontend.WorkflowPauseEnabled': 'true' }, (temporalAddress) =>
      withSystem(
        async ({ api, client, directory, environment, startWorker }) => {
          await startWorker();
          const path = join(directory, 'a.bin');
          await randomFile(path, 2 * MiB);
          api.faults.add({ route: 'create', kind: 'status', status: 403 });
          const handle = await client.upload({ file: path, purpose: 'assistants' });
          const { workflowId } = handle;
          await until(async () => (await handle.status()).waiting !== null, 'the upload to wait');
          const { workflowService } = client.temporal;
          await workflowService.pauseWorkflowExecution({ namespace: 'default', workflowId, requestId: 'pause' });

          const fix = `Run "temporal workflow unpause --workflow-id ${workflowId}".`;
          const problem = `longhaul: ${workflowId} is paused in Temporal, and does not respond. ${fix}\n`;
          const run = (...args: string[]) => runCli([...args, workflowId], environment);
          expect(await run('status')).toMatchObject({ code: 0, stdout: `${workflowId}: paused\n`, stderr: problem });
          for (const verb of ['pause', 'resume', 'retry', 'cancel']) {
            expect(await run(verb)).toMatchObject({ code: 1, stderr: problem });
          }
          await until(async () => {
            for await (const { state } of client.list({ running: true })) return state === 'paused';
            return false;
          }, 'the list to show the pause');
          const watched = beginCli(['status', workflowId, '--watch'], environment);
          await until(() => watched.stdout().includes(fix), 'the line of the watched upload');
          watched.interrupt();
          await watched.ended;
          const top = await runCli(['top', '--once'], environment);
          expect(top.stdout).toMatch(/paused/);
          const { value: event } = await handle.progress().next();
          expect(event).toMatchObject({ type: 'no-answer', isPaused: true, reason: expect.stringContaining(fix) });

          await workflowService.unpauseWorkflowExecution({ namespace: 'default', workflowId, requestId: 'unpause' });
          await handle.retry();
          expect((await handle.result()).bytes).toBe(2 * MiB);
        },
        { temporalAddress },
      ),
    ));

  it('names the command for schedules if the ID is the name of a schedule', () =>
    withSystem(async ({ client, directory, environment, taskQueue }) => {
      const name = `status-${taskQueue}`;
      await client.schedules.create({
        name,
        cron: ['0 3 * * *'],
        sync: { source: { type: 'folder', path: directory }, purpose: 'assistants' },
      });
      try {
        const { code, stderr } = await runCli(['status', name], environment);
        expect(stderr).toBe(`longhaul: ${name} is a schedule. Use "longhaul schedule show ${name}".\n`);
        expect(code).toBe(2);
      } finally {
        await client.schedules.delete(name);
      }
    }));
});
