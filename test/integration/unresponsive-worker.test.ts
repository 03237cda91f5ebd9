import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { beginCli, runCli } from '../support/cli.ts';
import { withSystem } from '../support/system.ts';
import { until } from '../support/until.ts';
import { withUnresponsiveWorker } from '../support/unresponsive-worker.ts';

const purpose = 'assistants';
/** 14 s, and the time of the last calls on a busy machine. */
const MAX_MS = 25_000;

it('commands name a worker that polls and never responds, and the fix, within seconds', { timeout: 90_000 }, () =>
  withSystem(async (system) => {
    const { client, directory, environment, taskQueue } = system;
    const file = join(directory, 'a.jsonl');
    await writeFile(file, '{}\n');
    const polls = `the worker unresponsive polls task queue "${taskQueue}"`;
    const [upload, sync] = [`upload-${taskQueue}`, `sync-${taskQueue}`];
    await withUnresponsiveWorker(system, async () => {
      const source = ['--purpose', purpose, '--id'];
      const started = [
        beginCli(['upload', file, ...source, upload], environment),
        beginCli(['upload', file, '--quiet', ...source, `${upload}-quiet`], environment),
        beginCli(['sync', directory, ...source, sync], environment),
      ];
      for (const id of [upload, `${upload}-quiet`, sync]) {
        const isStarted = () => client.getHandle(id).describe();
        await until(() => isStarted().then(Boolean, () => false), `${id} to start`);
      }
      const [status, top, doctor, pause] = await Promise.all([
        runCli(['status', upload], environment),
        runCli(['top', '--once'], environment),
        runCli(['doctor'], environment),
        runCli(['pause', upload], environment),
        ...started.map((run) => until(() => run.stderr().includes(polls), 'the reason', MAX_MS)),
      ]);
      expect(status).toMatchObject({ code: 0, stdout: `${upload}: running\n` });
      expect(status.stderr).toContain(polls);
      expect(top.stdout).toContain(polls.slice(0, 'the worker unresp'.length));
      expect(doctor).toMatchObject({ code: 1, stdout: expect.stringContaining(`fail  workers: ${polls}`) });
      expect(pause).toMatchObject({ code: 1, stderr: expect.stringContaining(polls) });
      for (const run of started) {
        run.interrupt();
        const { stderr } = await run.ended;
        // Once, and not for each event.
        expect(stderr.split(polls)).toHaveLength(2);
        expect(stderr).toMatch(/Check the log, and restart it/);
      }
    });
  }),
);
