import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { lockFile } from '../../../../src/sources/manifest/file-lock.ts';
import { withFullDisk } from '../../../support/full-disk.ts';
import { canMount } from '../../../support/mount.ts';
import { withTempDir } from '../../../support/temp-dir.ts';

/** Only root can mount a disk. */
it.skipIf(!canMount())(
  'the lock of a manifest on a full disk leaves no file, for which other processes would wait',
  () =>
    withTempDir((directory) =>
      withFullDisk(directory, async (disk, free) => {
        const lock = () => lockFile(join(disk, '.lock'), AbortSignal.timeout(5000));
        await expect(lock()).rejects.toMatchObject({ code: 'ENOSPC' });
        expect(await readdir(disk)).toEqual(['filler']);
        await free();
        const held = await lock();
        expect(await held.isHeld()).toBe(true);
        await held.release();
      }),
    ),
);
