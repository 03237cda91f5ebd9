import { SourceChangedError } from '../../errors.ts';
import type { SourceReader } from '../source-reader.ts';
import { allocateReadBuffers } from './read-memory.ts';

/** Computes a result from all bytes of a source, in order. It can stop, and resume in another process. */
export interface PassListener {
  update(chunk: Uint8Array): void;
  /** The state after the bytes so far, small enough for a heartbeat. */
  save(): string;
  /** Resumes from a saved state, before any `update`. @returns false if the state is unusable */
  load(state: string, offsetBytes: number): boolean;
  /** Whether its state can be saved only at the start of a line. @defaultValue false */
  readonly savesAtLineStart?: boolean;
  /** Whether the rest of the source cannot change its result, and the results of the others are not needed. @defaultValue false */
  readonly isDecided?: boolean;
  /**
   * Whether its state cannot be saved. A pass that resumes starts at the first byte for it, and at the checkpoint for the
   * others. @defaultValue false
   */
  readonly startsAgain?: boolean;
}

/** By name. */
type Listeners = Readonly<Record<string, PassListener | undefined>>;

export interface PassCheckpoint {
  readonly offsetBytes: number;
  /** Of each listener, by name. */
  readonly states: Readonly<Record<string, string>>;
}

export interface PassTimes {
  readonly sizeBytes: number;
  readonly chunkBytes: number;
  readonly checkpointEveryMs: number;
}

export interface PassOptions<All extends Listeners> extends PassTimes {
  /** Creates the listeners, for the start of the source. */
  readonly create: () => All;
  /** Queried after each chunk; true ends the pass with a checkpoint. */
  readonly isStopping: (listeners: All) => boolean;
  /** Ignored if it is unusable: another start costs time, but is always correct. */
  readonly resumeFrom?: PassCheckpoint | undefined;
  readonly onCheckpoint: (checkpoint: PassCheckpoint) => void;
}

const NEWLINE = 10;

/**
 * Reads a source once for all listeners: one buffer is filled while the other is processed.
 *
 * @returns the listeners, and a checkpoint if the pass was ended early
 * @throws SourceChangedError if the source ends too early
 */
export async function pass<All extends Listeners>(
  reader: SourceReader,
  options: PassOptions<All>,
): Promise<{ readonly listeners: All; readonly checkpoint?: PassCheckpoint }> {
  const { sizeBytes, chunkBytes, checkpointEveryMs, onCheckpoint, isStopping } = options;
  const { listeners, offsetBytes } = restored(options);
  const all = present(listeners);
  const savesAtLineStart = all.some(([, one]) => one.savesAtLineStart);
  let reachedBytes = all.some(([, one]) => one.startsAgain) ? 0 : offsetBytes;
  const update = (chunk: Uint8Array) => {
    const rest = chunk.subarray(Math.max(0, Math.min(offsetBytes - reachedBytes, chunk.byteLength)));
    for (const [, one] of all) one.update(one.startsAgain ? chunk : rest);
    reachedBytes += chunk.byteLength;
  };
  const save = (): PassCheckpoint => ({
    offsetBytes: Math.max(reachedBytes, offsetBytes),
    states: Object.fromEntries(all.map(([name, one]) => [name, one.save()])),
  });
  const read = (buffer: Buffer, atBytes: number) =>
    reader.read(buffer.subarray(0, Math.min(chunkBytes, sizeBytes - atBytes)), atBytes);
  let [current, next] = allocateReadBuffers(2, chunkBytes) as [Buffer, Buffer];
  let pending = reachedBytes < sizeBytes ? read(current, reachedBytes) : undefined;
  let checkpoint = save();
  let savedAtMs = performance.now();
  try {
    while (pending) {
      const bytesRead = await pending;
      pending = undefined;
      if (bytesRead === 0)
        throw new SourceChangedError('the source ended before its size; it was cut while it was read');
      const readBytes = reachedBytes + bytesRead;
      if (readBytes < sizeBytes) {
        pending = read(next, readBytes);
        // It can fail before it is awaited.
        pending.catch(() => {});
      }
      const chunk = current.subarray(0, bytesRead);
      const stops = isStopping(listeners);
      const isDue = stops || performance.now() - savedAtMs >= checkpointEveryMs;
      const cut = isDue && savesAtLineStart ? chunk.lastIndexOf(NEWLINE) + 1 : bytesRead;
      update(chunk.subarray(0, cut));
      // A line that is longer than a chunk has its checkpoint at its start.
      if (isDue && cut > 0) {
        checkpoint = save();
        savedAtMs = performance.now();
        if (!stops) onCheckpoint(checkpoint);
      }
      if (stops) return { listeners, checkpoint };
      if (cut < bytesRead) update(chunk.subarray(cut));
      if (all.some(([, one]) => one.isDecided)) break;
      [current, next] = [next, current];
    }
  } finally {
    // The reader is closed only when nothing is being read.
    await pending?.catch(() => {});
  }
  return { listeners };
}

function restored<All extends Listeners>({ create, resumeFrom, sizeBytes }: PassOptions<All>) {
  const { offsetBytes = 0, states = {} } = resumeFrom ?? {};
  const isInside = Number.isSafeInteger(offsetBytes) && offsetBytes >= 0 && offsetBytes <= sizeBytes;
  const listeners = create();
  if (isInside && present(listeners).every(([name, one]) => one.load(states[name] ?? '', offsetBytes))) {
    return { listeners, offsetBytes };
  }
  return { listeners: create(), offsetBytes: 0 };
}

function present(listeners: Listeners): [string, PassListener][] {
  return Object.entries(listeners).flatMap(([name, one]) => (one ? [[name, one]] : []));
}
