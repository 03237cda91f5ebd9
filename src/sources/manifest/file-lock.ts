import { randomUUID } from 'node:crypto';
import { link, open, readFile, rename, rm, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { SourceReadError } from '../../errors.ts';
import { errnoOf, ifExists } from '../../core/text/errno-cause.ts';
import { parseJson } from '../../core/text/parse.ts';

/** The owner of a lock changes its time. A lock whose time does not change for `STALE_MS` has no owner. */
const TOUCH_MS = 2000;
const STALE_MS = 15_000;
const POLL_MS = 50;
/** Longer than any update. */
const MAX_WAIT_MS = 120_000;

interface Owner {
  readonly id: string;
  readonly pid: number;
  readonly host: string;
}

export interface FileLock {
  /** Whether no other process has taken the lock. */
  readonly isHeld: () => Promise<boolean>;
  readonly release: () => Promise<void>;
}

/**
 * Waits for the lock of a file, which is another file. If its owner was killed, the lock is taken over: immediately on the
 * same host, otherwise after 15 s. The owner must check `isHeld` before it acts.
 *
 * @throws SourceReadError if another process has the lock for two minutes
 * @throws the error of the file system
 */
export async function lockFile(path: string, signal: AbortSignal): Promise<FileLock> {
  const owner: Owner = { id: randomUUID(), pid: process.pid, host: hostname() };
  const untilMs = performance.now() + MAX_WAIT_MS;
  let seen: { readonly state: string; readonly atMs: number } | undefined;
  while (!(await create(path, owner))) {
    signal.throwIfAborted();
    const state = await stateOf(path);
    const text = state?.text ?? '';
    if (seen?.state !== text) seen = { state: text, atMs: performance.now() };
    const isStale = isDead(state?.owner) || performance.now() - seen.atMs > STALE_MS;
    if (isStale && state) await remove(path, state.content);
    else if (performance.now() > untilMs) {
      const who = state?.owner ? `process ${state.owner.pid} on ${state.owner.host}` : 'another process';
      throw new SourceReadError(`${who} has the lock ${path} for more than two minutes. Check that process.`);
    } else await delay(POLL_MS * (1 + Math.random()), undefined, { signal });
  }
  const timer = setInterval(() => {
    const now = new Date();
    void utimes(path, now, now).catch(() => {});
  }, TOUCH_MS).unref();
  const isHeld = async () => (await stateOf(path))?.owner?.id === owner.id;
  return {
    isHeld,
    release: async () => {
      clearInterval(timer);
      if (await isHeld()) await rm(path, { force: true });
    },
  };
}

async function create(path: string, owner: Owner): Promise<boolean> {
  const handle = await open(path, 'wx', 0o600).catch((error: unknown) => {
    if (errnoOf(error) === 'EEXIST') return undefined;
    throw error;
  });
  if (!handle) return false;
  try {
    await handle.writeFile(JSON.stringify(owner));
    return true;
  } catch (error) {
    // A full disk. Without its owner, other processes would wait for the lock.
    await rm(path, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
}

/** Removes a lock without an owner. If another process has replaced the lock in the meantime, that lock is restored. */
async function remove(path: string, content: string): Promise<void> {
  const aside = `${path}.${randomUUID()}`;
  try {
    await rename(path, aside);
    if ((await readFile(aside, 'utf8')) !== content) await link(aside, path).catch(() => {});
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  } finally {
    await rm(aside, { force: true });
  }
}

/** Undefined if no lock exists. */
async function stateOf(path: string) {
  const handle = await ifExists(open(path, 'r'));
  if (!handle) return undefined;
  try {
    const { ino, mtimeNs } = await handle.stat({ bigint: true });
    const content = await handle.readFile('utf8');
    return { content, text: `${ino} ${mtimeNs} ${content}`, owner: parse(content) };
  } finally {
    await handle.close();
  }
}

function parse(content: string): Owner | undefined {
  const { id, pid, host } = (parseJson(content) ?? {}) as Partial<Owner>;
  return typeof id === 'string' && Number.isSafeInteger(pid) && typeof host === 'string'
    ? { id, pid: pid as number, host }
    : undefined;
}

/** Whether the process no longer runs. Only a process on this host can be checked. */
function isDead(owner: Owner | undefined): boolean {
  if (!owner || owner.host !== hostname() || owner.pid <= 0) return false;
  try {
    process.kill(owner.pid, 0);
    return false;
  } catch (error) {
    return errnoOf(error) === 'ESRCH';
  }
}
