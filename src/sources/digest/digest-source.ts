import type { HashedSource, HashSourceInput, HashSourceResult } from '../../contracts/activities.ts';
import type { HashCheckpoint } from '../../contracts/content.ts';
import type { Source } from '../../contracts/sources.ts';
import { nameOfSource } from '../../core/source/names.ts';
import { contentMessage, contentProblems } from '../../core/upload/content.ts';
import { ContentInvalidError } from '../../errors.ts';
import { assertUnchanged, type SourceReader } from '../source-reader.ts';
import type { Sources } from '../sources.ts';
import { hashFile } from './pass-thread.ts';
import { digestsOf, hashReader, resultOf, type InvalidContent, type PassResult } from './hash-reader.ts';

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
 * MD5 and SHA-256 of a whole source, and the check of its content. If the store has the MD5 and nothing else is required,
 * nothing is read. A file is hashed in a separate thread. A remote source is slower than its digests.
 *
 * @throws SourceChangedError if the source is another one before or after the pass, or ends too early
 * @throws ContentInvalidError if the check found invalid lines
 * @throws what `Sources.open` throws, and SourceReadError if it cannot be read to its end
 */
export async function hashSource(sources: Sources, options: HashSourceOptions): Promise<HashSourceResult> {
  const { source, fingerprint, sizeBytes, signal, onCheckpoint = () => {} } = options;
  const reader = await sources.open(source);
  try {
    if (source.type === 'file' && sizeBytes > SMALL_BYTES) {
      return sound(source, await hashFile({ ...options, source, files: sources.files }));
    }
    await assertUnchanged(reader, fingerprint);
    const storedMd5 = reader.storedMd5?.();
    if (storedMd5 !== undefined && options.check === undefined && !options.sha256) return { md5: storedMd5 };
    const outcome = await hashReader(reader, {
      ...options,
      storedMd5,
      onCheckpoint,
      chunkBytes: Math.min(CHUNK_BYTES, sizeBytes),
      checkpointEveryMs: CHECKPOINT_EVERY_MS,
      isStopping: () => signal.aborted,
    });
    return sound(source, outcome);
  } finally {
    await reader.close();
  }
}

/** @throws ContentInvalidError with the lines, which are counted from the start of the range */
function sound<Result extends PassResult>(source: Source, outcome: Result): Exclude<Result, InvalidContent> {
  if (!('invalid' in outcome)) return outcome as Exclude<Result, InvalidContent>;
  const { range } = source;
  const place = range ? ` from byte ${range.offsetBytes} to ${range.offsetBytes + range.sizeBytes}` : '';
  const message = contentMessage(`${nameOfSource(source)}${place}`, outcome.invalid);
  throw new ContentInvalidError(message, contentProblems(outcome.invalid));
}

export interface HashingReader extends SourceReader {
  /**
   * Digests of the whole source in lower-case hex, and the warnings of the check. The MD5 is that of the store, or that of
   * the bytes that were read.
   *
   * @throws Error if it was not read from its start to its end. Another pass starts again
   * @throws ContentInvalidError if the check found invalid lines
   */
  result(): HashedSource;
}

/** The bytes of a source, with their digests and the check of their content. */
interface Hashing extends Pick<HashSourceInput, 'check' | 'maxLines'> {
  readonly withSha256?: boolean | undefined;
  readonly source: Source;
  readonly sizeBytes: number;
}

/** A reader that computes the digests of the bytes that are read from it, on the event loop: two milliseconds per MiB. */
export function hashingReader(
  reader: SourceReader,
  { source, sizeBytes, check, maxLines, withSha256 }: Hashing,
): HashingReader {
  const create = () => digestsOf({ md5: true, sha256: withSha256, check, maxLines });
  let digests = create();
  return {
    stat: (options) => reader.stat(options),
    read: async (buffer, offsetBytes) => {
      const bytesRead = await reader.read(buffer, offsetBytes);
      if (offsetBytes === 0) digests = create();
      if (offsetBytes === digests.md5?.offsetBytes) {
        for (const one of Object.values(digests)) one?.update(buffer.subarray(0, bytesRead));
      }
      return bytesRead;
    },
    result: () => {
      if (digests.md5?.offsetBytes !== sizeBytes) throw new Error('the source was not read through');
      return sound(source, resultOf(digests, reader.storedMd5?.()));
    },
    close: () => reader.close(),
  };
}
