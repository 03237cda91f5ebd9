import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { beginCli, runCli } from '../support/cli.ts';
import { randomFile } from '../support/random-file.ts';
import { filesAt } from '../support/sync-folder.ts';
import { MiB, withSystem } from '../support/system.ts';
import { until } from '../support/until.ts';
import { writeFiles } from '../support/temp-dir.ts';

describe('longhaul sync', () => {
  it('sends a folder, describes a dry run, deletes on request, and prints JSON', () =>
    withSystem(async (system) => {
      const folder = join(system.directory, 'data');
      await writeFiles(folder, { 'a.jsonl': 'a\n', 'b/c.jsonl': 'c\n', 'd.txt': 'd\n' });
      const sync = (...args: string[]) =>
        runCli(['sync', folder, '--purpose', 'assistants', '--include', '*.jsonl', ...args], system.embedded);
      const first = await sync();
      expect(first.stderr).toMatch(/2 sent .* 0 unchanged in/);
      expect(first).toMatchObject({ code: 0, stdout: '' });

      await rm(join(folder, 'a.jsonl'));
      await writeFile(join(folder, 'b/c.jsonl'), 'changed\n');
      const young = await sync('--min-age', '5m', '--exclude', 'b', '--exclude', 'none/*');
      expect(young.code, young.stderr).toBe(0);
      for (const line of [
        "longhaul: --exclude 'b' matched no file. It matches a folder. For a folder with its files, use 'b/'.",
        "longhaul: --exclude 'none/*' matched no file. Check the glob.",
        'postponed: b/c.jsonl: changed less than 5 min ago. Postponed to the next run',
      ]) {
        expect(young.stderr.split('\n')).toContain(line);
      }
      expect(young.stderr).toMatch(/0 sent .* 1 postponed in/);
      const unmatched = await sync('--dry-run', '--json', '--exclude', 'none/*');
      expect(JSON.parse(unmatched.stdout).unmatchedGlobs).toEqual([{ list: 'exclude', glob: 'none/*' }]);

      const dry = await sync('--delete', '--dry-run');
      expect(dry.stdout).toMatch(
        /^delete {2}a.jsonl {2}2 B {2}source deleted \(File file-\w+\)\nupload {2}b\/c.jsonl {2}8 B {2}changed\n$/,
      );
      expect(dry.stderr).toMatch(/would send 1 \(8 B\) and delete 1 · 0 unchanged/);
      expect(dry.code).toBe(0);

      const refused = await sync('--delete');
      expect(refused).toMatchObject({
        code: 2,
        stdout: '',
        stderr: expect.stringMatching(/not a terminal\. Use --yes/),
      });

      const third = await sync('--delete', '--yes', '--json');
      expect(JSON.parse(third.stdout)).toMatchObject({ counts: { sent: { files: 1 }, deleted: 1 }, resumed: false });
      expect(JSON.parse(third.stdout)).not.toHaveProperty('memory');
      expect((await filesAt(system)).get('b__c.jsonl')).toHaveLength(2);
      expect((await filesAt(system)).has('a.jsonl')).toBe(false);
    }));

  it('shows the progress of a large file, as do its status and its events', () =>
    withSystem(
      async (system) => {
        const folder = join(system.directory, 'data');
        await mkdir(folder);
        await randomFile(join(folder, 'large.bin'), 8 * MiB);
        // One part at a time, so that they don't all end together.
        await system.startWorker({ transferSlots: 1 });
        const id = `large-${system.taskQueue}`;
        const args = ['--purpose', 'assistants', '--part-size', '1MiB', '--id', id];
        const run = beginCli(['sync', folder, ...args], system.environment);
        await until(
          () => system.uploads().length > 0,
          () => `the session: ${run.stderr()}`,
        );

        const sizes: number[] = [];
        const watching = (async () => {
          for await (const event of system.client.getHandle<'sync'>(id).progress({ intervalMs: 300 })) {
            if (event.type === 'progress' && event.progress.counts.sent.files === 0) sizes.push(event.bytesSent ?? 0);
          }
        })();
        await until(
          () => new Set(sizes.filter((bytes) => bytes > 0)).size > 2,
          'events with three different numbers of bytes',
        );
        await until(
          () => /^0 of 1 files · (?!0 B)\S+ \S+ of 8 MiB( · .* left)?$/m.test(run.stderr()),
          'a line with bytes',
        );
        await until(async () => {
          const { stdout } = await runCli(['status', id], system.environment);
          return /· 0 of 1 files · (?!0 B)\S+ \S+ of 8 MiB · .* 1 uploading/.test(stdout);
        }, 'a status with bytes');
        system.api.configure({ bandwidthBytesPerSecond: null });

        const { code, stderr } = await run.ended;
        await watching;
        expect(sizes).toEqual(sizes.toSorted((a, b) => a - b));
        expect(stderr).toMatch(/1 sent \(8 MiB\)/);
        expect(code).toBe(0);
      },
      { bandwidthBytesPerSecond: MiB / 2 },
    ));

  it('exits with 1 if a file failed, and names it', () =>
    withSystem(async (system) => {
      const folder = join(system.directory, 'data');
      await writeFiles(folder, { 'good.jsonl': 'g\n', 'bad\n.jsonl': 'b\n' });
      const outcome = await runCli(['sync', folder, '--purpose', 'assistants', '--quiet'], system.embedded);
      expect(outcome.stderr).toMatch(/its name contains control characters\. Rename it/);
      expect(outcome.stderr).toMatch(/longhaul: 1 file failed/);
      expect(outcome.code).toBe(1);
      expect([...(await filesAt(system)).keys()]).toEqual(['good.jsonl']);
    }));

  it('reports a missing folder, a file, an incorrect key and an invalid option before anything is created', () =>
    withSystem(async (system) => {
      const folder = join(system.directory, 'data');
      await mkdir(folder);
      const environment = system.embedded;
      const missing = await runCli(['sync', join(folder, 'none'), '--purpose', 'assistants'], environment);
      expect(missing).toMatchObject({ code: 2, stderr: expect.stringMatching(/none: it does not exist/) });
      const prefix = await runCli(['sync', folder, '--purpose', 'assistants', '--prefix', 'a/b'], environment);
      expect(prefix).toMatchObject({ code: 2, stderr: expect.stringMatching(/"prefix" .* slashes/) });
      const key = await runCli(['sync', folder, '--purpose', 'assistants'], {
        ...environment,
        OPENAI_API_KEY: 'sk-no',
      });
      expect(key).toMatchObject({ code: 2, stderr: expect.stringMatching(/rejects the key/) });
      expect(system.api.stats().requests).not.toHaveProperty('create');
    }));
});

describe('longhaul upload', () => {
  it('accepts directories and quoted globs, skips files that it cannot send, and then exits with 1', () =>
    withSystem(async (system) => {
      const folder = join(system.directory, 'data');
      await writeFiles(folder, { 'a/1.jsonl': '1', 'a/b/2.jsonl': '2', 'a/.hidden.jsonl': 'h', 'c/3.txt': '3' });
      const upload = (...names: string[]) =>
        runCli(['upload', ...names, '--purpose', 'assistants', '--quiet'], system.embedded);
      const globbed = await upload(join(folder, '**/*.jsonl'));
      expect(globbed.code).toBe(0);
      expect([...(await filesAt(system)).keys()].toSorted()).toEqual(['1.jsonl', '2.jsonl']);

      await writeFiles(folder, { 'c/empty': '' });
      const walked = await upload(join(folder, 'c'));
      expect(walked.stderr).toMatch(/skipped .*c\/empty: is empty.*\nlonghaul: 1 file was skipped\n$/);
      expect(walked.code).toBe(1);
      expect([...(await filesAt(system)).keys()].toSorted()).toEqual(['1.jsonl', '2.jsonl', '3.txt']);

      const nothing = await upload(join(folder, '*.csv'));
      expect(nothing).toMatchObject({ code: 2, stderr: expect.stringMatching(/no file matches .*\*\.csv/) });
    }));
});
