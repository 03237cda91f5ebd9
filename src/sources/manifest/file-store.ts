import { randomUUID } from 'node:crypto';
import { constants, open, readdir, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join } from 'node:path';
import type { FileManifest } from '../../contracts/sources.ts';
import { errnoCause, ifExists } from '../../core/text/errno-cause.ts';
import { LonghaulError, ManifestError, SourceForbiddenError, SourceReadError } from '../../errors.ts';
import { FilePermission } from '../file/permission.ts';
import { realPlace } from '../file/paths.ts';
import type { FileSettings } from '../source-settings.ts';
import { lockFile } from './file-lock.ts';
import type { ManifestContent, ManifestStore, Rewrite } from './store.ts';

const READ_BYTES = 256 * 1024;

/** Updates that start again because another process took over the lock. */
const MAX_UPDATES = 5;

/**
 * Opens a manifest on a disk. It is replaced as a whole: by a new file in the same directory, which is flushed to the
 * disk and renamed.
 *
 * @throws SourceForbiddenError, SourceNotNamedError if it is not permitted
 * @throws ManifestError if the path is not absolute
 */
export async function openFileManifest({ path }: FileManifest, settings: FileSettings = {}): Promise<ManifestStore> {
  if (!isAbsolute(path)) throw new ManifestError(`cannot use the manifest ${path}: use an absolute path.`);
  const permission = new FilePermission(settings);
  try {
    await permission.assertPath(path);
  } catch (error) {
    throw error instanceof SourceForbiddenError
      ? new SourceForbiddenError(error.messageFor('use the manifest'))
      : error;
  }
  // A link to a manifest remains a link.
  return fileManifestStore(path, await realPlace(path), permission);
}

function fileManifestStore(name: string, real: string, permission: FilePermission): ManifestStore {
  async function prepare(): Promise<void> {
    const existing = await attempt('read', openExisting());
    await existing?.handle.close();
    await attempt('write', probe());
  }

  /** Fails if no file can be created for an update. */
  async function probe(): Promise<void> {
    const next = nextPath();
    await (await open(next, 'wx')).close();
    await rm(next);
  }

  function nextPath(): string {
    return join(dirname(real), `.${basename(real)}.${randomUUID()}.tmp`);
  }

  async function read<T>(use: (content: ManifestContent) => Promise<T>): Promise<T> {
    const existing = await attempt('read', openExisting());
    if (!existing) return use(undefined);
    try {
      return await use(content(existing.handle));
    } finally {
      await existing.handle.close();
    }
  }

  async function update(rewrite: Rewrite, signal: AbortSignal): Promise<void> {
    for (let tries = 1; ; tries++) {
      if (await attempt('write', updateOnce(rewrite, signal))) return;
      if (tries === MAX_UPDATES)
        throw new SourceReadError(`cannot write the manifest ${name}: other processes take over its lock`);
    }
  }

  /** @returns false if another process took over the lock, and nothing was changed */
  async function updateOnce(rewrite: Rewrite, signal: AbortSignal): Promise<boolean> {
    const folder = dirname(real);
    const start = `.${basename(real)}.`;
    const lock = await lockFile(join(folder, `${start}lock`), signal);
    const next = nextPath();
    try {
      await removeLeftovers(folder, start);
      const existing = await openExisting();
      try {
        const handle = await open(next, 'wx', existing ? existing.mode : 0o666);
        try {
          for await (const text of rewrite(existing && content(existing.handle))) {
            signal.throwIfAborted();
            await handle.writeFile(text);
          }
          // As root, the owner of the file remains the same.
          if (existing) await handle.chown(existing.uid, existing.gid).catch(() => {});
          await handle.sync();
        } finally {
          await handle.close();
        }
      } finally {
        await existing?.handle.close();
      }
      if (!(await lock.isHeld())) return false;
      await rename(next, real);
      await syncFolder(folder);
      return true;
    } finally {
      await rm(next, { force: true });
      await lock.release();
    }
  }

  async function openExisting() {
    // Opening a FIFO would wait for a writer.
    const atPath = await ifExists(stat(real));
    if (!atPath) return undefined;
    if (!atPath.isFile())
      throw new ManifestError(`cannot use the manifest ${name}: it is not a regular file. Use another path.`);
    const handle = await open(real, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    try {
      const stats = await handle.stat({ bigint: true });
      await permission.assertOpened(name, handle.fd, stats);
      return { handle, mode: Number(stats.mode) & 0o777, uid: Number(stats.uid), gid: Number(stats.gid) };
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  async function* content(handle: FileHandle): AsyncGenerator<Uint8Array> {
    const buffer = new Uint8Array(READ_BYTES);
    for (let position = 0; ;) {
      const { bytesRead } = await handle.read(buffer, 0, buffer.byteLength, position);
      if (bytesRead === 0) return;
      position += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  }

  async function attempt<T>(verb: 'read' | 'write', operation: Promise<T>): Promise<T> {
    try {
      return await operation;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (error instanceof LonghaulError || code === undefined || code === 'ABORT_ERR') throw error;
      // A manifest that does not exist is not an error, so its directory is missing.
      const cause = code === 'ENOENT' ? 'its directory does not exist (ENOENT)' : errnoCause(code);
      const problem = `cannot ${verb} the manifest ${name}: ${cause}`;
      const fix = verb === 'read' && fixes[code] === GRANT ? GRANT_READING : fixes[code];
      if (fix !== undefined) throw new ManifestError(`${problem}. ${fix}`, { cause: error });
      const isFull = code === 'ENOSPC' || code === 'EDQUOT';
      throw new SourceReadError(isFull ? `${problem}. Free some space.` : problem, { cause: error });
    }
  }

  return { name, prepare, read, update };
}

const GRANT_READING = 'Grant read access to it to the user that runs the worker.';
const GRANT = 'Grant write access to its directory to the user that runs the worker.';

const fixes: Readonly<Record<string, string>> = {
  ENOENT: 'Create its directory.',
  ENOTDIR: 'Check the path.',
  ENAMETOOLONG: 'Use a shorter path.',
  ELOOP: 'Fix the links.',
  EACCES: GRANT,
  EPERM: GRANT,
  EROFS: 'Use a path on a file system that can be written.',
  EISDIR: 'Use the path of a file.',
};

/** Removes the files of updates whose processes were killed. */
async function removeLeftovers(folder: string, start: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (name.startsWith(start) && /^[0-9a-f-]{36}\.tmp$/.test(name.slice(start.length))) {
      await rm(join(folder, name), { force: true });
    }
  }
}

/** Not all file systems can flush a directory. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => undefined);
  await handle?.sync().catch(() => {});
  await handle?.close();
}
