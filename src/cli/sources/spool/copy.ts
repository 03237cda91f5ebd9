import { formatBytes } from '../../../core/text/format.ts';
import { LonghaulError, SourceUnusableError } from '../../../errors.ts';
import type { NewSpool, SpoolFolder } from './folder.ts';

/** The embedded server's database may be on the same disk, which must not become full. */
const SPARE_BYTES = 64 * 1024 ** 2;
const LOOK_EVERY_BYTES = 16 * 1024 ** 2;
const TELL_EVERY_MS = 5000;

/** What can be read only once, such as standard input, can't be kept: no room, or no permission. */
export class SpoolFailedError extends LonghaulError {
  readonly code = 'SPOOL_FAILED';
  readonly retryable = false;
}

export interface SpoolOptions {
  /** The File's name. */
  readonly filename: string;
  /** More than this can't be uploaded. */
  readonly maxBytes: number;
  readonly signal: AbortSignal;
  /** Told how much has come, every few seconds. */
  readonly tell: (line: string) => void;
}

/** What is copied, in words. */
export interface SpoolWords {
  /** Such as `standard input`. */
  readonly what: string;
  /** How the command line names it. */
  readonly argument: string;
}

/**
 * Checks that a copy can be made in the folder, before anything is read that can be read only once.
 *
 * @throws ConfigError, SpoolFailedError if the folder cannot be written, or the disk is full
 */
export async function assertSpoolable(folder: SpoolFolder, { what }: SpoolWords): Promise<void> {
  await keeping(what, folder, folder.assertWritable());
  await assertRoom(folder, what, 0);
}

/**
 * Makes a copy in the spool folder, whole or not at all, and gives its path: what can be read once only has to be kept, as
 * an upload may have to read a part again.
 *
 * @param fill writes the copy
 * @throws SourceUnusableError when nothing comes, or more than can be uploaded
 * @throws SpoolFailedError when there is no room, or the folder can't be written
 * @throws the reason of `signal`, and whatever `fill` throws; of what had come nothing is kept
 */
export async function spoolCopy(
  folder: SpoolFolder,
  words: SpoolWords,
  options: SpoolOptions,
  fill: (copy: SpoolCopy) => Promise<void>,
): Promise<string> {
  const { what, argument } = words;
  const spool = await keeping(what, folder, folder.begin(options.filename));
  try {
    const copy = new SpoolCopy(folder, spool, what, options);
    await fill(copy);
    if (copy.bytes === 0) throw new SourceUnusableError(`${what} is empty; there is nothing to upload`);
    const path = await keeping(what, folder, spool.finish());
    options.tell(
      `${what}: ${formatBytes(copy.bytes)} are in ${path}; should this command be interrupted, ` +
        `the same command with this path instead of ${argument} goes on`,
    );
    return path;
  } catch (error) {
    await spool.discard();
    options.signal.throwIfAborted();
    throw error;
  }
}

/** A copy while it is written, with an eye on the room that there is. */
export class SpoolCopy {
  readonly #folder: SpoolFolder;
  readonly #spool: NewSpool;
  readonly #what: string;
  readonly #options: SpoolOptions;
  #bytes = 0;
  #knownBytes: number | undefined;
  #toldAtMs = Date.now();

  constructor(folder: SpoolFolder, spool: NewSpool, what: string, options: SpoolOptions) {
    this.#folder = folder;
    this.#spool = spool;
    this.#what = what;
    this.#options = options;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /**
   * The first byte comes next; what was written before is void.
   *
   * @param knownBytes how much will come, where that is known
   */
  async begin(knownBytes: number | undefined): Promise<void> {
    await this.#keeping(this.#spool.handle.truncate(0));
    this.#bytes = 0;
    this.#knownBytes = knownBytes;
    this.#assertSize(knownBytes ?? 0);
    await assertRoom(this.#folder, this.#what, knownBytes ?? 0);
  }

  async write(chunk: Uint8Array): Promise<void> {
    const before = this.#bytes;
    this.#assertSize(before + chunk.byteLength);
    for (let done = 0; done < chunk.byteLength;) {
      const writing = this.#spool.handle.write(chunk, done, chunk.byteLength - done, before + done);
      done += (await this.#keeping(writing)).bytesWritten;
    }
    this.#bytes += chunk.byteLength;
    const isLook = Math.floor(this.#bytes / LOOK_EVERY_BYTES) !== Math.floor(before / LOOK_EVERY_BYTES);
    if (isLook) await assertRoom(this.#folder, this.#what, 0);
    this.#tellNowAndThen();
  }

  #tellNowAndThen(): void {
    if (Date.now() - this.#toldAtMs < TELL_EVERY_MS) return;
    this.#toldAtMs = Date.now();
    const total = this.#knownBytes === undefined ? '' : ` of ${formatBytes(this.#knownBytes)}`;
    this.#options.tell(`${this.#what}: ${formatBytes(this.#bytes)}${total} read`);
  }

  #assertSize(sizeBytes: number): void {
    const { maxBytes } = this.#options;
    if (sizeBytes <= maxBytes) return;
    throw new SourceUnusableError(
      `${this.#what} has more than ${formatBytes(maxBytes)}, which an Upload takes at most: ` +
        'upload lines (JSONL) with --split, which makes several Files of them',
    );
  }

  #keeping<T>(operation: Promise<T>): Promise<T> {
    return keeping(this.#what, this.#folder, operation);
  }
}

async function assertRoom(folder: SpoolFolder, what: string, neededBytes: number): Promise<void> {
  const free = await keeping(what, folder, folder.freeBytes());
  if (free - neededBytes >= SPARE_BYTES) return;
  throw new SpoolFailedError(
    `there is no room for ${what} in ${folder.path} (${formatBytes(free)} free); ` +
      'make room, or set LONGHAUL_STATE_DIR to a directory on a larger disk',
  );
}

async function keeping<T>(what: string, folder: SpoolFolder, operation: Promise<T>): Promise<T> {
  try {
    return await operation;
  } catch (error) {
    if (error instanceof LonghaulError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    throw new SpoolFailedError(
      `${what} can't be kept in ${folder.path} (${code ?? message}); ` +
        'set LONGHAUL_STATE_DIR to a directory with room that may be written',
      { cause: error },
    );
  }
}
