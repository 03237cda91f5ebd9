import { execFileSync } from 'node:child_process';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCli, startCli, startScript, type CliOutcome } from '../support/cli.ts';
import { linesFile } from '../support/lines-file.ts';
import { md5 } from '../support/random-file.ts';
import { MiB, withSystem, type System } from '../support/system.ts';
import { until } from '../support/until.ts';

interface User extends System {
  readonly spooled: () => Promise<readonly string[]>;
  /** Runs a script in the directory of the system. */
  readonly script: (text: string) => ReturnType<typeof startScript>;
}

function withUser(body: (user: User) => Promise<void>): Promise<void> {
  return withSystem(async (system) => {
    await system.startWorker();
    const { directory, environment } = system;
    await body({
      ...system,
      spooled: () => readdir(join(directory, 'state', 'spool')).catch((): string[] => []),
      script: (text) => startScript(text, environment, directory),
    });
  });
}

describe('a pipe as an argument of an upload', () => {
  it('is uploaded like standard input, also among files, and if one program writes into two pipes', () =>
    withUser(async ({ directory, script, download, spooled }) => {
      // Larger than the buffer of a pipe: a program that writes into two needs readers for both.
      const content = await linesFile(join(directory, 'content'), 3 * MiB);
      await writeFile(join(directory, 'file.jsonl'), '{}\n');
      execFileSync('mkfifo', ['one.jsonl', 'two.jsonl'], { cwd: directory });
      const several = await script(
        'tee one.jsonl < content > two.jsonl & longhaul upload two.jsonl file.jsonl one.jsonl --purpose assistants --json',
      ).ended;
      expect(several.stderr).toMatch(
        /saved one\.jsonl \(3 MiB\) to .*\/copy\. .* with this path instead of one\.jsonl to resume/,
      );
      expect(several.code).toBe(0);
      const results = several.stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))
        .toSorted((one, other) => one.source.localeCompare(other.source));
      expect(results.map(({ source, file }) => [source, file.filename])).toEqual(
        ['file.jsonl', 'one.jsonl', 'two.jsonl'].map((name) => [name, name]),
      );
      for (const { file } of results.slice(1)) expect(md5(await download(file.id))).toBe(md5(content));

      const options = '--purpose assistants --filename x.jsonl --split-size 2MiB --json';
      const split = await script(`longhaul upload <(gzip < content | zcat) ${options}`).ended;
      expect(split).toMatchObject({ code: 0 });
      const { files } = JSON.parse(split.stdout);
      expect(files).toMatchObject([{ filename: 'x-00001-of-00002.jsonl' }, { filename: 'x-00002-of-00002.jsonl' }]);
      const pieces = await Promise.all(files.map(({ id }: { id: string }) => download(id)));
      expect(md5(Buffer.concat(pieces))).toBe(md5(content));
      expect(await spooled()).toEqual([]);
    }));

  it('can be /dev/stdin, which is the file itself if it is redirected from a file', () =>
    withUser(async ({ directory, environment, script, download, spooled }) => {
      const content = Buffer.from('{"n":1}\n');
      await writeFile(join(directory, 'file.jsonl'), content);
      const options = ['--purpose', 'assistants', '--quiet', '--filename'];
      // Node.js makes this pipe as a socket.
      const fed = startCli(['upload', '/dev/stdin', ...options, 'fed.jsonl'], environment, 'pipe');
      fed.child.stdin?.end(content);
      const outcome = await fed.ended;
      expect(outcome).toMatchObject({ code: 0, stderr: '' });
      expect(await download(outcome.stdout.trim())).toEqual(content);

      const redirected = await script('longhaul upload /dev/stdin --purpose assistants --json < file.jsonl').ended;
      expect(redirected.stderr).not.toMatch(/saved/);
      const { source, file } = JSON.parse(redirected.stdout);
      expect({ source, filename: file.filename }).toEqual({
        source: join(directory, 'file.jsonl'),
        filename: 'file.jsonl',
      });
      expect(await download(file.id)).toEqual(content);

      const document = await script(`longhaul upload /dev/fd/3 ${options.join(' ')} here.jsonl 3<<< '{"n":1}'`).ended;
      expect(document).toMatchObject({ code: 0, stderr: '' });
      expect(await download(document.stdout.trim())).toEqual(content);
      expect(await spooled()).toEqual([]);
    }));

  it('that no program writes into is reported, and Ctrl-C ends the command immediately', () =>
    withUser(async ({ directory, script, spooled }) => {
      execFileSync('mkfifo', ['pipe.jsonl'], { cwd: directory });
      const run = script('exec longhaul upload pipe.jsonl --purpose assistants --quiet');
      await until(() => run.said().includes('waiting for a program that writes to pipe.jsonl'), 'the report');
      const interruptedAtMs = Date.now();
      run.child.kill('SIGINT');
      const { code, stdout, stderr } = await run.ended;
      expect({ code, stdout }).toEqual({ code: 130, stdout: '' });
      expect(stderr).toMatch(/interrupted while pipe\.jsonl was read. No copy is kept.\n$/);
      expect(Date.now() - interruptedAtMs).toBeLessThan(10_000);
      expect(await spooled()).toEqual([]);
    }));

  it('is rejected in one line if it has no name, is not alone, or if the command cannot have a pipe', () =>
    withUser(async ({ directory, environment, script, uploads, spooled }) => {
      execFileSync('mkfifo', ['pipe.jsonl'], { cwd: directory });
      await writeFile(join(directory, 'file.jsonl'), '{}\n');
      const [pipe, file] = [join(directory, 'pipe.jsonl'), join(directory, 'file.jsonl')];
      const expectRejection = ({ code, stdout, stderr }: CliOutcome, words: RegExp) => {
        expect(stderr.trim().split('\n')).toEqual([expect.stringMatching(words)]);
        expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      };
      // Only a shell passes the descriptor of a pipe.
      const rejectedScript = async (command: string, words: RegExp) =>
        expectRejection(await script(`longhaul ${command}`).ended, words);
      const rejected = async (command: string, words: RegExp) =>
        expectRejection(await runCli(command.split(' '), environment), words);
      await Promise.all([
        rejectedScript(
          'upload <(echo 1) --purpose assistants',
          /^longhaul: \/dev\/fd\/\d+ has no name\. .* --filename/,
        ),
        rejectedScript('upload <(echo 1) <(echo 2) --purpose assistants', /has no name, so it must be the only source/),
        rejectedScript('upload >(cat) --filename x --purpose assistants', /is open only for writing/),
        rejected(`upload ${pipe} ${directory}/./pipe.jsonl --purpose assistants`, /are the same pipe/),
        rejected(`upload ${pipe} --ignore-inode --purpose assistants`, /--ignore-inode requires files/),
        rejected(
          `upload ${pipe} ${file} --filename x --purpose assistants`,
          /--id and --filename require a single file/,
        ),
        rejected(`sync ${pipe} --purpose assistants`, /pipe\.jsonl is a pipe, not a folder/),
        rejectedScript('sync <(echo 1) --purpose assistants', /is a pipe, not a folder/),
        rejected('sync - --purpose assistants', /- is standard input, not a folder/),
        rejected(
          `schedule create n --every 1h -- upload ${pipe} --purpose assistants`,
          /pipe\.jsonl can be read only once, and each run of a schedule reads its source/,
        ),
        rejectedScript('upload - --filename x --purpose assistants < .', /standard input is a directory/),
      ]);
      expect(uploads()).toEqual([]);
      expect(await spooled()).toEqual([]);
    }));
});
