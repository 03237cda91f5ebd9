import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withMount } from './mount.ts';

/** Runs `body` with a disk on which files can be created, but have no content until `free` is called. */
export function withFullDisk(
  directory: string,
  body: (disk: string, free: () => Promise<void>) => Promise<void>,
): Promise<void> {
  const disk = join(directory, 'full');
  const filler = join(disk, 'filler');
  return withMount(disk, 'size=64k,mode=700', async () => {
    await writeFile(filler, Buffer.alloc(64 * 1024));
    await body(disk, () => rm(filler));
  });
}
