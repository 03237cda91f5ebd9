import type { HashCheckpoint, HashSourceResult } from '../contracts/activities.ts';
import { SourceChangedError } from '../errors.ts';
import { assertUnchanged } from './assert-unchanged.ts';
import { createMd5State } from './md5-state.ts';
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
 * md5 of all that a reader gives, in one pass.
 *
 * @throws SourceChangedError when the source is another one before or after the pass, or ends too early
 */
export async function hashReader(reader: SourceReader, options: HashReaderOptions): Promise<HashSourceResult> {
  const { fingerprint, sizeBytes, chunkBytes, checkpointEveryMs, onCheckpoint, isStopping } = options;
  await assertUnchanged(reader, fingerprint);
  const md5 = await createMd5State(options.resumeFrom, sizeBytes);
  const [buffer] = allocateReadBuffers(1, chunkBytes) as [Buffer];
  let toldAtMs = Date.now();
  while (md5.offsetBytes < sizeBytes) {
    const wanted = Math.min(chunkBytes, sizeBytes - md5.offsetBytes);
    const bytesRead = await reader.read(buffer.subarray(0, wanted), md5.offsetBytes);
    if (bytesRead === 0) throw new SourceChangedError('the source ended before its size; it was cut while it was read');
    md5.update(buffer.subarray(0, bytesRead));
    if (isStopping()) return { checkpoint: md5.checkpoint() };
    if (Date.now() - toldAtMs >= checkpointEveryMs) {
      onCheckpoint(md5.checkpoint());
      toldAtMs = Date.now();
    }
  }
  await assertUnchanged(reader, fingerprint);
  return { md5: md5.digest() };
}
