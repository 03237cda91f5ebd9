import type { HashCheckpoint, HashSourceResult } from '../../contracts/activities.ts';
import { ignoresInode } from '../../core/upload/fingerprint.ts';
import { SourceChangedError, SourceReadError } from '../../errors.ts';
import { assertUnchanged } from '../assert-unchanged.ts';
import { Md5State } from './md5-state.ts';
import { allocateReadBuffers } from './read-memory.ts';
import type { SourceInfo, SourceReader } from '../source-reader.ts';

export interface HashReaderOptions {
  readonly fingerprint: string;
  readonly sizeBytes: number;
  readonly resumeFrom?: HashCheckpoint | undefined;
  readonly chunkBytes: number;
  readonly checkpointEveryMs: number;
  readonly onCheckpoint: (checkpoint: HashCheckpoint) => void;
  /** Asked after each chunk; true ends the pass with a checkpoint. */
  readonly isStopping: () => boolean;
}

/** Passes over a source whose identity changes while it is read, as by `chmod`. */
const MAX_PASSES = 3;

/**
 * md5 of all that a reader gives, in one pass: one buffer is filled while the other is hashed. The digest is of one
 * identity of the source: of another one, a checkpoint is ignored and a pass is repeated, so that a digest is never of
 * the first bytes of one content and the last bytes of another.
 *
 * @throws SourceChangedError when the source is another one before or after the pass, or ends too early
 * @throws SourceReadError if its identity changes during each of several passes
 */
export async function hashReader(reader: SourceReader, options: HashReaderOptions): Promise<HashSourceResult> {
  const { fingerprint } = options;
  let resumeFrom = options.resumeFrom;
  for (let pass = 1; pass <= MAX_PASSES; pass++) {
    await assertUnchanged(reader, fingerprint);
    const identity = reader.identity?.();
    const outcome = await onePass(reader, {
      ...options,
      resumeFrom: resumeFrom?.identity === identity ? resumeFrom : undefined,
      onCheckpoint: (checkpoint) => options.onCheckpoint(identified(checkpoint, identity)),
    });
    if ('checkpoint' in outcome) return { checkpoint: identified(outcome.checkpoint, identity) };
    const now = await assertUnchanged(reader, fingerprint);
    if (reader.identity?.() === identity) return { ...outcome, ...seenUnder(now, fingerprint) };
    resumeFrom = undefined;
  }
  throw new SourceReadError('the change time of the source changed each time it was read. Do not touch it for a while');
}

/** For a caller that expects any inode, which then knows whether it is another one. */
function seenUnder(now: SourceInfo, expected: string): { readonly fingerprint?: string } {
  return ignoresInode(expected) ? { fingerprint: now.fingerprint } : {};
}

function identified(checkpoint: HashCheckpoint, identity: string | undefined): HashCheckpoint {
  return identity === undefined ? checkpoint : { ...checkpoint, identity };
}

async function onePass(reader: SourceReader, options: HashReaderOptions): Promise<HashSourceResult> {
  const { sizeBytes, chunkBytes, checkpointEveryMs, onCheckpoint, isStopping } = options;
  const md5 = new Md5State(options.resumeFrom, sizeBytes);
  const read = (buffer: Buffer, offsetBytes: number) =>
    reader.read(buffer.subarray(0, Math.min(chunkBytes, sizeBytes - offsetBytes)), offsetBytes);
  let [current, next] = allocateReadBuffers(2, chunkBytes) as [Buffer, Buffer];
  let pending = md5.offsetBytes < sizeBytes ? read(current, md5.offsetBytes) : undefined;
  let toldAtMs = Date.now();
  try {
    while (pending) {
      const bytesRead = await pending;
      pending = undefined;
      if (bytesRead === 0)
        throw new SourceChangedError('the source ended before its size; it was cut while it was read');
      const reachedBytes = md5.offsetBytes + bytesRead;
      if (reachedBytes < sizeBytes) {
        pending = read(next, reachedBytes);
        // It may fail before anybody awaits it.
        pending.catch(() => {});
      }
      md5.update(current.subarray(0, bytesRead));
      if (isStopping()) return { checkpoint: md5.checkpoint() };
      if (Date.now() - toldAtMs >= checkpointEveryMs) {
        onCheckpoint(md5.checkpoint());
        toldAtMs = Date.now();
      }
      [current, next] = [next, current];
    }
  } finally {
    // The reader is closed only when nothing is read any more.
    await pending?.catch(() => {});
  }
  return { md5: md5.digest() };
}
