import { mkdir, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { beginCli, runCli, startCli } from '../support/cli.ts';
import { linesFile } from '../support/lines-file.ts';
import { md5, randomFile } from '../support/random-file.ts';
import { MiB, partsReceived, withSystem, type System, type SystemOptions } from '../support/system.ts';
import { until } from '../support/until.ts';

const args = ['upload', '-', '--filename', 'piped.jsonl', '--purpose', 'assistants', '--part-size', '1MiB'];

/** The shared Temporal server, and a state directory of the test's own. */
const withWorker = (run: (system: System) => Promise<void>, options: SystemOptions = {}) =>
  withSystem(async (system) => {
    await system.startWorker();
    await run(system);
  }, options);

const spoolOf = ({ directory }: System) => join(directory, 'state', 'spool');
const spooled = (system: System) => readdir(spoolOf(system)).catch((): string[] => []);

function pathIn(stderr: string): string {
  return /^saved .* to (\S+)\. /m.exec(stderr)?.[1] ?? '';
}

describe('standard input', () => {
  it('is uploaded under a name too long for a disk, also in pieces, and its copy is removed', () =>
    withWorker(async (system) => {
      const content = await linesFile(join(system.directory, 'content'), 3 * MiB);
      const name = 'あ'.repeat(150);
      const named = args.with(3, `${name}.jsonl`);
      const run = beginCli([...named, '--split-size', '2MiB', '--json'], system.environment);
      run.stdin.end(content);
      const outcome = await run.ended;
      expect(outcome.stderr).toMatch(/saved standard input \(3 MiB\) to .*\/copy\./);
      expect(outcome.code).toBe(0);
      const { files } = JSON.parse(outcome.stdout);
      expect(files.map(({ filename }: { filename: string }) => filename)).toEqual([
        `${name}-00001-of-00002.jsonl`,
        `${name}-00002-of-00002.jsonl`,
      ]);
      const pieces = await Promise.all(files.map(({ id }: { id: string }) => system.download(id)));
      expect(md5(Buffer.concat(pieces))).toBe(md5(content));
      expect(await spooled(system)).toEqual([]);
    }));

  it('leaves nothing if it is interrupted, and an incomplete copy of a killed command is deleted after a day', () =>
    withWorker(async (system) => {
      const halfCopied = () =>
        until(
          async () => (await spooled(system)).some((name) => name.endsWith('.partial')),
          'a copy to be in progress',
        );
      const interrupted = beginCli(args, system.environment);
      interrupted.stdin.write(Buffer.alloc(MiB, 'x'));
      await halfCopied();
      interrupted.interrupt();
      const outcome = await interrupted.ended;
      expect(outcome).toMatchObject({ code: 130, stdout: '' });
      expect(outcome.stderr.trim()).toBe('longhaul: interrupted while standard input was read. No copy is kept.');
      expect(await spooled(system)).toEqual([]);

      const killed = startCli(args, system.environment, 'pipe');
      killed.child.stdin?.on('error', () => {});
      killed.child.stdin?.write(Buffer.alloc(MiB, 'x'));
      await halfCopied();
      killed.child.kill('SIGKILL');
      await killed.ended;
      const halves = await spooled(system);
      expect(halves).toHaveLength(2);
      const twoDaysAgo = Date.now() / 1000 - 2 * 86_400;
      for (const name of halves) await utimes(join(spoolOf(system), name), twoDaysAgo, twoDaysAgo);
      // A copy without a known upload can be the only copy of its data: it is deleted only after a week.
      const kept = [join(spoolOf(system), 'young'), join(spoolOf(system), 'old')];
      for (const folder of kept) await mkdir(folder);
      const twoWeeksAgo = Date.now() / 1000 - 14 * 86_400;
      await utimes(kept[1] as string, twoWeeksAgo, twoWeeksAgo);
      const file = join(system.directory, 'other.jsonl');
      await writeFile(file, '{}\n');
      expect(await runCli(['upload', file, '--purpose', 'assistants'], system.environment)).toMatchObject({ code: 0 });
      expect(await spooled(system)).toEqual(['young']);
      expect(system.uploads()).toHaveLength(1);
    }));

  it('is kept if its upload fails, or if the command is interrupted after it was read', () =>
    withWorker(
      async (system) => {
        const content = await randomFile(join(system.directory, 'content'), 4 * MiB);
        const fed = (purpose: string) => {
          const run = beginCli(args.with(5, purpose), system.environment);
          run.stdin.end(content);
          return run;
        };
        // The local API does not have this purpose.
        const failed = fed('evals');
        const outcome = await failed.ended;
        expect(outcome).toMatchObject({ code: 1, stdout: '' });
        expect(outcome.stderr).toMatch(/is kept for one week\. .* instead of "-"\.\n/);
        expect((await stat(pathIn(failed.stderr()))).size).toBe(4 * MiB);

        const interrupted = fed('assistants');
        await partsReceived(system, 1);
        interrupted.interrupt();
        const { code, stderr } = await interrupted.ended;
        expect(code).toBe(130);
        expect(stderr).toMatch(/longhaul: interrupted\. The copy of standard input is kept/);
        expect((await stat(pathIn(stderr))).size).toBe(4 * MiB);
      },
      { bandwidthBytesPerSecond: MiB },
    ));

  it('is not read if the request, the key, the service, the ID, Temporal or a worker is not usable', () =>
    withSystem(
      async (system) => {
        const file = join(system.directory, 'x.jsonl');
        await writeFile(file, '{}\n');
        const first = await runCli(['upload', file, '--purpose', 'assistants', '--id', 'taken'], system.embedded);
        expect(first).toMatchObject({ code: 0 });
        // The pipe stays open without a byte: a command that reads it does not end.
        const refused = async (
          words: RegExp,
          given: readonly string[],
          changes: Record<string, string> = {},
          code = 2,
        ) => {
          const run = beginCli([...given, '--quiet'], { ...system.embedded, ...changes });
          const outcome = await run.ended;
          expect(outcome.stderr).toMatch(words);
          expect(outcome.stderr.trim().split('\n')).toHaveLength(1);
          expect(outcome).toMatchObject({ code, stdout: '' });
        };
        await refused(/no worker polls/, args, system.environment);
        await refused(/no worker polls/, [...args, '--detach']);
        await refused(/rejects the key/, args, { OPENAI_API_KEY: 'sk-wrong' });
        await refused(/is unreachable/, args, { OPENAI_BASE_URL: 'http://127.0.0.1:9/v1' });
        await refused(/ID taken belongs to/, [...args, '--id', 'taken']);
        const long = (bytes: number) => args.with(3, 'x'.repeat(bytes));
        await Promise.all([
          refused(/invalid upload of standard input: "filename" must have at most 1024 bytes/, long(1025)),
          refused(/"filename" must have at most 1009 bytes, because the name of a piece is longer/, [
            ...long(1010),
            '--split',
          ]),
          refused(/cannot connect to Temporal/, args, { TEMPORAL_ADDRESS: '127.0.0.1:9' }, 1),
        ]);
        expect(await spooled(system)).toEqual([]);
        expect(system.uploads()).toHaveLength(1);
      },
      { ownServer: true },
    ));

  it('is rejected in one line if it is empty, unnamed, not alone, or for an invalid purpose', () =>
    withSystem(async (system) => {
      const own = { ...system.embedded, LONGHAUL_STATE_DIR: join(system.directory, 'state') };
      const refused = async (words: RegExp, ...given: string[]) => {
        const outcome = await runCli(['upload', ...given], own);
        expect(outcome.stderr).toMatch(words);
        expect(outcome.stderr.trim().split('\n')).toHaveLength(1);
        expect(outcome).toMatchObject({ code: 2, stdout: '' });
      };
      await Promise.all([
        refused(/cannot upload standard input: it is empty/, ...args.slice(1)),
        refused(/--filename/, '-', '--purpose', 'assistants'),
        refused(/must be a name without a path/, '-', '--purpose', 'assistants', '--filename', '..'),
        refused(/must be the only source/, '-', 'x', '--purpose', 'assistants'),
        refused(/unknown purpose/, '-', '--filename', 'x', '--purpose', 'dance'),
      ]);
      expect(await spooled(system)).toEqual([]);
      await rm(join(system.directory, 'state'), { recursive: true, force: true });
      await writeFile(join(system.directory, 'state'), '');
      const unwritable = await runCli(args, own);
      expect(unwritable.stderr).toMatch(
        /^longhaul: cannot use the state directory .*\. Set LONGHAUL_STATE_DIR to .*\n$/,
      );
      expect(unwritable.code).toBe(2);
    }));
});
