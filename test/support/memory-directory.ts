import { chmodSync, mkdtempSync, readdirSync, rmSync, statfsSync } from 'node:fs';
import { freemem } from 'node:os';
import { join } from 'node:path';
import { attempt } from '../../src/core/objects.ts';

const MEMORY = '/dev/shm';
const PREFIX = 'longhaul-tests-';
/** The tests use at most 1 GiB at a time. */
const MIN_FREE_BYTES = 4 * 1024 ** 3;

/**
 * Saves a fifteenth of the CPU time of all tests where Linux has a file system in memory: temporary files are there, unless
 * TMPDIR is set. Test files that depend on a disk call `useDisk`. A container's /dev/shm is too small by default.
 */
export function keepTemporaryFilesInMemory(): void {
  if (process.env['TMPDIR'] !== undefined || freeBytes() < MIN_FREE_BYTES) return;
  removeThoseOfKilledRuns();
  const directory = mkdtempSync(join(MEMORY, `${PREFIX}${process.pid}-`));
  // Workers of some tests run as another user.
  chmodSync(directory, 0o711);
  process.env['TMPDIR'] = directory;
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
}

export function isInMemory(directory: string): boolean {
  return directory.startsWith(join(MEMORY, PREFIX));
}

function freeBytes(): number {
  try {
    const { bavail, bsize } = statfsSync(MEMORY);
    return Math.min(bavail * bsize, freemem());
  } catch {
    return 0;
  }
}

function removeThoseOfKilledRuns(): void {
  for (const name of readdirSync(MEMORY)) {
    const pid = Number(name.startsWith(PREFIX) && name.slice(PREFIX.length).split('-')[0]);
    // It can be another user's.
    if (pid > 0 && !isRunning(pid)) attempt(() => rmSync(join(MEMORY, name), { recursive: true, force: true }));
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
