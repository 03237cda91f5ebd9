import { mkdir, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { beginWorker, runCli, startCli, type CliOutcome } from '../support/cli.ts';
import { md5, randomFile } from '../support/random-file.ts';
import { MiB, partsReceived, withSystem, type System } from '../support/system.ts';

const nowhere = 'http://127.0.0.1:9/v1';

function expectOneLine(outcome: CliOutcome, status: number, words: RegExp): void {
  const lines = outcome.stderr
    .trim()
    .split('\n')
    .filter((line) => !line.startsWith('Temporal UI'));
  expect(lines).toEqual([expect.stringMatching(words)]);
  expect(outcome.stderr).not.toMatch(/\bat .*:\d+:\d+/);
  expect(outcome.stdout).toBe('');
  expect(outcome.code).toBe(status);
}

function embedded(system: System, changes: Record<string, string> = {}): Record<string, string> {
  return { ...system.embedded, ...changes };
}

describe('invalid input is reported in one line, before anything is created:', () => {
  it('a missing file, a directory, an empty file, a file over 8 GiB', () =>
    withSystem(async (system) => {
      const upload = (file: string) => runCli(['upload', file, '--purpose', 'assistants'], embedded(system));
      const empty = join(system.directory, 'empty');
      await writeFile(empty, '');
      const huge = join(system.directory, 'huge');
      await writeFile(huge, '');
      await truncate(huge, 8 * 1024 * MiB + 1);
      expectOneLine(await upload('no-such-file'), 2, /no-such-file.*(not exist|no such)/i);
      const directory = join(system.directory, 'nothing');
      await mkdir(directory);
      expectOneLine(await upload(directory), 2, /contains no file/);
      expectOneLine(await upload(empty), 2, /empty/);
      expectOneLine(await upload(huge), 2, /the maximum of an Upload is 8 GiB/);
      expect(system.uploads()).toEqual([]);
    }));

  it('an unknown purpose, a part size out of bounds, a missing option, an unknown command', () =>
    withSystem(async (system) => {
      const run = (...args: string[]) => runCli(args, embedded(system));
      expectOneLine(await run('upload', 'x', '--purpose', 'dance'), 2, /unknown purpose "dance"\. Use .*batch/);
      expectOneLine(await run('upload', 'x', '--purpose', 'assistants', '--part-size', '65MiB'), 2, /1 MiB to 64 MiB/);
      expectOneLine(
        await run('upload', 'x', '--purpose', 'assistants', '--priority', 'soon'),
        2,
        /interactive, normal, bulk/,
      );
      expectOneLine(await run('upload', 'x'), 2, /--purpose/);
      expectOneLine(await run('uplaod', 'x'), 2, /unknown command.*upload/);
    }));

  it('a missing key, an incorrect key, an incorrect base URL, an address without a server', () =>
    withSystem(async (system) => {
      const file = join(system.directory, 'good.jsonl');
      await writeFile(file, '{}');
      const upload = (changes: Record<string, string>) =>
        runCli(['upload', file, '--purpose', 'assistants'], embedded(system, changes));
      expectOneLine(await upload({ OPENAI_API_KEY: '' }), 2, /no API key: set OPENAI_API_KEY/);
      expectOneLine(await upload({ OPENAI_API_KEY: 'sk-wrong' }), 2, /rejects the key/);
      expectOneLine(await upload({ OPENAI_BASE_URL: 'api.example' }), 2, /OPENAI_BASE_URL must be an http/);
      expectOneLine(await upload({ OPENAI_BASE_URL: nowhere }), 2, /is unreachable: .*refused/);
      expectOneLine(await upload({ OPENAI_BASE_URL: `${system.api.url}/api` }), 2, /is not the base URL of the API/);
      expect(system.uploads()).toEqual([]);
    }));

  it('an address without Temporal, no worker for the upload, a port in use', () =>
    withSystem(async (system) => {
      const file = join(system.directory, 'good.jsonl');
      await writeFile(file, '{}');
      const args = ['upload', file, '--purpose', 'assistants'];
      expectOneLine(
        await runCli(args, embedded(system, { TEMPORAL_ADDRESS: '127.0.0.1:9' })),
        1,
        /cannot connect to Temporal at 127.0.0.1:9/,
      );
      expectOneLine(
        await runCli(args, system.environment),
        2,
        /no worker polls task queue .*\. Start "longhaul worker"/,
      );
      expectOneLine(
        await runCli([...args, '--detach'], embedded(system)),
        2,
        /no worker polls task queue .*\. Run "longhaul worker"/,
      );
      const port = String(system.api.port);
      expectOneLine(await runCli(['local-api', '--port', port], embedded(system)), 2, new RegExp(`${port}.*in use`));
    }));
});

describe('longhaul upload', () => {
  it('prints one JSON object, and after success the same File without sending a byte', () =>
    withSystem(async (system) => {
      const file = join(system.directory, 'train.jsonl');
      const content = await randomFile(file, 3 * MiB);
      const upload = () =>
        runCli(['upload', file, '--purpose', 'assistants', '--part-size', '1MiB', '--json'], embedded(system));

      const first = await upload();
      expect(first).toMatchObject({ code: 0 });
      const receipt = JSON.parse(first.stdout);
      expect(receipt).toMatchObject({
        bytes: content.length,
        md5: md5(content),
        parts: 3,
        partsSent: 3,
        resumed: false,
        file: { bytes: content.length, filename: 'train.jsonl', purpose: 'assistants' },
      });
      expect(Object.keys(receipt)).toEqual(expect.arrayContaining(['workflowId', 'uploadId', 'durationMs']));
      const { partsBegun } = system.api.stats().totals;

      const again = await upload();
      expect(JSON.parse(again.stdout)).toEqual({ ...receipt, resumed: true });
      expect(again.stderr).toContain('train.jsonl: 3 MiB · already uploaded, sent nothing');
      expect(system.api.stats().totals.partsBegun).toBe(partsBegun);
    }));

  it('uploads several files, prints results to standard output and reports a failed file', () =>
    withSystem(async (system) => {
      const files = ['a.bin', 'b\u001b[31m.bin'].map((name) => join(system.directory, name));
      for (const file of files) await randomFile(file, MiB + 1);
      system.api.faults.add({ route: 'create', kind: 'status', status: 400, skip: 1 });
      const outcome = await runCli(['upload', ...files, '--purpose', 'assistants'], embedded(system));
      expect(outcome.code).toBe(1);
      expect(outcome.stdout.trim().split('\n')).toHaveLength(1);
      expect(outcome.stdout).toMatch(/^file-/);
      expect(outcome.stderr).toMatch(/longhaul: .*400/);
      expect(outcome.stderr, 'a name that would colour the terminal').not.toContain('\u001b');
    }));

  it('reports at Ctrl-C that the same command resumes, exits with 130, and leaves no process running', () =>
    withSystem(
      async (system) => {
        const file = join(system.directory, 'interrupted.bin');
        const content = await randomFile(file, 12 * MiB);
        const args = ['upload', file, '--purpose', 'assistants', '--part-size', '1MiB', '--concurrency', '2', '--json'];
        const first = startCli(args, embedded(system));
        await partsReceived(system, 4);
        first.child.kill('SIGINT');
        expect(await first.ended).toMatchObject({
          code: 130,
          stdout: expect.stringMatching(/^{.*"error":{"code":"Interrupted".*}\n$/),
          stderr: expect.stringMatching(/interrupted\. Run the same command again to resume/),
        });
        const { partsReceived: before } = system.api.stats().totals;

        const second = await runCli(args, embedded(system));
        expect(second.code).toBe(0);
        expect(JSON.parse(second.stdout)).toMatchObject({ resumed: true, md5: md5(content) });
        const { partsBegun } = system.api.stats().totals;
        expect(before).toBeGreaterThanOrEqual(4);
        expect(partsBegun).toBeLessThanOrEqual(12 + 2);
      },
      { bandwidthBytesPerSecond: 4 * MiB },
    ));

  it('starts an upload on other workers, which status, pause, resume, list and cancel find', () =>
    withSystem(
      async (system) => {
        const worker = await beginWorker(system.environment);
        const file = join(system.directory, 'detached.bin');
        await randomFile(file, 6 * MiB);
        const longhaul = (...args: string[]) => runCli(args, system.environment);

        const started = await longhaul(
          'upload',
          file,
          '--purpose',
          'assistants',
          '--part-size',
          '1MiB',
          '--concurrency',
          '2',
          '--detach',
          '--json',
        );
        const { workflowId } = JSON.parse(started.stdout);
        await partsReceived(system, 1);
        // It must not be through before the command that pauses it has started, however slow the machine is.
        system.api.configure({ bandwidthBytesPerSecond: MiB / 2 });
        expect((await longhaul('pause', workflowId)).stderr).toMatch(/paused .* 0 in flight/);
        const status = JSON.parse((await longhaul('status', workflowId, '--json')).stdout);
        expect(status).toMatchObject({
          workflowId,
          status: 'RUNNING',
          progress: { state: 'paused', bytesTotal: 6 * MiB },
        });
        // From here on it must not end before it is cancelled, however slow the machine is.
        system.api.configure({ bandwidthBytesPerSecond: MiB / 8 });
        expect((await longhaul('resume', workflowId)).stderr).toMatch(/uploading/);
        const listed = JSON.parse((await longhaul('list', '--running', '--json')).stdout);
        expect(listed.uploads).toContainEqual(expect.objectContaining({ workflowId, status: 'RUNNING' }));
        expect(await longhaul('cancel', workflowId)).toMatchObject({ code: 0 });
        expect(system.uploads()).toMatchObject([{ status: 'cancelled' }]);

        worker.interrupt('SIGTERM');
        expect((await worker.ended).code).toBe(0);
      },
      { bandwidthBytesPerSecond: 3 * MiB },
    ));
});
