import { tmpdir } from 'node:os';
import { afterAll, beforeAll } from 'vitest';
import { isInMemory } from './memory-directory.ts';

/** For a test file that depends on a disk, which gives the inode of a deleted file to the next one. */
export function useDisk(): void {
  const directory = tmpdir();
  if (!isInMemory(directory)) return;
  beforeAll(() => void delete process.env['TMPDIR']);
  afterAll(() => void (process.env['TMPDIR'] = directory));
}
