import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import * as z from 'zod';
import { readJsonFile, writeJsonFile } from '../../../../src/cli/sources/json-file.ts';

const schema = z.object({ pid: z.number() });
let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'longhaul-json-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

test('a written value is read back, and no other file is left in the directory', async () => {
  const path = join(directory, 'state.json');
  await writeJsonFile(path, { pid: 1 });
  await writeJsonFile(path, { pid: 2 });
  expect(await readJsonFile(path, schema)).toEqual({ pid: 2 });
  expect(await readdir(directory)).toEqual(['state.json']);
});

test.each([
  ['empty', ''],
  ['cut off', '{"pid": 1'],
  ['of another shape', '{"pid": "1"}'],
])('a file that is %s is read like a missing file', async (_, content) => {
  const path = join(directory, 'state.json');
  await writeFile(path, content);
  expect(await readJsonFile(path, schema)).toBeNull();
  expect(await readJsonFile(join(directory, 'missing.json'), schema)).toBeNull();
});
