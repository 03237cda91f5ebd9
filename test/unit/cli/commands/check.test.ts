import { execFileSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect, it } from 'vitest';
import { checkCommand, type CheckCommandOptions } from '../../../../src/cli/commands/check/run.ts';
import type { CliContext } from '../../../../src/cli/context.ts';
import { AlreadyReported } from '../../../../src/cli/errors.ts';
import { loadConfig } from '../../../../src/config/config.ts';
import { withTempDir } from '../../../support/temp-dir.ts';

interface Output {
  readonly out: readonly string[];
  readonly notes: readonly string[];
  readonly json: readonly Record<string, unknown>[];
  readonly failed: boolean;
}

/** Runs the command on names in a directory with files. */
function check(
  files: Readonly<Record<string, string>>,
  names: readonly string[],
  options: Partial<CheckCommandOptions>,
  stdin = '',
): Promise<Output> {
  return withTempDir(async (directory) => {
    for (const [name, content] of Object.entries(files)) {
      await mkdir(join(directory, name, '..'), { recursive: true });
      await writeFile(join(directory, name), content);
    }
    const [out, notes, json] = [[] as string[], [] as string[], [] as Record<string, unknown>[]];
    const short = (text: string) => text.replaceAll(`${directory}/`, '');
    const context = {
      config: loadConfig({ HOME: directory }),
      stdin: Readable.from([Buffer.from(stdin)]),
      signal: new AbortController().signal,
      out: (line: string) => void out.push(short(line)),
      note: (line: string) => void notes.push(short(line)),
      json: (value: object) => void json.push(JSON.parse(short(JSON.stringify(value)))),
    } as unknown as CliContext;
    const given = names.map((name) => (/^[/-]|:/.test(name) ? name : join(directory, name)));
    const failed = await checkCommand(context, given, { check: 'auto', ...options }).then(
      () => false,
      (error: unknown) => {
        if (error instanceof AlreadyReported) return true;
        throw error;
      },
    );
    return { out, notes, json, failed };
  });
}

const request = (id: string | number) => `{"custom_id":"${id}","method":"POST","url":"/v1/a","body":{}}\n`;

it('prints valid files, and the lines and reasons of invalid files', async () => {
  const files = { 'data/a.jsonl': '{}\n{"canary":1}\n', 'data/b.jsonl': '{}\ncanary\n[]\n', 'data/c.csv': 'canary\n' };
  const { out, failed } = await check(files, ['data/*.jsonl'], {});
  expect(out).toEqual([
    'data/a.jsonl: 2 lines, valid (jsonl)',
    'data/b.jsonl: line 2 is not valid JSON at byte 1',
    'data/b.jsonl: line 3 is not a JSON object',
    'data/b.jsonl: 2 of 3 lines invalid (jsonl)',
  ]);
  expect(failed).toBe(true);
  expect(await check(files, ['data/a.jsonl'], {})).toMatchObject({ failed: false });
  const folder = await check(files, ['data'], { purpose: 'batch', json: true });
  expect(folder.json.map(({ source, ok, limit }) => [source, ok, limit !== undefined])).toEqual([
    ['data/a.jsonl', false, false],
    ['data/b.jsonl', false, false],
    ['data/c.csv', false, true],
  ]);
  expect(JSON.stringify(folder)).not.toContain('canary"');
});

it('checks standard input, and reports files that do not exist', async () => {
  const input = await check({}, ['-'], { json: true, purpose: 'batch' }, `${request(1)}${request(1)}`);
  expect(input.json).toEqual([
    expect.objectContaining({
      source: '-',
      ok: false,
      check: 'batch',
      lines: 2,
      problems: [{ line: 2, reason: 'has the "custom_id" of line 1' }],
    }),
  ]);
  const missing = await check({}, ['missing.jsonl'], { json: true });
  expect(missing).toMatchObject({ failed: true, json: [{ ok: false, error: { code: 'SourceMissing' } }] });
});

it('reports the same reason for an empty file as text and as JSON', async () => {
  const files = { 'data/empty.jsonl': '' };
  for (const [name, shown] of [
    ['data/empty.jsonl', 'data/empty.jsonl'],
    ['data', 'data/empty.jsonl'],
    ['-', 'standard input'],
  ] as const) {
    const message = `cannot check ${shown}: it is empty. Choose a file with content.`;
    const text = await check(files, [name], {});
    expect(text).toMatchObject({ out: [], notes: [`longhaul: ${message}`], failed: true });
    const { json } = await check(files, [name], { json: true });
    expect(json).toMatchObject([{ ok: false, error: { code: 'SourceUnusable', message } }]);
  }
});

it('reports the limits of a purpose, and checks the pieces of a split upload', async () => {
  const lines = Array.from({ length: 50_001 }, (_, id) => request(id)).join('');
  const files = { 'many.jsonl': `${lines}{}\n` };
  const whole = await check(files, ['many.jsonl'], { purpose: 'batch', json: true });
  expect(whole.json[0]).toMatchObject({ ok: false, lines: 50_002, invalid: 2 });
  const split = await check(files, ['many.jsonl'], { purpose: 'batch', json: true, split: true });
  expect(split.json).toMatchObject([
    { ok: false, lines: 50_002, pieces: 2, invalid: 1, problems: [{ line: 50_002, reason: 'has no "custom_id"' }] },
  ]);
  const small = { purpose: 'batch', splitSize: 5000 };
  expect((await check(files, ['many.jsonl'], small)).notes[0]).toMatch(
    / in pieces of 4\.88 KiB are more than 500 Files/,
  );
  await expect(check({}, ['-'], { split: true }, lines)).rejects.toThrow('standard input cannot be checked in pieces');
  expect((await check({ 'x.csv': '{}\n' }, ['x.csv'], { purpose: 'fine-tune' })).out[0]).toMatch(
    /x\.csv is not accepted: .* must end in \.jsonl/,
  );
});

it('names the cause of a pipe, of an invalid URL and of an invalid bucket', () =>
  withTempDir(async (directory) => {
    const pipe = join(directory, 'pipe');
    execFileSync('mkfifo', [pipe]);
    const { notes } = await check({}, [pipe, 'https://a b/', 's3://b/x'], {});
    expect(notes).toEqual([
      `longhaul: cannot check ${pipe}: it is a pipe. Pipe its content into "longhaul check -".`,
      expect.stringContaining('the URL of the source is not valid. Check its host'),
      expect.stringContaining('has the invalid bucket "b". Use 2 to 255 letters'),
    ]);
  }));
