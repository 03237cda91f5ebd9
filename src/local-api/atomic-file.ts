import { rename, rm, writeFile } from 'node:fs/promises';
import { FILE_MODE } from './private-files.ts';

/**
 * Writes a file so that a reader, also one after a SIGKILL, finds the old content or the new, never a half. It does
 * not flush to the device: a power cut is not what a development server is for.
 */
export async function writeFileAtomic(path: string, content: string): Promise<void> {
  const temporary = `${path}.tmp`;
  try {
    await writeFile(temporary, content, { mode: FILE_MODE });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
