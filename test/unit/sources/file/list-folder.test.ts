import { execFileSync } from 'node:child_process';
import { mkdir, readdir, rename, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openAiLimits } from '../../../../src/contracts/limits.ts';
import { openFileSource } from '../../../../src/sources/file/source.ts';
import { Sources } from '../../../../src/sources/sources.ts';
import { withinLimits } from '../../../../src/sources/listing/listing.ts';
import { createPathFilter } from '../../../../src/sources/listing/path-filter.ts';
import { withTempDir, writeFiles } from '../../../support/temp-dir.ts';

const everything = createPathFilter([], []);

function list(path: string, filter = everything) {
  return new Sources().list({ type: 'folder', path }, { filter });
}

describe('listing a folder', () => {
  it('returns files by path, also hidden files, with the fingerprint of their reader', () =>
    withTempDir(async (folder) => {
      await writeFiles(folder, { 'b/x': '12', 'a.txt': '1', '.hidden/y': '123', B: '1' });
      const { entries, problems, leftOut, isComplete } = await list(folder);
      expect(entries.map(({ path, sizeBytes }) => [path, sizeBytes])).toEqual([
        ['.hidden/y', 3],
        ['B', 1],
        ['a.txt', 1],
        ['b/x', 2],
      ]);
      expect([problems, leftOut, isComplete]).toEqual([[], [], true]);
      const reader = await openFileSource({ type: 'file', path: join(folder, 'b/x') });
      expect(entries[3]?.fingerprint).toBe((await reader.stat()).fingerprint);
      await reader.close();
      await rename(join(folder, 'b/x'), join(folder, 'b/y'));
      expect((await list(folder)).entries[3]).toMatchObject({ path: 'b/y', version: entries[3]?.version });
    }));

  it('omits and reports the system folders of /, with /dev/shm in them', async () => {
    const names = await readdir('/');
    const system = ['dev', 'proc'].filter((name) => names.includes(name));
    const others = names.filter((name) => !system.includes(name));
    const filter = createPathFilter([], [...others, ...others.map((name) => `${name}/`)]);
    const { entries, leftOut, unseen } = await list('/', filter);
    expect(entries).toEqual([]);
    expect(leftOut.map(({ path }) => path)).toEqual(system);
    expect(leftOut[0]?.message).toMatch(/belongs to the system/);
    // No File of a file in them is deleted.
    expect(unseen).toEqual(expect.arrayContaining(system));
  });

  it('follows links, lists a directory once under its real path, and detects cycles', () =>
    withTempDir(async (folder) => {
      const outside = join(folder, 'outside');
      const root = join(folder, 'root');
      await writeFiles(outside, { o: 'o' });
      await writeFiles(root, { 'd/x': 'x' });
      await symlink(join(root, 'd/x'), join(root, 'a-link'));
      await symlink(root, join(root, 'd/circle'));
      await symlink(join(root, 'd'), join(root, 'b-again'));
      await symlink(outside, join(root, 'c-outside'));
      const { entries, leftOut, isComplete } = await list(root);
      expect(entries.map(({ path }) => path)).toEqual(['a-link', 'c-outside/o', 'd/x']);
      expect(leftOut.map(({ path }) => path)).toEqual(['b-again', 'd/circle']);
      expect(isComplete).toBe(true);
    }));

  it('reports broken links, pipes, empty and oversized files, and lists the other files', () =>
    withTempDir(async (folder) => {
      await writeFiles(folder, { good: 'g', empty: '', huge: '' });
      await truncate(join(folder, 'huge'), 8 * 1024 ** 3 + 1);
      await symlink('nowhere', join(folder, 'broken'));
      await symlink('circle', join(folder, 'circle'));
      execFileSync('mkfifo', [join(folder, 'pipe')]);
      const { entries, problems, leftOut, isComplete } = withinLimits(await list(folder), openAiLimits, 'vision');
      expect(entries.map(({ path }) => path)).toEqual(['good']);
      expect(problems).toMatchObject([
        { path: 'broken', failureType: 'SourceMissing' },
        { path: 'circle', failureType: 'SourceMissing', message: expect.stringMatching(/circle/) },
        {
          path: 'huge',
          failureType: 'SourceUnusable',
          message: expect.stringMatching(/the maximum of an Upload is 8 GiB for the purpose vision\. Split/),
        },
      ]);
      expect(leftOut.map(({ path, message }) => `${path} ${message}`)).toEqual([
        'empty is empty',
        'pipe is a pipe, a socket or a device, not a regular file',
      ]);
      expect(isComplete).toBe(true);
      const filtered = await list(folder, createPathFilter(['good'], []));
      expect([filtered.problems, filtered.leftOut]).toEqual([[], []]);
    }));

  it('is incomplete if a directory in it cannot be listed', () =>
    withTempDir(async (folder) => {
      await writeFiles(folder, { good: 'g' });
      // A name that is not UTF-8 represents all entries that cannot be listed.
      await mkdir(Buffer.concat([Buffer.from(`${folder}/bad`), Buffer.from([0xff])]));
      const { entries, problems, isComplete } = await list(folder);
      expect(entries.map(({ path }) => path)).toEqual(['good']);
      expect(problems).toMatchObject([
        { failureType: 'SourceUnusable', message: expect.stringContaining('not UTF-8') },
      ]);
      expect(isComplete).toBe(false);
    }));

  it('rejects a file, and a directory outside the permitted roots', () =>
    withTempDir(async (folder) => {
      await writeFile(join(folder, 'file'), 'f');
      await expect(list(join(folder, 'file'))).rejects.toMatchObject({ code: 'SOURCE_UNUSABLE' });
      await expect(list(join(folder, 'none'))).rejects.toMatchObject({ code: 'SOURCE_MISSING' });
      await expect(list('relative')).rejects.toMatchObject({ code: 'SOURCE_UNUSABLE' });
      const confined = new Sources({ files: { roots: [join(folder, 'inside')] } });
      const outside = confined.list({ type: 'folder', path: folder }, { filter: everything });
      await expect(outside).rejects.toMatchObject({ code: 'SOURCE_FORBIDDEN' });
    }));
});

describe('globs', () => {
  it('match the name in any folder without a slash, and the path with a slash', () => {
    const { takes } = createPathFilter(['*.jsonl', 'raw/**', './top/*.txt', '/!x'], ['tmp/', '**/draft-*']);
    expect(takes('a/b/x.jsonl')).toBe(true);
    expect(takes('.hidden.jsonl')).toBe(true);
    expect(takes('raw/.x/y.bin')).toBe(true);
    expect(takes('a/raw/y.bin')).toBe(false);
    expect(takes('top/a.txt')).toBe(true);
    expect(takes('top/b/a.txt')).toBe(false);
    expect(takes('!x')).toBe(true);
    expect(takes('a/!x')).toBe(false);
    expect(takes('tmp/x.jsonl')).toBe(false);
    expect(takes('a/draft-1.jsonl')).toBe(false);
  });

  it('skip folders that are completely excluded', () => {
    const { skipsFolder } = createPathFilter([], ['cache/', '*.tmp', '**/node_modules/**']);
    expect(skipsFolder('cache')).toBe(true);
    expect(skipsFolder('a/node_modules')).toBe(true);
    expect(skipsFolder('x.tmp')).toBe(false);
    expect(createPathFilter([], []).skipsFolder('a')).toBe(false);
  });

  it('are literal in parentheses and escaped brackets', () => {
    const globs = ['private (old)/', 'src/private (old)/*.jsonl', 'br\\[1\\]/*.jsonl'];
    const { takes, unmatched } = createPathFilter([], globs);
    const excluded = ['private (old)/a/b', 'src/private (old)/x.jsonl', 'br[1]/x.jsonl'];
    for (const path of excluded) expect(takes(path), path).toBe(false);
    for (const path of ['private old/a', 'private /a', 'br1/x.jsonl', 'br\\[1\\]/x.jsonl']) {
      expect(takes(path), path).toBe(true);
    }
    expect(unmatched()).toEqual([]);
  });

  it('that match nothing or only a folder are reported', () =>
    withTempDir(async (folder) => {
      await writeFiles(folder, { 'a.txt': 'a', 'private/b.jsonl': 'b', 'tmp/c': 'c', 'drafts/d': 'd' });
      const filter = createPathFilter(
        ['*.txt', '*.jsonl', 'drafts/*', '*.csv'],
        ['private', 'tmp/', 'none/', '**/drafts/**', 'x'.repeat(999)],
      );
      const { entries } = await list(folder, filter);
      expect(entries.map(({ path }) => path)).toEqual(['a.txt', 'private/b.jsonl']);
      expect(filter.unmatched()).toEqual([
        { list: 'include', glob: 'drafts/*' },
        { list: 'include', glob: '*.csv' },
        { list: 'exclude', glob: 'private', matchesFolder: true },
        { list: 'exclude', glob: 'none/' },
        { list: 'exclude', glob: `${'x'.repeat(255)}…` },
      ]);
    }));
});
