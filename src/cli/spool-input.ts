import { fstatSync } from 'node:fs';
import { addAbortSignal, type Readable } from 'node:stream';
import { formatBytes } from '../core/format.ts';
import { LonghaulError, SourceUnusableError, SpoolFailedError } from '../errors.ts';
import type { SpoolFolder } from './spool-folder.ts';

/** The embedded server's database may be on the same disk, which must not become full. */
const SPARE_BYTES = 64 * 1024 ** 2;
const LOOK_EVERY_BYTES = 16 * 1024 ** 2;
const TELL_EVERY_MS = 5000;

export interface SpoolOptions {
  /** The copy's name. */
  readonly filename: string;
  /** More than this can't be uploaded. */
  readonly maxBytes: number;
  readonly signal: AbortSignal;
  /** Told how much has come, every few seconds. */
  readonly tell: (line: string) => void;
}

/**
 * Copies what comes over `input` into the spool folder, and gives the copy's path: a pipe can be read once only, and an
 * upload has to be able to read a part again.
 *
 * @throws SourceUnusableError when nothing comes, or more than can be uploaded
 * @throws SpoolFailedError when there is no room, or the folder can't be written
 * @throws the reason of `signal`; of what had come nothing is kept
 */
export async function spoolInput(
  input: Readable & { readonly fd?: number },
  folder: SpoolFolder,
  { filename, maxBytes, signal, tell }: SpoolOptions,
): Promise<string> {
  const spool = await spooling(folder, folder.begin());
  try {
    const knownBytes = sizeOf(input.fd);
    assertSize(knownBytes, maxBytes);
    await assertRoom(folder, knownBytes);
    const bytes = await copy(
      addAbortSignal(signal, input),
      async (chunk, total) => {
        assertSize(total, maxBytes);
        const isLook =
          Math.floor(total / LOOK_EVERY_BYTES) !== Math.floor((total - chunk.byteLength) / LOOK_EVERY_BYTES);
        if (isLook) await assertRoom(folder, 0);
        await spooling(folder, spool.handle.writeFile(chunk));
      },
      tell,
    );
    if (bytes === 0) throw new SourceUnusableError('standard input is empty; there is nothing to upload');
    const path = await spooling(folder, spool.finish(filename));
    tell(
      `standard input: ${formatBytes(bytes)} are in ${path}; should this command be interrupted, ` +
        'the same command with this path instead of "-" goes on',
    );
    return path;
  } catch (error) {
    await spool.discard();
    signal.throwIfAborted();
    throw error;
  }
}

async function copy(
  input: Readable,
  write: (chunk: Buffer, totalBytes: number) => Promise<void>,
  tell: (line: string) => void,
): Promise<number> {
  let bytes = 0;
  let toldAtMs = Date.now();
  for await (const chunk of input as AsyncIterable<Buffer>) {
    bytes += chunk.byteLength;
    await write(chunk, bytes);
    if (Date.now() - toldAtMs < TELL_EVERY_MS) continue;
    toldAtMs = Date.now();
    tell(`standard input: ${formatBytes(bytes)} read`);
  }
  return bytes;
}

/** Known of a file that a shell put there; a pipe tells nothing. */
function sizeOf(fd: number | undefined): number {
  const stats = fd === undefined ? undefined : fstatSync(fd);
  return stats?.isFile() ? stats.size : 0;
}

function assertSize(sizeBytes: number, maxBytes: number): void {
  if (sizeBytes <= maxBytes) return;
  throw new SourceUnusableError(
    `standard input has more than ${formatBytes(maxBytes)}, which an Upload takes at most: ` +
      'upload lines (JSONL) with --split, which makes several Files of them',
  );
}

async function assertRoom(folder: SpoolFolder, neededBytes: number): Promise<void> {
  const free = await spooling(folder, folder.freeBytes());
  if (free - neededBytes >= SPARE_BYTES) return;
  throw new SpoolFailedError(
    `there is no room for standard input in ${folder.path} (${formatBytes(free)} free); ` +
      'make room, or set LONGHAUL_STATE_DIR to a directory on a larger disk',
  );
}

async function spooling<T>(folder: SpoolFolder, operation: Promise<T>): Promise<T> {
  try {
    return await operation;
  } catch (error) {
    if (error instanceof LonghaulError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    throw new SpoolFailedError(
      `standard input can't be kept in ${folder.path} (${code ?? message}); ` +
        'set LONGHAUL_STATE_DIR to a directory with room that may be written',
      { cause: error },
    );
  }
}
