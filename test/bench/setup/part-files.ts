import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { GiB } from '../measurement.ts';
import { readThrough, writeBenchFile } from './bench-file.ts';

/** Maximum number of bytes in files. More is sent by resending files, which is larger than any CPU cache. */
const MOST_BYTES = 2 * GiB;

export interface PartFiles {
  /** One path for each whole part of the file, in order; a path may come more than once. */
  readonly pathsFor: (fileBytes: number, partBytes: number) => Promise<readonly string[]>;
}

/** Returns the parts of a file as separate files, for contenders that cannot send a range. Keeps only one size. */
export function createPartFiles(directory: string): PartFiles {
  let kept: { readonly partBytes: number; readonly paths: readonly string[] } | undefined;
  const write = async (partBytes: number, count: number) => {
    await rm(directory, { recursive: true, force: true });
    await mkdir(directory, { recursive: true });
    const paths = Array.from({ length: count }, (_, index) => join(directory, `part-${index + 1}`));
    for (const path of paths) await writeBenchFile(path, partBytes);
    return paths;
  };
  return {
    pathsFor: async (fileBytes, partBytes) => {
      const parts = Math.ceil(fileBytes / partBytes);
      const files = Math.min(parts, Math.ceil(MOST_BYTES / partBytes));
      if (kept?.partBytes !== partBytes || kept.paths.length < files) {
        kept = { partBytes, paths: await write(partBytes, files) };
      }
      const { paths } = kept;
      for (const path of paths.slice(0, files)) await readThrough(path);
      return Array.from({ length: parts }, (_, index) => paths[index % files] as string);
    },
  };
}
