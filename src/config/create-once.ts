import { randomUUID } from 'node:crypto';
import { linkSync, rmSync, writeFileSync } from 'node:fs';
import { errnoOf } from '../core/text/errno-cause.ts';

/** Creates a file with its whole content, unless it exists. Also on a full disk, no part of the content is at its path. */
export function createOnce(path: string, content: string): void {
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    writeFileSync(temporary, content, { mode: 0o600, flush: true });
    // `link` fails if the name exists.
    linkSync(temporary, path);
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
  } finally {
    rmSync(temporary, { force: true });
  }
}
