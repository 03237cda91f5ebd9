import { readdir, readFile, rm, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { spoolCopy, type SpoolOptions, spoolInput } from '../../../../../src/cli/sources/spool/copy.ts';
import { SpoolFolder } from '../../../../../src/cli/sources/spool/folder.ts';
import { withTempDir } from '../../../../support/temp-dir.ts';

const options: SpoolOptions = {
  filename: 'x.jsonl',
  maxBytes: 10,
  signal: new AbortController().signal,
  print: () => {},
};

const words = { what: 'standard input', argument: '"-"' };

function withFolder(body: (folder: SpoolFolder) => Promise<void>): Promise<void> {
  return withTempDir((directory) => body(new SpoolFolder(directory)));
}

describe('spooling', () => {
  it.each([
    ['RUNNING', true],
    // By Temporal's own pause.
    ['PAUSED', true],
    ['COMPLETED', false],
    ['FAILED', false],
  ])('keeps an old copy whose upload is %s: %s', (status, isKept) =>
    withFolder(async (folder) => {
      const path = await spoolInput(Readable.from([Buffer.from('ab')]), folder, words, options);
      await folder.use(path, 'upload-1');
      const old = new Date(Date.now() - 8 * 86_400_000);
      for (const name of await readdir(folder.path)) await utimes(join(folder.path, name), old, old);
      await folder.sweep(async () => status);
      expect((await readdir(folder.path)).length > 0).toBe(isKept);
    }),
  );

  it('saves the input in a file, and keeps it until it is released', () =>
    withFolder(async (folder) => {
      const path = await spoolInput(Readable.from([Buffer.from('ab'), Buffer.from('cd')]), folder, words, options);
      expect(await folder.filenameOf(path)).toBe('x.jsonl');
      expect(await readFile(path, 'utf8')).toBe('abcd');
      await folder.sweep(async () => undefined);
      expect(await readFile(path, 'utf8')).toBe('abcd');
      await folder.release('/elsewhere/x.jsonl');
      await folder.release(path);
      expect(await readdir(folder.path)).toEqual([]);
    }));

  it('deletes an incomplete copy one day after its last write', () =>
    withFolder(async (folder) => {
      const { handle } = await folder.begin('x.jsonl');
      const [record = '', partial = ''] = (await readdir(folder.path)).toSorted();
      const age = (name: string, hours: number) => {
        const seconds = Date.now() / 1000 - hours * 3600;
        return utimes(join(folder.path, name), seconds, seconds);
      };
      await age(record, 25);
      await age(partial, 23);
      await folder.sweep(async () => undefined);
      expect(await readdir(folder.path)).toHaveLength(2);
      await age(partial, 25);
      await folder.sweep(async () => undefined);
      expect(await readdir(folder.path)).toEqual([]);
      await handle.close();
    }));

  it('discards earlier bytes when it restarts', () =>
    withFolder(async (folder) => {
      const path = await spoolCopy(folder, words, options, async (copy) => {
        await copy.begin(6);
        await copy.write(Buffer.from('abcdef'));
        await copy.begin(undefined);
        await copy.write(Buffer.from('x'));
        await copy.write(Buffer.from('y'));
      });
      expect(await readFile(path, 'utf8')).toBe('xy');
    }));

  it('stops at the maximum size, and keeps no copy', () =>
    withFolder(async (folder) => {
      const endless = new Readable({ read: () => endless.push(Buffer.alloc(6)) });
      const spooling = spoolInput(endless, folder, words, options);
      await expect(spooling).rejects.toMatchObject({
        code: 'SOURCE_UNUSABLE',
        message: expect.stringContaining('--split'),
      });
      expect(endless.destroyed).toBe(true);
      expect(await readdir(folder.path)).toEqual([]);
    }));

  it('stops before the disk is full', () =>
    withFolder(async (folder) => {
      Object.assign(folder, { freeBytes: async () => 63 * 1024 ** 2 });
      const spooling = spoolInput(Readable.from([Buffer.from('a')]), folder, words, options);
      await expect(spooling).rejects.toMatchObject({
        code: 'SPOOL_FAILED',
        message: expect.stringContaining('only 63 MiB are free'),
      });
      expect(await readdir(folder.path)).toEqual([]);
    }));

  it('records a File name that is too long for a disk, also for other commands', () =>
    withFolder(async (folder) => {
      const filename = 'あ'.repeat(300);
      const path = await spoolInput(Readable.from([Buffer.from('a')]), folder, words, { ...options, filename });
      await folder.use(path, 'longhaul-1');
      expect(await folder.filenameOf(path)).toBe(filename);
      await rm(`${dirname(path)}.json`);
      await expect(folder.filenameOf(path)).rejects.toMatchObject({ message: expect.stringContaining('--filename') });
    }));

  it('reads the name of a copy by an earlier version, and of other files, from the path', () =>
    withFolder(async (folder) => {
      const path = await spoolInput(Readable.from([Buffer.from('a')]), folder, words, options);
      for (const other of [join(dirname(path), 'x.jsonl'), '/elsewhere/copy', 'copy']) {
        expect(await folder.filenameOf(other)).toBeUndefined();
      }
    }));
});
