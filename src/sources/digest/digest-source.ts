import type { HashCheckpoint, HashSourceInput, HashSourceResult } from '../../contracts/activities.ts';
import { assertUnchanged } from '../assert-unchanged.ts';
import type { SourceReader } from '../source-reader.ts';
import type { Sources } from '../sources.ts';
import { Md5 } from './md5.ts';
import { hashFile } from './pass-thread.ts';
import { hashReader } from './pass.ts';

export interface HashSourceOptions extends HashSourceInput {
  /** If it is aborted, the result is a checkpoint from which another call resumes. */
  readonly signal: AbortSignal;
  /** Called about once per second. */
  readonly onCheckpoint?: (checkpoint: HashCheckpoint) => void;
}

/** A thread costs about fifty times the digest of a source of this size, which blocks the event loop for at most 2 ms. */
const SMALL_BYTES = 1024 * 1024;
/** Small, because it is hashed on the event loop: 0.5 ms each. */
const CHUNK_BYTES = 256 * 1024;
const CHECKPOINT_EVERY_MS = 1000;

/**
 * MD5 of a whole source. If the store has it, nothing is read. A file is hashed in a separate thread. A remote source is
 * slower than its MD5.
 *
 * @throws SourceChangedError if the source is another one before or after the pass, or ends too early
 * @throws what `Sources.open` throws, and SourceReadError if it cannot be read to its end
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

export interface HashingReader extends SourceReader {
  /**
   * MD5 of the whole source in lower-case hex: that of the store, or that of the bytes that were read.
   *
   * @throws Error if it was not read from its start to its end. Another pass starts again
   */
  md5(): string;
}

/** A reader that computes the MD5 of the bytes that are read from it, on the event loop: two milliseconds per MiB. */
export function hashingReader(reader: SourceReader, sizeBytes: number): HashingReader {
  let digest = new Md5();
  return {
    stat: (options) => reader.stat(options),
    read: async (buffer, offsetBytes) => {
      const bytesRead = await reader.read(buffer, offsetBytes);
      if (offsetBytes === 0) digest = new Md5();
      if (offsetBytes === digest.offsetBytes) digest.update(buffer.subarray(0, bytesRead));
      return bytesRead;
    },
    md5: () => {
      if (digest.offsetBytes !== sizeBytes) throw new Error('the source was not read through');
      return reader.storedMd5?.() ?? digest.end();
    },
    close: () => reader.close(),
  };
}
