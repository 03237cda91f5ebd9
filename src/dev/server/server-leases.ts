import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { readJsonFile, writeJsonFile } from './json-file.ts';
import { isAlive, isForeign, ownIdentity } from './process-identity.ts';

const leaseSchema = z.object({ pid: z.number().int(), startTime: z.string(), pidNamespace: z.string().optional() });

/** Says in a file that this process uses the server. Returns the file's path. Call it under the lock. */
export async function addLease(directory: string): Promise<string> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, `${process.pid}-${randomUUID().slice(0, 8)}.json`);
  await writeJsonFile(path, ownIdentity());
  return path;
}

export async function removeLease(path: string): Promise<void> {
  await rm(path, { force: true });
}

/** Removes the leases of other containers: their server has ended, as this one has the database. Call it under the lock. */
export async function removeForeignLeases(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    const path = join(directory, name);
    const holder = await readJsonFile(path, leaseSchema);
    if (holder !== null && isForeign(holder)) await rm(path, { force: true });
  }
}

/**
 * Removes the leases of processes that are gone, and counts the others. Leases of other containers, which use a server of
 * their own, are neither counted nor removed. Call it under the lock.
 */
export async function sweepLeases(directory: string): Promise<number> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  let living = 0;
  for (const name of await readdir(directory)) {
    const path = join(directory, name);
    const holder = await readJsonFile(path, leaseSchema);
    if (holder !== null && isForeign(holder)) continue;
    if (holder !== null && isAlive(holder)) living += 1;
    else await rm(path, { force: true });
  }
  return living;
}
