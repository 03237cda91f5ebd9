import type { BigIntStats, Stats } from 'node:fs';

/** The kind of a special file; undefined for files and directories. */
export function specialKind(stats: Stats | BigIntStats): string | undefined {
  if (stats.isFIFO()) return 'a pipe';
  if (stats.isSocket()) return 'a socket';
  if (stats.isCharacterDevice()) return 'a character device';
  if (stats.isBlockDevice()) return 'a block device';
  return stats.isFile() || stats.isDirectory() ? undefined : 'a special file';
}

/** Why it cannot be read as a file, and what to do. */
export function specialFileMessage(path: string, stats: Stats | BigIntStats): string {
  const advice = 'Save its content to a file, or pipe the content into "longhaul upload - --filename NAME".';
  return `cannot upload ${path}: it is ${specialKind(stats) ?? 'a directory'}, not a file. ${advice}`;
}
