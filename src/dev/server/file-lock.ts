import { randomUUID } from 'node:crypto';
import { link, mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { EmbeddedTemporalError } from './embedded-temporal-error.ts';
import { readJsonFile } from './json-file.ts';
import { isAlive, isForeign, ownIdentity } from './process-identity.ts';

const lockSchema = z.union([
  z.object({ released: z.literal(true) }),
  z.object({ pid: z.number().int(), startTime: z.string(), pidNamespace: z.string().optional() }),
]);

export interface FileLockOptions {
  /** @defaultValue 90,000 */
  readonly timeoutMs?: number;
}

/** Old generations that stay behind, so that a slow process which knows only those can't create one of them anew. */
const GENERATIONS_KEPT = 16;
const POLL_MS = 25;
/** Starting a server, which is the longest that a lock is held for, takes at most half of it. */
const FOREIGN_HOLD_MS = 60_000;

async function newestGeneration(directory: string): Promise<number> {
  const numbers = (await readdir(directory)).filter((name) => /^\d+$/.test(name)).map(Number);
  return Math.max(0, ...numbers);
}

/** Null when it is free: never taken, released, or its owner is dead. */
async function owner(directory: string, generation: number): Promise<number | null> {
  if (generation === 0) return null;
  const path = join(directory, String(generation));
  const content = await readJsonFile(path, lockSchema);
  if (content === null || 'released' in content) return null;
  const isHeld = isForeign(content) ? await isYoung(path) : isAlive(content);
  return isHeld ? content.pid : null;
}

/** Of an owner in another container, only the time is known. */
async function isYoung(path: string): Promise<boolean> {
  const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: 0 }));
  return Date.now() - mtimeMs < FOREIGN_HOLD_MS;
}

/** Whether this process is now the owner of `generation`. */
async function claim(directory: string, generation: number): Promise<boolean> {
  const temporary = join(directory, `${randomUUID()}.tmp`);
  const path = join(directory, String(generation));
  await writeFile(temporary, JSON.stringify(ownIdentity()), { mode: 0o600 });
  try {
    // `link` fails when the name exists, and the name appears together with its content.
    await link(temporary, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(temporary, { force: true });
  }
  if ((await newestGeneration(directory)) === generation) return true;
  await rm(path, { force: true });
  return false;
}

async function removeOldGenerations(directory: string, generation: number): Promise<void> {
  for (const name of await readdir(directory)) {
    if (/^\d+$/.test(name) && Number(name) <= generation - GENERATIONS_KEPT) {
      await rm(join(directory, name), { force: true });
    }
  }
}

async function acquire(directory: string, timeoutMs: number): Promise<number> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const newest = await newestGeneration(directory);
    const pid = await owner(directory, newest);
    if (pid === null && (await claim(directory, newest + 1))) return newest + 1;
    if (Date.now() > deadline) {
      const holder = pid === null ? 'others' : `process ${pid}`;
      throw new EmbeddedTemporalError(
        `The lock ${directory} stayed with ${holder} for ${timeoutMs / 1000} s. Wait for that process, or end it.`,
      );
    }
    await delay(POLL_MS);
  }
}

async function release(directory: string, generation: number): Promise<void> {
  const temporary = join(directory, `${randomUUID()}.tmp`);
  const path = join(directory, String(generation));
  try {
    await writeFile(temporary, JSON.stringify({ released: true }), { mode: 0o600 });
    await rename(temporary, path);
  } catch {
    // A full disk has no room for the mark. Nobody can have a newer number while this one is held.
    await rm(temporary, { force: true });
    await rm(path, { force: true });
  }
}

/**
 * Runs `body` while no other process (or other call in this one) runs one under the same directory. The lock of a
 * process that was killed is free at once.
 *
 * Each holder makes a new file with the next number, which only one can create, and marks it released at the end.
 * A dead or released file never becomes valid again, so there is no stale lock to remove, which is the step
 * in which two processes could both believe to have won.
 *
 * @throws EmbeddedTemporalError when the lock isn't free in time
 */
export async function withFileLock<T>(
  directory: string,
  body: () => Promise<T>,
  { timeoutMs = 90_000 }: FileLockOptions = {},
): Promise<T> {
  const generation = await acquire(directory, timeoutMs);
  try {
    await removeOldGenerations(directory, generation);
    return await body();
  } finally {
    await release(directory, generation);
  }
}
