import type { BigIntStats } from 'node:fs';
import { constants, open, stat, type FileHandle } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import type { FileSource } from '../../contracts/sources.ts';
import { SourceChangedError, SourceUnusableError } from '../../errors.ts';
import { FilePermission } from './permission.ts';
import { mapFileError, specialFileError } from './errors.ts';
import { type SourceInfo, type SourceReader, type StatOptions } from '../source-reader.ts';
import type { FileSettings } from '../source-settings.ts';

/**
 * Opens a file on a disk.
 *
 * @throws SourceForbiddenError, SourceNotNamedError if it is not permitted
 * @throws SourceMissingError if it is missing or not readable
 * @throws SourceUnusableError if it is a directory, a pipe, a socket, a device or empty
 * @throws SourceReadError if the disk has an error
 */
export async function openFileSource({ path }: FileSource, settings: FileSettings = {}): Promise<SourceReader> {
  if (!isAbsolute(path)) throw new SourceUnusableError(`${path} is not an absolute path. Use an absolute path.`);
  const permission = new FilePermission(settings);
  await permission.assertPath(path);
  // Checked before it is opened, because opening a FIFO waits for a writer.
  const atPath = await mapFileError(path, stat(path, { bigint: true }));
  assertUsable(path, atPath);
  const handle = await mapFileError(path, open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)));
  try {
    const stats = await mapFileError(path, handle.stat({ bigint: true }));
    await permission.assertOpened(path, handle.fd, stats);
    assertUsable(path, stats);
    return new FileReader(path, handle, { atPath, opened: stats });
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Status of a file at its path, and of the file that is open. */
interface SeenFile {
  readonly atPath: BigIntStats;
  readonly opened: BigIntStats;
}

class FileReader implements SourceReader {
  readonly #path: string;
  readonly #handle: FileHandle;
  #identity = '';
  readonly #seen: SeenFile;
  #isSeen = false;

  constructor(path: string, handle: FileHandle, seen: SeenFile) {
    this.#path = path;
    this.#handle = handle;
    this.#seen = seen;
  }

  /** Only the path shows a replaced file or a changed link. Both show a file that is being written. */
  async stat({ ignoreInode = false }: StatOptions = {}): Promise<SourceInfo> {
    const { atPath, opened } = await this.#see();
    const isAnother = !isSameFile(atPath, opened);
    const isAlike = ignoreInode && atPath.size === opened.size && atPath.mtimeNs === opened.mtimeNs;
    if (isAnother && !isAlike) {
      throw new SourceChangedError(`${this.#path} was replaced by another file while it was read. Start a new upload.`);
    }
    const { fingerprint, change } = identitiesOf(opened);
    this.#identity = `${fingerprint}-${change}`;
    return { sizeBytes: Number(atPath.size), fingerprint: identitiesOf(atPath).fingerprint };
  }

  identity(): string {
    return this.#identity;
  }

  async read(buffer: Uint8Array, offsetBytes: number): Promise<number> {
    const { bytesRead } = await mapFileError(this.#path, this.#handle.read(buffer, 0, buffer.byteLength, offsetBytes));
    return bytesRead;
  }

  close(): Promise<void> {
    return this.#handle.close();
  }

  /** The status from opening the file, at the first call. Each query costs as much as sending a very small file. */
  async #see(): Promise<SeenFile> {
    const { opened } = this.#seen;
    const isFirst = !this.#isSeen;
    this.#isSeen = true;
    if (isFirst) return this.#seen;
    const atPath = await mapFileError(this.#path, stat(this.#path, { bigint: true }));
    // The same file has the same status at both.
    if (isSameFile(atPath, opened)) return { atPath, opened: atPath };
    return { atPath, opened: await mapFileError(this.#path, this.#handle.stat({ bigint: true })) };
  }
}

function isSameFile(one: BigIntStats, other: BigIntStats): boolean {
  return one.ino === other.ino && one.dev === other.dev;
}

/**
 * The version of a local file is its modification time. The fingerprint does not include the device number, which differs
 * after a restart or on another host that mounts the same files. The change differs if the status of a file changed or
 * another file replaced it, also if size and modification time are the same. It is relative to the modification time, so
 * that it is short in the memory of a sync.
 */
export function identitiesOf({ size, mtimeNs, ctimeNs, ino }: BigIntStats) {
  const [version, inode] = [mtimeNs.toString(36), ino.toString(36)];
  const change = `${(ctimeNs - mtimeNs).toString(36)}.${inode}`;
  return { fingerprint: `${size}-${version}-${inode}`, version, change };
}

function assertUsable(path: string, stats: BigIntStats): void {
  if (stats.isDirectory()) {
    throw new SourceUnusableError({ name: path, reason: 'it is a directory. Use the path of a file.' });
  }
  if (!stats.isFile()) throw specialFileError(path, stats);
  if (stats.size === 0n) {
    throw new SourceUnusableError({ name: path, reason: 'it is empty. Choose a file with content.' });
  }
}
