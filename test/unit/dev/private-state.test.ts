import { chmod, chown, mkdir, readdir, stat, symlink, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { openPrivateState } from '../../../src/dev/server/private-state.ts';
import { ConfigError } from '../../../src/errors.ts';
import { withTempDir } from '../../support/temp-dir.ts';

const isRoot = process.getuid?.() === 0;
const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);

/** A state directory that an older version made under a loose umask. */
async function openStateDir(directory: string): Promise<string> {
  const stateDir = join(directory, 'state');
  await mkdir(join(stateDir, 'spool', 'copy'), { recursive: true });
  for (const name of ['temporal.db', 'temporal.db-wal', 'temporal.json', 'temporal-ports.json', 'spool/copy.json']) {
    await writeFile(join(stateDir, name), '');
    await chmod(join(stateDir, name), 0o644);
  }
  for (const name of ['spool/copy', 'spool', '']) await chmod(join(stateDir, name), 0o777);
  return stateDir;
}

describe('openPrivateState', () => {
  it('creates a directory for this user only, with any umask', () =>
    withTempDir(async (directory) => {
      const before = process.umask(0);
      try {
        const stateDir = await openPrivateState(join(directory, 'a', 'state'));
        expect(await modeOf(stateDir)).toBe('700');
      } finally {
        process.umask(before);
      }
    }));

  it('removes the access of other users to an open directory and its files', () =>
    withTempDir(async (directory) => {
      const stateDir = await openStateDir(directory);
      await openPrivateState(stateDir);
      expect(await modeOf(stateDir)).toBe('700');
      for (const name of (await readdir(stateDir, { recursive: true })).map((one) => join(stateDir, one))) {
        expect(await modeOf(name)).toBe((await stat(name)).isDirectory() ? '700' : '600');
      }
    }));

  it('follows a link to the directory', () =>
    withTempDir(async (directory) => {
      const stateDir = await openStateDir(directory);
      const link = join(directory, 'link');
      await symlink(stateDir, link);
      expect(await openPrivateState(link)).toBe(stateDir);
      expect(await modeOf(stateDir)).toBe('700');
    }));

  it('rejects an open directory with other files, and does not change its mode', () =>
    withTempDir(async (directory) => {
      await writeFile(join(directory, 'photo.jpg'), '');
      await chmod(directory, 0o755);
      const attempt = openPrivateState(directory);
      await expect(attempt).rejects.toThrow(/open to other users, and it contains other files, such as photo\.jpg/);
      await expect(attempt).rejects.toBeInstanceOf(ConfigError);
      expect(await modeOf(directory)).toBe('755');
    }));

  it.each<[string, (directory: string) => string]>([
    ['', (directory) => directory],
    [' through a link', (directory) => `${directory}-link`],
    [' that is relative', (directory) => relative(process.cwd(), directory)],
  ])('rejects the directory of temporary files%s, and does not change it', (_name, named) =>
    withTempDir(async (parent) => {
      const directory = join(parent, 'tmp');
      await mkdir(directory);
      await chmod(directory, 0o1777);
      await symlink(directory, `${directory}-link`);
      vi.stubEnv('TMPDIR', named(directory));
      try {
        for (const path of [directory, `${directory}/`, `${directory}-link`]) {
          const attempt = openPrivateState(path);
          await expect(attempt).rejects.toThrow(
            /open to other users, and all users share it\. Set LONGHAUL_STATE_DIR to an empty directory\.$/,
          );
        }
        await writeFile(join(directory, 'other'), '');
        await expect(openPrivateState(directory)).rejects.not.toThrow(/chmod/);
        expect(await modeOf(directory)).toBe('777');
      } finally {
        vi.unstubAllEnvs();
      }
    }),
  );

  it('accepts other files in a directory that is already private', () =>
    withTempDir(async (directory) => {
      await writeFile(join(directory, 'photo.jpg'), '', { mode: 0o644 });
      await openPrivateState(directory);
      expect(await modeOf(join(directory, 'photo.jpg'))).toBe('644');
    }));

  it.skipIf(!isRoot).each(['', 'temporal.db', 'spool/copy.json'])('rejects another owner of "%s"', (name) =>
    withTempDir(async (directory) => {
      const stateDir = await openStateDir(directory);
      await chown(join(stateDir, name), 12_345, 12_345);
      const attempt = openPrivateState(stateDir);
      await expect(attempt).rejects.toThrow(`${join(stateDir, name)} belongs to the user with the ID 12345`);
      await expect(attempt).rejects.toThrow('set LONGHAUL_STATE_DIR to a directory of this user.');
    }),
  );

  it('reports the cause and the fix if the path is a file', () =>
    withTempDir(async (directory) => {
      const path = join(directory, 'file');
      await writeFile(path, '');
      await expect(openPrivateState(join(path, 'state'))).rejects.toThrow(
        /^cannot use the state directory .*: a part of the path is not a directory \(ENOTDIR\)\. Set LONGHAUL_STATE_DIR/,
      );
    }));
});
