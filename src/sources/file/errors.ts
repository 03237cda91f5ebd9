import type { BigIntStats, Stats } from 'node:fs';
import { errnoCause } from '../../core/text/errno-cause.ts';
import { LonghaulError, SourceMissingError, SourceReadError, SourceUnusableError } from '../../errors.ts';

/** Fixes of errors for which an upload waits: a missing mount, permissions, links. */
const missing: Readonly<Record<string, string>> = {
  ENOENT: 'Check the path, and that the source is on this host.',
  ENOTDIR: 'Check the path.',
  EACCES: 'Grant read access to the user that runs this process.',
  EPERM: 'Grant read access to the user that runs this process.',
  ELOOP: 'Fix the links.',
};

/** Fixes of permanent errors. */
const unusable: Readonly<Record<string, string>> = {
  ENAMETOOLONG: 'Use a shorter path.',
  EISDIR: 'Use the path of a file.',
  ENXIO: 'It is a socket or a device. Save its content to a regular file and upload that file.',
};

/** Errors of this process or machine, independent of the file. */
const overload: readonly string[] = ['EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN'];

/**
 * Maps the errors of `node:fs` to those of Longhaul. All others (EIO, ESTALE, EMFILE …) are retried.
 */
export async function mapFileError<T>(path: string, operation: Promise<T>): Promise<T> {
  try {
    return await operation;
  } catch (error) {
    if (error instanceof LonghaulError) throw error;
    const code = (error as NodeJS.ErrnoException).code ?? '';
    const problem = `cannot read ${path}: ${code === '' ? String(error) : errnoCause(code)}`;
    if (missing[code]) throw new SourceMissingError(`${problem}. ${missing[code]}`, { cause: error });
    if (unusable[code]) throw new SourceUnusableError(`${problem}. ${unusable[code]}`, { cause: error });
    throw new SourceReadError(problem, { cause: error, isOverload: overload.includes(code) });
  }
}

/** The kind of a special file; undefined for files and directories. */
export function specialKind(stats: Stats | BigIntStats): string | undefined {
  if (stats.isFIFO()) return 'a pipe';
  if (stats.isSocket()) return 'a socket';
  if (stats.isCharacterDevice()) return 'a character device';
  if (stats.isBlockDevice()) return 'a block device';
  return stats.isFile() || stats.isDirectory() ? undefined : 'a special file';
}

/** It cannot be read as a file. */
export function specialFileError(path: string, stats: Stats | BigIntStats): SourceUnusableError {
  const advice = 'Save its content to a file, or pipe the content into "longhaul upload - --filename NAME".';
  const kind = specialKind(stats) ?? 'a directory';
  return new SourceUnusableError({ name: path, reason: `it is ${kind}, not a file. ${advice}` });
}
