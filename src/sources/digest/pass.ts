import type { HashCheckpoint, HashSourceInput, HashSourceResult } from '../../contracts/activities.ts';
import type { ContentReport } from '../../contracts/content.ts';
import { ignoresInode } from '../../core/upload/fingerprint.ts';
import { SourceChangedError, SourceReadError } from '../../errors.ts';
import { assertUnchanged, type SourceReader } from '../source-reader.ts';
import { JsonlCheck } from './jsonl.ts';
import { Md5 } from './md5.ts';
import { allocateReadBuffers } from './read-memory.ts';
import { Sha256 } from './sha256.ts';

/** Computes a result from all bytes of a source, in order. It can stop, and resume in another process. */
export interface PassListener<Result> {
  update(chunk: Uint8Array): void;
  /** The state after the bytes so far, small enough for a heartbeat. */
  save(): string;
  /** Resumes from a saved state, before any `update`. @returns false if the state is unusable */
  load(state: string, offsetBytes: number): boolean;
  end(): Result;
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

type Listeners = readonly PassListener<unknown>[];
type Results<All extends Listeners> = { [K in keyof All]: All[K] extends PassListener<infer Result> ? Result : never };

export interface PassCheckpoint {
  readonly offsetBytes: number;
  /** Of each listener. */
  readonly states: readonly string[];
}

interface PassTimes {
  readonly sizeBytes: number;
  readonly chunkBytes: number;
  readonly checkpointEveryMs: number;
  /** Queried after each chunk; true ends the pass with a checkpoint. */
  readonly isStopping: () => boolean;
}

export interface PassOptions<All extends Listeners> extends PassTimes {
  /** Creates the listeners, for the start of the source. */
  readonly create: () => All;
  /** Ignored if it is unusable: another start costs time, but is always correct. */
  readonly resumeFrom?: PassCheckpoint | undefined;
  readonly onCheckpoint: (checkpoint: PassCheckpoint) => void;
}

const NEWLINE = 10;

/**
 * Reads a source once for all listeners: one buffer is filled while the other is processed.
 *
 * @throws SourceChangedError if the source ends too early
 */
export async function pass<All extends Listeners>(
  reader: SourceReader,
  options: PassOptions<All>,
): Promise<{ readonly results: Results<All> } | { readonly checkpoint: PassCheckpoint }> {
  const { sizeBytes, chunkBytes, checkpointEveryMs, onCheckpoint, isStopping } = options;
  const { listeners, offsetBytes } = restored(options);
  const savesAtLineStart = listeners.some((one) => one.savesAtLineStart);
  let reachedBytes = listeners.some((one) => one.startsAgain) ? 0 : offsetBytes;
  const update = (chunk: Uint8Array) => {
    const rest = chunk.subarray(Math.max(0, Math.min(offsetBytes - reachedBytes, chunk.byteLength)));
    for (const one of listeners) one.update(one.startsAgain ? chunk : rest);
    reachedBytes += chunk.byteLength;
  };
  const save = (): PassCheckpoint => ({
    offsetBytes: Math.max(reachedBytes, offsetBytes),
    states: listeners.map((one) => one.save()),
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
      const stops = isStopping();
      const isDue = stops || performance.now() - savedAtMs >= checkpointEveryMs;
      const cut = isDue && savesAtLineStart ? chunk.lastIndexOf(NEWLINE) + 1 : bytesRead;
      update(chunk.subarray(0, cut));
      // A line that is longer than a chunk has its checkpoint at its start.
      if (isDue && cut > 0) {
        checkpoint = save();
        savedAtMs = performance.now();
        if (!stops) onCheckpoint(checkpoint);
      }
      if (stops) return { checkpoint };
      if (cut < bytesRead) update(chunk.subarray(cut));
      if (listeners.some((one) => one.isDecided)) break;
      [current, next] = [next, current];
    }
  } finally {
    // The reader is closed only when nothing is being read.
    await pending?.catch(() => {});
  }
  return { results: listeners.map((one) => one.end()) as Results<All> };
}

function restored<All extends Listeners>({ create, resumeFrom, sizeBytes }: PassOptions<All>) {
  const { offsetBytes = 0, states = [] } = resumeFrom ?? {};
  const isInside = Number.isSafeInteger(offsetBytes) && offsetBytes >= 0 && offsetBytes <= sizeBytes;
  const listeners = create();
  if (isInside && listeners.every((one, index) => one.load(states[index] ?? '', offsetBytes))) {
    return { listeners, offsetBytes };
  }
  return { listeners: create(), offsetBytes: 0 };
}

export interface HashReaderOptions
  extends PassTimes, Pick<HashSourceInput, 'check' | 'maxLines' | 'onlyCheck' | 'sha256'> {
  readonly fingerprint: string;
  readonly resumeFrom?: HashCheckpoint | undefined;
  readonly onCheckpoint: (checkpoint: HashCheckpoint) => void;
  /** MD5 that the store has, so that it is not computed. */
  readonly storedMd5?: string | undefined;
}

/** As `HashSourceResult`, or the report of content that is invalid. */
export type PassResult = HashSourceResult | { readonly invalid: ContentReport };

/** Passes over a source whose identity changes while it is read, as by `chmod`. */
const MAX_PASSES = 3;

/**
 * MD5 and SHA-256 of a source, and the check of its content, in one pass. They are of one identity of the source: a checkpoint of
 * another one is ignored, and a pass is repeated if the identity changes, so that a digest is never of the start of one
 * content and the end of another.
 *
 * @throws SourceChangedError if the source is another one before or after the pass, or ends too early
 * @throws SourceReadError if its identity changes during each of several passes
 */
export async function hashReader(
  reader: SourceReader,
  { fingerprint, resumeFrom, onCheckpoint, check, maxLines, onlyCheck, sha256, storedMd5, ...times }: HashReaderOptions,
): Promise<PassResult> {
  let last = resumeFrom;
  const hasMd5 = onlyCheck !== true && storedMd5 === undefined;
  const create = (): readonly PassListener<unknown>[] => [
    ...(hasMd5 ? [new Md5()] : []),
    ...(sha256 ? [new Sha256()] : []),
    ...(check ? [new JsonlCheck({ check, maxLines })] : []),
  ];
  const statesOf = ({ state, check: ofCheck = '' }: HashCheckpoint) => [
    ...(hasMd5 ? [state] : []),
    ...(sha256 ? [''] : []),
    ...(check ? [ofCheck] : []),
  ];
  for (let number = 1; number <= MAX_PASSES; number++) {
    await assertUnchanged(reader, fingerprint);
    const identity = reader.identity?.();
    const identified = ({ offsetBytes, states }: PassCheckpoint): HashCheckpoint => ({
      offsetBytes,
      state: hasMd5 ? (states[0] ?? '') : '',
      ...(check ? { check: states.at(-1) ?? '' } : {}),
      ...(identity === undefined ? {} : { identity }),
    });
    const outcome = await pass(reader, {
      ...times,
      create,
      resumeFrom:
        last && last.identity === identity ? { offsetBytes: last.offsetBytes, states: statesOf(last) } : undefined,
      onCheckpoint: (checkpoint) => onCheckpoint(identified(checkpoint)),
    });
    if ('checkpoint' in outcome) return { checkpoint: identified(outcome.checkpoint) };
    const now = await assertUnchanged(reader, fingerprint);
    if (reader.identity?.() === identity) {
      const report = check ? (outcome.results.at(-1) as ContentReport) : undefined;
      if (report && report.invalid > 0) return { invalid: report };
      const md5 = hasMd5 ? (outcome.results[0] as string) : (storedMd5 ?? '');
      const result = {
        md5,
        ...(sha256 ? { sha256: outcome.results[hasMd5 ? 1 : 0] as string } : {}),
        ...(report && report.warnings.length > 0 ? { warnings: report.warnings } : {}),
      };
      // A caller that expects any inode receives the current one.
      return ignoresInode(fingerprint) ? { ...result, fingerprint: now.fingerprint } : result;
    }
    last = undefined;
  }
  throw new SourceReadError('the change time of the source changed each time it was read. Do not touch it for a while');
}
