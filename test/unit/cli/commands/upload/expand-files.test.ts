import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { expandFiles } from '../../../../../src/cli/commands/upload/expand-files.ts';
import { Sources } from '../../../../../src/sources/sources.ts';

let folder: string;
const noBucket = { sources: new Sources({}), connection: undefined };

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longhaul-expand-'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

it('skips a file of a directory if the API does not accept its name, and reports it', async () => {
  await writeFile(join(folder, 'good.jsonl'), '{}');
  await writeFile(join(folder, 'two\nlines.jsonl'), '{}');
  const { files, skipped } = await expandFiles([folder], noBucket);
  expect(files).toEqual([join(folder, 'good.jsonl')]);
  expect(skipped).toMatchObject([
    {
      path: join(folder, 'two\nlines.jsonl'),
      failureType: 'SourceUnusable',
      message: expect.stringMatching(/line break\. .*--filename/),
    },
  ]);
});

it('skips a file of a directory or a glob if the purpose does not accept its name, but not a file that is named', async () => {
  for (const name of ['good.jsonl', 'readme.md']) await writeFile(join(folder, name), '{}');
  const nameProblem = (filename: string) => (filename.endsWith('.md') ? 'is not accepted.' : undefined);
  for (const names of [folder, join(folder, '*')]) {
    const { files, skipped } = await expandFiles([names], { ...noBucket, nameProblem });
    expect(files).toEqual([join(folder, 'good.jsonl')]);
    expect(skipped).toEqual([
      { path: join(folder, 'readme.md'), failureType: 'SourceUnusable', message: 'it is not accepted.' },
    ]);
  }
  const named = await expandFiles([join(folder, 'readme.md')], { ...noBucket, nameProblem });
  expect(named).toEqual({ files: [join(folder, 'readme.md')], skipped: [] });
});
