import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { TextFile } from '../../../../activities/sync/text-file.ts';
import { canMount, withMount } from '../../../support/mount.ts';

const texts = Array.from({ length: 500 }, (_, index) => `${index}: ${'ä'.repeat(index % 7)}`);

function filled(): TextFile {
  const file = new TextFile(64);
  for (const text of texts) file.add(text);
  return file;
}

const allOf = (file: TextFile) => texts.map((_, index) => file.at(index));

describe('texts in a temporary file', () => {
  const directory = mkdtempSync(join(tmpdir(), 'longhaul-texts-'));
  afterEach(() => vi.unstubAllEnvs());
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  it('are read in any order, from a file that is already unlinked', () => {
    vi.stubEnv('TMPDIR', directory);
    const file = filled();
    expect(allOf(file)).toEqual(texts);
    expect(texts.map((_, index) => file.at(texts.length - 1 - index))).toEqual(texts.toReversed());
    expect(readdirSync(directory)).toEqual([]);
  });

  it('stay in memory if no file can be created', () => {
    vi.stubEnv('TMPDIR', join(directory, 'missing'));
    expect(allOf(filled())).toEqual(texts);
  });

  it.skipIf(!canMount())('stay in memory after the disk is full', () =>
    withMount(join(directory, 'full'), 'size=4k', async () => {
      vi.stubEnv('TMPDIR', join(directory, 'full'));
      const long = texts.map((text) => text.padEnd(100, '.'));
      const file = new TextFile(64);
      for (const text of long) file.add(text);
      expect(long.map((_, index) => file.at(index))).toEqual(long);
    }),
  );
});
