import { Worker, type ResourceLimits } from 'node:worker_threads';
import type { HashCheckpoint, HashSourceInput, HashSourceResult } from '../../contracts/activities.ts';
import type { FileSource } from '../../contracts/sources.ts';
import { AbortedError } from '../../errors.ts';
import { packageFiles } from '../../package-files.ts';
import { STOP, toError, type Md5Message, type Md5Task } from './md5-messages.ts';
import type { FileSettings } from '../source-settings.ts';

export interface HashFileOptions extends HashSourceInput {
  readonly source: FileSource;
  /** @defaultValue any file may be read */
  readonly files?: FileSettings | undefined;
  readonly signal?: AbortSignal | undefined;
  /**
   * What an aborted signal does: `throw` rejects with AbortedError; `checkpoint` resolves with how far it came, so that
   * the work goes on from there elsewhere. @defaultValue `throw`
   */
  readonly onAbort?: 'throw' | 'checkpoint';
  /** Called about once a second with how far it came. */
  readonly onCheckpoint?: (checkpoint: HashCheckpoint) => void;
  /** @defaultValue 1000 */
  readonly checkpointEveryMs?: number;
}

const DEFAULT_CHECKPOINT_EVERY_MS = 1000;

/** The thread makes a few small objects for each read; by default it would let 16 MiB of them pile up. */
const RESOURCE_LIMITS = { maxYoungGenerationSizeMb: 2 } as const satisfies ResourceLimits;

/**
 * md5 of a whole file, in a thread of its own with its own pass over the file, so that the event loop stays free.
 * Either way the thread has ended when the promise settles.
 *
 * @throws SourceChangedError when the source is another one before or after the pass, or ends too early
 * @throws SourceUnusableError and SourceReadError when it can't be read
 * @throws AbortedError when the signal was aborted and `onAbort` is `throw`
 */
export async function hashFile(options: HashFileOptions): Promise<HashSourceResult> {
  const { signal, onAbort = 'throw', onCheckpoint } = options;
  if (signal?.aborted && onAbort === 'throw') throw aborted(signal);
  const worker = new Worker(packageFiles.md5Thread, {
    workerData: taskOf(options),
    resourceLimits: RESOURCE_LIMITS,
  });
  const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  let onSignal = () => {};
  try {
    return await new Promise<HashSourceResult>((resolve, reject) => {
      worker.on('message', (message: Md5Message) => {
        if (message.type === 'checkpoint') onCheckpoint?.(message.checkpoint);
        else if (message.type === 'stopped') resolve({ checkpoint: message.checkpoint });
        else if (message.type === 'done') resolve(message.result);
        else reject(toError(message));
      });
      worker.once('error', (error) => reject(new Error('the md5 thread died', { cause: error })));
      // After a last message this changes nothing: the promise is settled by then.
      worker.once('exit', (code) => reject(new Error(`the md5 thread ended with status ${code} before it was done`)));
      if (!signal) return;
      onSignal = () => (onAbort === 'throw' ? reject(aborted(signal)) : worker.postMessage(STOP));
      if (signal.aborted) onSignal();
      else signal.addEventListener('abort', onSignal, { once: true });
    });
  } finally {
    signal?.removeEventListener('abort', onSignal);
    await worker.terminate();
    await ended;
  }
}

function taskOf({ source, files, fingerprint, sizeBytes, resumeFrom, checkpointEveryMs }: HashFileOptions): Md5Task {
  return {
    source,
    files,
    fingerprint,
    sizeBytes,
    resumeFrom,
    checkpointEveryMs: checkpointEveryMs ?? DEFAULT_CHECKPOINT_EVERY_MS,
  };
}

function aborted(signal: AbortSignal): AbortedError {
  return new AbortedError('hashing the source was aborted', { cause: signal.reason });
}
