import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { errnoOf } from './core/text/errno-cause.ts';

/**
 * Creates a directory and its parents, unless it exists. The option `recursive` of Node.js 20 never returns below `/proc`, and
 * reports a read-only file system as a missing path.
 */
export function makeDirectory(path: string, mode = 0o700): void {
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return;
    if (errnoOf(error) !== 'ENOENT' || dirname(path) === path) throw error;
    makeDirectory(dirname(path), mode);
    makeOne(path, mode);
  }
}

/** Another process can create it at the same time. */
function makeOne(path: string, mode: number): void {
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
  }
}
