import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { beginCli, runCli, type CliOutcome } from '../support/cli.ts';
import { randomFile } from '../support/random-file.ts';
import { MiB, partsReceived, withSystem } from '../support/system.ts';
import { withTempDir, writeFiles } from '../support/temp-dir.ts';

/** Standard output as JSON, one value for each line. */
function linesOf({ stdout }: CliOutcome): any[] {
  expect(stdout).toMatch(/\n$/);
  return stdout
    .slice(0, -1)
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
}

describe('a command with --json that fails before it starts', () => {
  it.each([
    [['upload', '--json'], 2, 'UsageInvalid', /required option '--purpose/],
    [['upload', 'x', '--purpose', 'assistants', '--concurency', '4', '--json'], 2, 'UsageInvalid', /'--concurency'/],
    [['upload', 'x', '--purpose', 'assistants', '--part-size', '1', '--json'], 2, 'UsageInvalid', /--part-size/],
    [['upload', '/no/such', '--purpose', 'assistants', '--json'], 2, 'ConfigInvalid', /OPENAI_API_KEY/],
    [
      ['upload', '/no/such', '--purpose', 'assistants', '--json'],
      2,
      'SourceMissing',
      /\/no\/such/,
      { OPENAI_API_KEY: 'k' },
    ],
    [['upload', '/no/such', '--purpose', 'nonsense', '--json'], 2, 'ConfigInvalid', /unknown purpose/],
    [['sync', '/no/such', '--purpose', 'assistants', '--json'], 2, 'SourceMissing', /\/no\/such/],
    [['status', '--json'], 2, 'UsageInvalid', /missing required argument 'id/],
    [['list', '--state', 'odd', '--json'], 2, 'UsageInvalid', /--state/],
    [['list', '--json'], 1, 'TemporalUnreachable', /127\.0\.0\.1:9/, { TEMPORAL_ADDRESS: '127.0.0.1:9' }],
    [['schedule', 'show', 'x', '--jsn', '--json'], 2, 'UsageInvalid', /'--jsn'/],
    [['pause', '--json'], 2, 'ConfigInvalid', /nothing to pause/],
    [['lst', '--json'], 2, 'UsageInvalid', /unknown command 'lst'/],
    [['--json'], 2, 'UsageInvalid', /--json/],
  ] as [string[], number, string, RegExp, Record<string, string>?][])(
    'prints one object with the error: %j',
    (args, status, code, message, environment = {}) =>
      withTempDir(async (directory) => {
        const outcome = await runCli(args, { LONGHAUL_STATE_DIR: join(directory, 'state'), ...environment });
        expect(linesOf(outcome)).toEqual([{ error: { code, message: expect.stringMatching(message) } }]);
        expect(outcome.code).toBe(status);
        expect(outcome.stderr).toMatch(/^longhaul: /m);
      }),
  );
});

describe('an upload with --json', () => {
  it('prints one line for each file, whether it becomes a File or not', () =>
    withSystem(async (system) => {
      await system.startWorker();
      const folder = join(system.directory, 'data');
      await mkdir(folder);
      const files = ['a.bin', 'b.bin'].map((name) => join(folder, name));
      for (const file of files) await randomFile(file, MiB + 1);
      await writeFile(join(folder, 'empty'), '');
      system.api.faults.add({ route: 'create', kind: 'status', status: 400, skip: 1 });

      const args = ['upload', folder, '--purpose', 'assistants', '--json', '--limit', '1GiB/s'];
      const outcome = await runCli(args, system.environment);
      const lines = linesOf(outcome);
      expect(outcome.stderr).toMatch(/--limit 1\.?0* GiB\/s is the rate of each of the 2 uploads\. To limit their sum/);
      expect(lines.map(({ source }) => source as string).toSorted()).toEqual([...files, join(folder, 'empty')]);
      expect(lines.filter(({ file }) => file !== undefined)).toHaveLength(1);
      expect(
        lines
          .filter(({ error }) => error !== undefined)
          .map(({ error }) => error.code as string)
          .toSorted(),
      ).toEqual(['ApiRejected', 'SourceUnusable']);
      expect(outcome.code).toBe(1);

      const source = files[0] as string;
      const again = ['upload', source, '--purpose', 'assistants', '--json', '--again', '--detach'];
      const detached = linesOf(await runCli(again, system.environment));
      expect(detached).toEqual([{ source, workflowId: expect.any(String), resumed: false }]);
    }));

  it('prints one object if it fails or is interrupted, like a sync', () =>
    withSystem(
      async (system) => {
        await system.startWorker();
        const file = join(system.directory, 'a.bin');
        await randomFile(file, 8 * MiB);
        const args = ['upload', file, '--purpose', 'assistants', '--json', '--part-size', '1MiB'];
        const upload = beginCli(args, system.environment);
        await partsReceived(system, 1);
        upload.interrupt();
        const interrupted = await upload.ended;
        expect(linesOf(interrupted)).toEqual([
          {
            source: file,
            workflowId: expect.any(String),
            resumed: false,
            error: { code: 'Interrupted', message: expect.stringContaining('Run the same command again') },
          },
        ]);
        expect(interrupted.code).toBe(130);

        const [{ workflowId }] = linesOf(interrupted);
        const watch = beginCli(['status', workflowId, '--watch', '--json'], system.environment);
        await system.client.getHandle(workflowId as string).cancel();
        const watched = await watch.ended;
        expect(linesOf(watched).at(-1)).toMatchObject({ workflowId, error: { code: 'JobCancelled' } });
        expect(watched.code).toBe(1);

        const folder = join(system.directory, 'data');
        await writeFiles(folder, { 'good.txt': 'good', 'bad.txt': 'bad' });
        system.api.configure({ bandwidthBytesPerSecond: null });
        system.api.faults.add({ route: 'create', kind: 'status', status: 422, count: 1 });
        const sync = await runCli(['sync', folder, '--purpose', 'assistants', '--json'], system.environment);
        expect(linesOf(sync)).toMatchObject([{ counts: { failed: 1 }, error: { code: 'FilesFailed' } }]);
        expect(sync.code).toBe(1);

        const steered = await runCli(['pause', workflowId, 'no-such-id', '--json'], system.environment);
        expect(linesOf(steered)).toMatchObject([{ outcomes: [{}, { error: { code: 'JobNotFound' } }] }]);
      },
      { bandwidthBytesPerSecond: MiB },
    ));
});
