import { parentPort, Worker, workerData, type ResourceLimits } from 'node:worker_threads';
import type { HashSourceInput } from '../../contracts/activities.ts';
import type { HashCheckpoint } from '../../contracts/content.ts';
import type { FileSource } from '../../contracts/sources.ts';
import {
  LonghaulError,
  SourceChangedError,
  SourceForbiddenError,
  SourceMissingError,
  SourceNotNamedError,
  SourceReadError,
  SourceUnusableError,
} from '../../errors.ts';
import { packageFiles } from '../../package-files.ts';
import { openFileSource } from '../file/source.ts';
import { rangedReader } from '../source-reader.ts';
import type { FileSettings } from '../source-settings.ts';
import { hashReader, type PassResult } from './hash-reader.ts';

export interface HashFileOptions extends HashSourceInput {
  readonly source: FileSource;
  /** @defaultValue any file may be read */
  readonly files?: FileSettings | undefined;
  /** If it is aborted, the result is a checkpoint from which another call resumes. */
  readonly signal?: AbortSignal | undefined;
  /** Called about once per second. */
  readonly onCheckpoint?: (checkpoint: HashCheckpoint) => void;
  /** @defaultValue 1000 */
  readonly checkpointEveryMs?: number;
}

/** The data of the thread. Its name is that of no other thread, because this file is loaded outside the thread too. */
interface PassTask extends Omit<HashFileOptions, 'signal' | 'onCheckpoint'> {
  readonly name: typeof NAME;
  readonly checkpointEveryMs: number;
}

type Message =
  | { readonly type: 'checkpoint'; readonly checkpoint: HashCheckpoint }
  | { readonly type: 'ended'; readonly result: PassResult }
  | { readonly type: 'failed'; readonly code: string | undefined; readonly message: string };

const NAME = 'longhaul-md5';
/** The only message that the thread accepts: it ends with a checkpoint. */
const STOP = 'stop';
const CHUNK_BYTES = 512 * 1024;

/** The thread creates a few small objects for each read. By default, 16 MiB of them would accumulate. */
const RESOURCE_LIMITS = { maxYoungGenerationSizeMb: 2 } as const satisfies ResourceLimits;

/**
 * MD5 of a whole file, and the check of its content, in a separate thread with its own pass over the file, so that the
 * event loop stays free. The thread has ended when the promise settles.
 *
 * @throws SourceChangedError if the source is another one before or after the pass, or ends too early
 * @throws SourceUnusableError and SourceReadError if it cannot be read
 */
export async function hashFile({
  signal,
  onCheckpoint,
  checkpointEveryMs = 1000,
  ...read
}: HashFileOptions): Promise<PassResult> {
  const task: PassTask = { name: NAME, ...read, checkpointEveryMs };
  const worker = new Worker(packageFiles.md5Thread, { workerData: task, resourceLimits: RESOURCE_LIMITS });
  const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  const stop = () => worker.postMessage(STOP);
  try {
    return await new Promise<PassResult>((resolve, reject) => {
      worker.on('message', (message: Message) => {
        if (message.type === 'checkpoint') onCheckpoint?.(message.checkpoint);
        else if (message.type === 'ended') resolve(message.result);
        else reject(toError(message));
      });
      worker.once('error', (error) => reject(new Error('the md5 thread died', { cause: error })));
      // No effect after a last message: the promise is settled.
      worker.once('exit', (code) => reject(new Error(`the md5 thread ended with status ${code} before it was done`)));
      if (signal?.aborted) stop();
      else signal?.addEventListener('abort', stop, { once: true });
    });
  } finally {
    signal?.removeEventListener('abort', stop);
    await worker.terminate();
    await ended;
  }
}

/** Classes are lost between threads, codes are not. */
const byCode = new Map<string | undefined, new (message: string) => LonghaulError>([
  ['SOURCE_CHANGED', SourceChangedError],
  ['SOURCE_FORBIDDEN', SourceForbiddenError],
  ['SOURCE_MISSING', SourceMissingError],
  ['SOURCE_NOT_NAMED', SourceNotNamedError],
  ['SOURCE_READ_FAILED', SourceReadError],
  ['SOURCE_UNUSABLE', SourceUnusableError],
]);

function toError({ code, message }: Extract<Message, { type: 'failed' }>): Error {
  const ErrorOfCode = byCode.get(code);
  return ErrorOfCode ? new ErrorOfCode(message) : new Error(`the md5 thread failed: ${message}`);
}

/** Runs in the thread. Tests run it without one. @param onMessage calls its argument for each message to the thread */
export async function runTask(
  { source, files, ...task }: PassTask,
  post: (message: Message) => void,
  onMessage: (listener: (message: unknown) => void) => void,
): Promise<void> {
  let isStopping = false;
  onMessage((message) => (isStopping ||= message === STOP));
  try {
    const reader = rangedReader(await openFileSource(source, files), source.range);
    try {
      const onCheckpoint = (checkpoint: HashCheckpoint) => post({ type: 'checkpoint', checkpoint });
      const times = { chunkBytes: CHUNK_BYTES, isStopping: () => isStopping };
      post({ type: 'ended', result: await hashReader(reader, { ...task, ...times, onCheckpoint }) });
    } finally {
      await reader.close();
    }
  } catch (error) {
    const code = error instanceof LonghaulError ? error.code : undefined;
    post({ type: 'failed', code, message: error instanceof Error ? error.message : String(error) });
  }
}

const task = workerData as PassTask | null;
if (parentPort && task?.name === NAME) {
  const port = parentPort;
  // Without a top-level await, which `require` of the package rejects. It never rejects itself.
  void runTask(
    task,
    (message) => port.postMessage(message),
    (listener) => port.on('message', listener),
  ).then(() => port.close());
}
