import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openFileManifest } from '../../../../src/sources/manifest/file-store.ts';
import { withFullDisk } from '../../../support/full-disk.ts';
import { canMount } from '../../../support/mount.ts';
import { withTempDir } from '../../../support/temp-dir.ts';

/** Only root can mount a disk. */
it.skipIf(!canMount())('a manifest on a full disk is kept unchanged, retried, and written after space is freed', () =>
  withTempDir((directory) =>
    withFullDisk(directory, async (disk, free) => {
      const path = join(disk, 'sync.jsonl');
      const manifest = await openFileManifest({ type: 'file', path });
      const update = () =>
        manifest.update(async function* rewrite() {
          yield 'x'.repeat(10_000);
        }, AbortSignal.timeout(5000));
      await expect(update()).rejects.toMatchObject({
        retryable: true,
        message: `cannot write the manifest ${path}: no space left on the disk (ENOSPC). Free some space.`,
      });
      expect(await readdir(disk)).toEqual(['filler']);
      await free();
      await update();
      expect((await readFile(path, 'utf8')).length).toBe(10_000);
    }),
  ),
);
