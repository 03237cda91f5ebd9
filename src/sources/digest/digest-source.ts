import type { HashCheckpoint, HashSourceInput, HashSourceResult } from '../../contracts/activities.ts';
import { assertUnchanged } from '../assert-unchanged.ts';
import { hashFile } from './hash-file.ts';
import { hashReader } from './pass.ts';
import type { Sources } from '../sources.ts';

export interface HashSourceOptions extends HashSourceInput {
  /** Aborted, it ends with a checkpoint from which the work goes on elsewhere. */
  readonly signal: AbortSignal;
  /** Called about once a second with how far it came. */
  readonly onCheckpoint?: (checkpoint: HashCheckpoint) => void;
}

/** A thread costs some fifty times the digest of so small a source, which takes the event loop two milliseconds at most. */
const SMALL_BYTES = 1024 * 1024;
/** Small, as it is hashed on the event loop: half a millisecond each. */
const CHUNK_BYTES = 256 * 1024;
const CHECKPOINT_EVERY_MS = 1000;

/**
 * md5 of a whole source. A store that has it already is only asked for it. A file is hashed in a thread of its own; what
 * comes over a network is slower than its md5 anyway.
 *
 * @throws SourceChangedError when the source is another one before or after the pass, or ends too early
 * @throws what `Sources.open` throws, and SourceReadError when it can't be read to its end
 */
export async function hashSource(sources: Sources, options: HashSourceOptions): Promise<HashSourceResult> {
  const { source, fingerprint, sizeBytes, signal, onCheckpoint = () => {} } = options;
  const reader = await sources.open(source);
  try {
    if (source.type === 'file' && sizeBytes > SMALL_BYTES) {
      return await hashFile({ ...options, source, files: sources.files, onAbort: 'checkpoint' });
    }
    await assertUnchanged(reader, fingerprint);
    const md5 = reader.storedMd5?.();
    if (md5 !== undefined) return { md5 };
    return await hashReader(reader, {
      ...options,
      onCheckpoint,
      chunkBytes: Math.min(CHUNK_BYTES, sizeBytes),
      checkpointEveryMs: CHECKPOINT_EVERY_MS,
      isStopping: () => signal.aborted,
    });
  } finally {
    await reader.close();
  }
}
