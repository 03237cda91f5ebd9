import { fstatSync } from 'node:fs';
import { addAbortSignal, type Readable } from 'node:stream';
import { causeOf } from '../../../core/text/errno-cause.ts';
import { formatBytes } from '../../../core/text/format.ts';
import { limitText } from '../../../core/upload/file-limits.ts';
import { LonghaulError, SourceUnusableError } from '../../../errors.ts';
import type { DownloadSink } from '../../../sources/http/download.ts';
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
export async function assertSpoolable(folder: SpoolFolder, what: string): Promise<void> {
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
  { what, argument }: SpoolWords,
  options: SpoolOptions,
  fill: (copy: DownloadSink) => Promise<void>,
): Promise<string> {
  const spool = await keeping(what, folder, folder.begin(options.filename));
  try {
    const copy = copyTo(spool, folder, what, options);
    await fill(copy);
    const bytes = copy.bytes();
    if (bytes === 0) throw new SourceUnusableError({ name: what, reason: 'it is empty. Provide content.' });
    const path = await keeping(what, folder, spool.finish());
    options.print(
      `saved ${what} (${formatBytes(bytes)}) to ${path}. ` +
        `If this command is interrupted, run it again with this path instead of ${argument} to resume.`,
    );
    return path;
  } catch (error) {
    await spool.discard();
    options.signal.throwIfAborted();
    throw error;
  }
}

/** Writes a copy, and checks the free space of the disk. */
function copyTo(
  { handle }: NewSpool,
  folder: SpoolFolder,
  what: string,
  { maxBytes, print }: SpoolOptions,
): DownloadSink & { readonly bytes: () => number } {
  let bytes = 0;
  let total = '';
  let printedAtMs = performance.now();
  const assertSize = (sizeBytes: number) => {
    if (sizeBytes <= maxBytes) return;
    const most = `it is larger than ${limitText(maxBytes)}, the maximum of an Upload for this purpose`;
    const reason = `${most}. If it is JSONL, use --split to create several Files.`;
    throw new SourceUnusableError({ name: what, reason });
  };
  return {
    bytes: () => bytes,
    begin: async (sizeBytes) => {
      await keeping(what, folder, handle.truncate(0));
      bytes = 0;
      total = sizeBytes === undefined ? '' : ` of ${formatBytes(sizeBytes)}`;
      assertSize(sizeBytes ?? 0);
      await assertRoom(folder, what, sizeBytes ?? 0);
    },
    write: async (chunk) => {
      const before = bytes;
      assertSize(before + chunk.byteLength);
      for (let done = 0; done < chunk.byteLength;) {
        const writing = handle.write(chunk, done, chunk.byteLength - done, before + done);
        done += (await keeping(what, folder, writing)).bytesWritten;
      }
      bytes += chunk.byteLength;
      const isCheck = Math.floor(bytes / CHECK_EVERY_BYTES) !== Math.floor(before / CHECK_EVERY_BYTES);
      if (isCheck) await assertRoom(folder, what, 0);
      if (performance.now() - printedAtMs < PRINT_EVERY_MS) return;
      printedAtMs = performance.now();
      print(`${what}: ${formatBytes(bytes)}${total} read`);
    },
    retrying: ({ message }) => print(`${message.replace(/\.$/, '')}. Retrying.`),
  };
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
    throw new SpoolFailedError(
      `cannot save ${what} in ${folder.path}: ${causeOf(error)}. ` +
        'Set LONGHAUL_STATE_DIR to a writable directory with free space.',
      { cause: error },
    );
  }
}

/** Time without data after which the command prints that it waits. */
const SILENCE_MS = 2000;

/**
 * Copies all bytes of `input` into the spool folder, and returns the copy's path: a pipe can be read only once.
 *
 * @param onSilence called if no byte has arrived after some seconds
 * @throws as `spoolCopy`
 */
export function spoolInput(
  input: Readable & { readonly fd?: number },
  folder: SpoolFolder,
  words: SpoolWords,
  options: SpoolOptions,
  onSilence: () => void = () => {},
): Promise<string> {
  return spoolCopy(folder, words, options, async (copy) => {
    const stats = input.fd === undefined ? undefined : fstatSync(input.fd);
    // A pipe has no size.
    await copy.begin(stats?.isFile() ? stats.size : undefined);
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
