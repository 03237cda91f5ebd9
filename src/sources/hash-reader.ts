import type { HashCheckpoint, HashSourceResult } from '../contracts/activities.ts';
import { SourceChangedError } from '../errors.ts';
import { assertUnchanged } from './assert-unchanged.ts';
import { Md5State } from './md5-state.ts';
import { allocateReadBuffers } from './read-memory.ts';
import type { SourceReader } from './source-reader.ts';

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

/**
 * md5 of all that a reader gives, in one pass: one buffer is filled while the other is hashed.
 *
 * @throws SourceChangedError when the source is another one before or after the pass, or ends too early
 */
export async function hashReader(reader: SourceReader, options: HashReaderOptions): Promise<HashSourceResult> {
  const { fingerprint, sizeBytes, chunkBytes, checkpointEveryMs, onCheckpoint, isStopping } = options;
  await assertUnchanged(reader, fingerprint);
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
  await assertUnchanged(reader, fingerprint);
  return { md5: md5.digest() };
}
