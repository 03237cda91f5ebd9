import { appendFile, mkdir, rename, rm, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  SourceChangedError,
  SourceMissingError,
  SourceReadError,
  SourceUnusableError,
} from '../../../../src/errors.ts';
import { assertUnchanged, type SourceReader } from '../../../../src/sources/source-reader.ts';
import { mapFileError } from '../../../../src/sources/file/errors.ts';
import { openFileSource } from '../../../../src/sources/file/source.ts';
import { withTempDir } from '../../../support/temp-dir.ts';
import { useDisk } from '../../../support/use-disk.ts';

useDisk();

async function withReader<T>(path: string, body: (reader: SourceReader) => Promise<T>): Promise<T> {
  const reader = await openFileSource({ type: 'file', path });
  try {
    return await body(reader);
  } finally {
    await reader.close();
  }
}

describe('openFileSource, with a file that cannot be uploaded', () => {
  test.each<[string, RegExp, string, (path: string) => Promise<unknown>]>([
    ['is missing', /does not exist/, 'SOURCE_MISSING', async () => {}],
    ['is a directory', /is a directory/, 'SOURCE_UNUSABLE', (path) => mkdir(path)],
    ['is empty', /is empty/, 'SOURCE_UNUSABLE', (path) => writeFile(path, '')],
    ['is a device', /belongs to the system/, 'SOURCE_FORBIDDEN', (path) => symlink('/dev/null', path)],
    ['is a link to itself', /too many symbolic links/, 'SOURCE_MISSING', (path) => symlink(path, path)],
    ['is a broken link', /does not exist/, 'SOURCE_MISSING', (path) => symlink(`${path}-gone`, path)],
  ])('%s: throws an error of one line', async (_name, message, code, make) => {
    await withTempDir(async (directory) => {
      const path = join(directory, 'file');
      await make(path);
      const error: unknown = await openFileSource({ type: 'file', path }).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code });
      expect((error as Error).message).toMatch(message);
      expect((error as Error).message).toContain(path);
      expect((error as Error).message).not.toContain('\n');
    });
  });

  test.each([
    ['EACCES', SourceMissingError],
    ['ENXIO', SourceUnusableError],
    ['EIO', SourceReadError],
    ['ESTALE', SourceReadError],
    ['EMFILE', SourceReadError],
  ])('maps an operation that fails with %s to the correct error', async (code, expected) => {
    const failing = Promise.reject(Object.assign(new Error(code), { code }));
    await expect(mapFileError('/data/x', failing)).rejects.toThrow(expected);
  });

  test('has a relative path, which is a different file on each worker', async () => {
    await expect(openFileSource({ type: 'file', path: 'x' })).rejects.toThrow(/absolute/);
  });
});

describe('a file', () => {
  test('is read from any offset, with 0 bytes at its end', async () => {
    await withTempDir(async (directory) => {
      const path = join(directory, 'file');
      await writeFile(path, 'abcdef');
      await withReader(path, async (reader) => {
        const buffer = Buffer.alloc(4);
        expect(await reader.read(buffer, 4)).toBe(2);
        expect(buffer.toString('utf8', 0, 2)).toBe('ef');
        expect(await reader.read(buffer, 6)).toBe(0);
        expect((await reader.stat()).sizeBytes).toBe(6);
      });
    });
  });

  test('has the same fingerprint until it changes, also by another path', async () => {
    await withTempDir(async (directory) => {
      const path = join(directory, 'file');
      await writeFile(path, 'abc');
      await symlink(path, join(directory, 'link'));
      const first = await withReader(path, (reader) => reader.stat());
      await withReader(join(directory, 'link'), (reader) => assertUnchanged(reader, first.fingerprint));
    });
  });

  test.each<[string, (path: string, directory: string) => Promise<unknown>]>([
    ['is appended to', (path) => appendFile(path, 'd')],
    ['is cut', (path) => truncate(path, 1)],
    ['is overwritten in the same length', (path) => writeFile(path, 'xyz').then(() => utimes(path, 1, 1))],
    [
      'is replaced by one of the same size and time',
      async (path, directory) => {
        await writeFile(join(directory, 'new'), 'abc');
        await utimes(join(directory, 'new'), 1000, 1000);
        await rename(join(directory, 'new'), path);
      },
    ],
  ])('that %s while it is open throws a SourceChangedError', async (_name, change) => {
    await withTempDir(async (directory) => {
      const path = join(directory, 'file');
      await writeFile(path, 'abc');
      await utimes(path, 1000, 1000);
      await withReader(path, async (reader) => {
        const { fingerprint } = await reader.stat();
        await assertUnchanged(reader, fingerprint);
        await change(path, directory);
        await expect(assertUnchanged(reader, fingerprint)).rejects.toThrow(SourceChangedError);
      });
    });
  });

  test('that is moved while it is open is missing, and unchanged after it is restored', async () => {
    await withTempDir(async (directory) => {
      const path = join(directory, 'file');
      await writeFile(path, 'abc');
      await withReader(path, async (reader) => {
        const { fingerprint } = await reader.stat();
        await rename(path, `${path}-away`);
        await expect(assertUnchanged(reader, fingerprint)).rejects.toThrow(SourceMissingError);
        await rename(`${path}-away`, path);
        await assertUnchanged(reader, fingerprint);
      });
    });
  });

  test('behind a link that changes throws a SourceChangedError', async () => {
    await withTempDir(async (directory) => {
      const link = join(directory, 'link');
      await writeFile(join(directory, 'a'), 'abc');
      await writeFile(join(directory, 'b'), 'abc');
      await symlink(join(directory, 'a'), link);
      await withReader(link, async (reader) => {
        const { fingerprint } = await reader.stat();
        await rm(link);
        await symlink(join(directory, 'b'), link);
        await expect(assertUnchanged(reader, fingerprint)).rejects.toThrow(SourceChangedError);
      });
    });
  });
});
