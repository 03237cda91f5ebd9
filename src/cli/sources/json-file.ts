import { randomUUID } from 'node:crypto';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ZodType } from 'zod';
import { ifExists } from '../../core/text/errno-cause.ts';
import { parseJson } from '../../core/text/parse.ts';

/**
 * Replaces a file atomically: after a kill, and for each reader, it has the old content or the new content.
 *
 * @param flush whether the content must survive a crash of the system
 */
export async function writeJsonFile(path: string, content: unknown, { flush = false } = {}): Promise<void> {
  // Its name can be shorter than that of the file.
  const temporary = join(dirname(path), `.${randomUUID()}.tmp`);
  try {
    await writeFile(temporary, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600, flush });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    // An error of a full disk has no path.
    throw error instanceof Error ? Object.assign(error, { path }) : error;
  }
}

/** Returns the content of the file; null if it is missing or does not match the schema. */
export async function readJsonFile<T>(path: string, schema: ZodType<T>): Promise<T | null> {
  const text = await ifExists(readFile(path, 'utf8'));
  const parsed = schema.safeParse(text && parseJson(text));
  return parsed.success ? parsed.data : null;
}
