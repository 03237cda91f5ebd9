import { fstatSync } from 'node:fs';
import { addAbortSignal, type Readable } from 'node:stream';
import { errnoCause, errnoOf } from '../../../core/text/errno-cause.ts';
import { formatBytes } from '../../../core/text/format.ts';
import { limitText } from '../../../core/upload/file-limits.ts';
import { LonghaulError, SourceUnusableError } from '../../../errors.ts';
import type { Sources } from '../../../sources/sources.ts';
import type { NewSpool, SpoolFolder } from './folder.ts';

/** Free space to keep, because the database of the embedded server can be on the same disk. */
const SPARE_BYTES = 64 * 1024 ** 2;
const CHECK_EVERY_BYTES = 16 * 1024 ** 2;
const PRINT_EVERY_MS = 5000;

/** A source that can be read only once cannot be saved: no space, or no permission. */
class SpoolFailedError extends LonghaulError {
  readonly code = 'SPOOL_FAILED';
  readonly retryable = false;
}

export interface SpoolOptions {
  /** The File's name. */
  readonly filename: string;
  /** Maximum size of the source. */
  readonly maxBytes: number;
  readonly signal: AbortSignal;
  /** Prints the progress every few seconds. */
  readonly print: (line: string) => void;
}

/** Names of the source in messages. */
export interface SpoolWords {
  /** Such as `standard input`. */
  readonly what: string;
  /** The argument of the command line. */
  readonly argument: string;
}

/**
 * Checks that the folder can contain a copy, before a source is read that can be read only once.
 *
 * @throws ConfigError, SpoolFailedError if the folder cannot be written, or the disk is full
 */
export async function assertSpoolable(folder: SpoolFolder, { what }: SpoolWords): Promise<void> {
  await keeping(what, folder, folder.assertWritable());
  await assertRoom(folder, what, 0);
}

/**
 * Creates a complete copy in the spool folder, and returns its path. A source that can be read only once must be saved,
 * because an upload can have to read a part again. After an error, no copy remains.
 *
 * @param fill writes the copy
 * @throws SourceUnusableError if the source is empty or too large
 * @throws SpoolFailedError if the disk is full or the folder cannot be written
 * @throws the reason of `signal`, and errors of `fill`
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
    if (copy.bytes === 0) throw new SourceUnusableError({ name: what, reason: 'it is empty. Provide content.' });
    const path = await keeping(what, folder, spool.finish());
    options.print(
      `saved ${what} (${formatBytes(copy.bytes)}) to ${path}. ` +
        `If this command is interrupted, run it again with this path instead of ${argument} to resume.`,
    );
    return path;
  } catch (error) {
    await spool.discard();
    options.signal.throwIfAborted();
    throw error;
  }
}

/** A copy that is being written. Checks the free space of the disk. */
class SpoolCopy {
  readonly #folder: SpoolFolder;
  readonly #spool: NewSpool;
  readonly #what: string;
  readonly #options: SpoolOptions;
  #bytes = 0;
  #knownBytes: number | undefined;
  #printedAtMs = performance.now();

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
   * Starts or restarts the copy at its first byte.
   *
   * @param knownBytes size of the source, if it is known
   */
  async start(knownBytes: number | undefined): Promise<void> {
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
    const isCheck = Math.floor(this.#bytes / CHECK_EVERY_BYTES) !== Math.floor(before / CHECK_EVERY_BYTES);
    if (isCheck) await assertRoom(this.#folder, this.#what, 0);
    this.#printProgress();
  }

  #printProgress(): void {
    if (performance.now() - this.#printedAtMs < PRINT_EVERY_MS) return;
    this.#printedAtMs = performance.now();
    const total = this.#knownBytes === undefined ? '' : ` of ${formatBytes(this.#knownBytes)}`;
    this.#options.print(`${this.#what}: ${formatBytes(this.#bytes)}${total} read`);
  }

  #assertSize(sizeBytes: number): void {
    const { maxBytes } = this.#options;
    if (sizeBytes <= maxBytes) return;
    const most = `it is larger than ${limitText(maxBytes)}, the maximum of an Upload for this purpose`;
    throw new SourceUnusableError({
      name: this.#what,
      reason: `${most}. If it is JSONL, use --split to create several Files.`,
    });
  }

  #keeping<T>(operation: Promise<T>): Promise<T> {
    return keeping(this.#what, this.#folder, operation);
  }
}

async function assertRoom(folder: SpoolFolder, what: string, neededBytes: number): Promise<void> {
  const free = await keeping(what, folder, folder.freeBytes());
  if (free - neededBytes >= SPARE_BYTES) return;
  throw new SpoolFailedError(
    `cannot save ${what} in ${folder.path}: only ${formatBytes(free)} are free. ` +
      'Free some space, or set LONGHAUL_STATE_DIR to a directory on a larger disk.',
  );
}

async function keeping<T>(what: string, folder: SpoolFolder, operation: Promise<T>): Promise<T> {
  try {
    return await operation;
  } catch (error) {
    if (error instanceof LonghaulError) throw error;
    const code = errnoOf(error);
    throw new SpoolFailedError(
      `cannot save ${what} in ${folder.path}: ${code === undefined ? (error as Error).message : errnoCause(code)}. ` +
        'Set LONGHAUL_STATE_DIR to a writable directory with free space.',
      { cause: error },
    );
  }
}

export const standardInput = { what: 'standard input', argument: '"-"' } as const;

/** Time without data after which the command prints that it waits. */
const SILENCE_MS = 2000;

interface SpoolInputOptions extends SpoolOptions {
  /** Names of the source in messages. @defaultValue standard input */
  readonly words?: SpoolWords;
  /** Called if no byte has arrived after some seconds. */
  readonly onSilence?: () => void;
}

/**
 * Copies all bytes of `input` into the spool folder, and returns the copy's path: a pipe can be read only once.
 *
 * @throws as `spoolCopy`
 */
export function spoolInput(
  input: Readable & { readonly fd?: number },
  folder: SpoolFolder,
  { words = standardInput, onSilence = () => {}, ...options }: SpoolInputOptions,
): Promise<string> {
  return spoolCopy(folder, words, options, async (copy) => {
    await copy.start(sizeOf(input.fd));
    const silence = setTimeout(onSilence, SILENCE_MS);
    try {
      for await (const chunk of addAbortSignal(options.signal, input) as AsyncIterable<Buffer>) {
        clearTimeout(silence);
        await copy.write(chunk);
      }
    } finally {
      clearTimeout(silence);
    }
  });
}

/** Returns the size of a file; undefined for a pipe. */
function sizeOf(fd: number | undefined): number | undefined {
  const stats = fd === undefined ? undefined : fstatSync(fd);
  return stats?.isFile() ? stats.size : undefined;
}

interface SpoolUrlOptions extends SpoolOptions {
  /** Downloads the URL, if its settings permit it. */
  readonly sources: Sources;
}

/**
 * Downloads a URL to the spool folder, and returns the path of the copy, because not every server supports range requests.
 *
 * @throws as `spoolCopy` and `Sources.download`
 */
export function spoolUrl(url: URL, folder: SpoolFolder, { sources, ...options }: SpoolUrlOptions): Promise<string> {
  const { signal, print } = options;
  const sink = (copy: SpoolCopy) => ({
    begin: (sizeBytes: number | undefined) => copy.start(sizeBytes),
    write: (chunk: Uint8Array) => copy.write(chunk),
    retrying: ({ message }: Error) => print(`${message.replace(/\.$/, '')}. Retrying.`),
  });
  return spoolCopy(folder, urlWords(url), options, (copy) => sources.download(url, sink(copy), { signal }));
}

/** Returns the names of the URL in messages, without the query, which can be secret. */
export function urlWords({ origin, pathname }: URL): SpoolWords {
  return { what: `${origin}${pathname}`, argument: 'the URL' };
}
