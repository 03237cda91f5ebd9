import { mkdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkFolder } from '../../../../src/sources/file/check-folder.ts';
import { withTempDir } from '../../../support/temp-dir.ts';

describe('checkFolder', () => {
  it('accepts a folder that can be listed, also when all its files were removed', () =>
    withTempDir(async (directory) => {
      const path = join(directory, 'empty');
      await mkdir(path);
      const { dev } = await stat(path, { bigint: true });
      await checkFolder({ type: 'folder', path }, {});
      await checkFolder({ type: 'folder', path }, {}, dev);
    }));

  it('rejects an empty folder on another file system than before, as after an unmount', () =>
    withTempDir(async (directory) => {
      const path = join(directory, 'mount');
      await mkdir(path);
      const { dev } = await stat(path, { bigint: true });
      const check = () => checkFolder({ type: 'folder', path }, {}, dev + 1n);
      await expect(check()).rejects.toMatchObject({
        code: 'SOURCE_MISSING',
        message: expect.stringMatching(/Mount the/),
      });
      // The number of a device can differ after a new mount.
      await writeFile(join(path, 'x'), 'x');
      await check();
    }));

  it('rejects a folder that is missing or became a file', () =>
    withTempDir(async (directory) => {
      const missing = checkFolder({ type: 'folder', path: join(directory, 'none') }, {});
      await expect(missing).rejects.toMatchObject({ code: 'SOURCE_MISSING' });
      await writeFile(join(directory, 'file'), 'x');
      const file = checkFolder({ type: 'folder', path: join(directory, 'file') }, {});
      await expect(file).rejects.toMatchObject({ code: 'SOURCE_MISSING' });
    }));
});
