import { randomUUID } from 'node:crypto';
import { access, constants, open, readdir, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join } from 'node:path';
import type { FileManifest } from '../../contracts/sources.ts';
import { errnoCause } from '../../core/text/errno-cause.ts';
import { LonghaulError, ManifestError, SourceReadError } from '../../errors.ts';
import { FilePermission } from '../file/permission.ts';
import { realPlace } from '../file/paths.ts';
import type { FileSettings } from '../source-settings.ts';
import { lockFile } from './file-lock.ts';
import type { ManifestStore } from './store.ts';

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
  await permission.assertPath(path);
  // A link to a manifest remains a link.
  return new FileManifestStore(path, await realPlace(path), permission);
}

class FileManifestStore implements ManifestStore {
  readonly name: string;
  readonly #real: string;
  readonly #permission: FilePermission;

  constructor(name: string, real: string, permission: FilePermission) {
    this.name = name;
    this.#real = real;
    this.#permission = permission;
  }

  async prepare(): Promise<void> {
    const existing = await this.#try('read', this.#open());
    await existing?.handle.close();
    await this.#try('write', access(dirname(this.#real), constants.W_OK | constants.X_OK));
  }

  async read<T>(use: (content: AsyncIterable<Uint8Array> | undefined) => Promise<T>): Promise<T> {
    const existing = await this.#try('read', this.#open());
    if (!existing) return use(undefined);
    try {
      return await use(this.#content(existing.handle));
    } finally {
      await existing.handle.close();
    }
  }

  async update(
    rewrite: (content: AsyncIterable<Uint8Array> | undefined) => AsyncIterable<string>,
    signal: AbortSignal,
  ): Promise<void> {
    for (let update = 1; ; update++) {
      if (await this.#try('write', this.#updateOnce(rewrite, signal))) return;
      if (update === MAX_UPDATES)
        throw new SourceReadError(`cannot write the manifest ${this.name}: other processes take over its lock`);
    }
  }

  /** @returns false if another process took over the lock, and nothing was changed */
  async #updateOnce(
    rewrite: (content: AsyncIterable<Uint8Array> | undefined) => AsyncIterable<string>,
    signal: AbortSignal,
  ): Promise<boolean> {
    const folder = dirname(this.#real);
    const start = `.${basename(this.#real)}.`;
    const lock = await lockFile(join(folder, `${start}lock`), signal);
    const next = join(folder, `${start}${randomUUID()}.tmp`);
    try {
      await removeLeftovers(folder, start);
      const existing = await this.#open();
      try {
        const handle = await open(next, 'wx', existing ? existing.mode : 0o666);
        try {
          for await (const text of rewrite(existing && this.#content(existing.handle))) {
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
      await rename(next, this.#real);
      await syncFolder(folder);
      return true;
    } finally {
      await rm(next, { force: true });
      await lock.release();
    }
  }

  async #open() {
    // Opening a FIFO would wait for a writer.
    const atPath = await stat(this.#real).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    });
    if (!atPath) return undefined;
    if (!atPath.isFile()) throw new ManifestError(`cannot use the manifest ${this.name}: it is not a regular file.`);
    const handle = await open(this.#real, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    try {
      const stats = await handle.stat({ bigint: true });
      await this.#permission.assertOpened(this.name, handle.fd, stats);
      return { handle, mode: Number(stats.mode) & 0o777, uid: Number(stats.uid), gid: Number(stats.gid) };
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  async *#content(handle: FileHandle): AsyncGenerator<Uint8Array> {
    const buffer = new Uint8Array(READ_BYTES);
    for (let position = 0; ;) {
      const { bytesRead } = await handle.read(buffer, 0, buffer.byteLength, position);
      if (bytesRead === 0) return;
      position += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  }

  async #try<T>(verb: 'read' | 'write', operation: Promise<T>): Promise<T> {
    try {
      return await operation;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (error instanceof LonghaulError || code === undefined || code === 'ABORT_ERR') throw error;
      const problem = `cannot ${verb} the manifest ${this.name}: ${errnoCause(code)}`;
      const fix = fixes[code];
      if (fix !== undefined) throw new ManifestError(`${problem}. ${fix}`, { cause: error });
      throw new SourceReadError(problem, { cause: error });
    }
  }
}

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
