import type { HashCheckpoint, HashedSource, HashSourceInput, HashSourceResult } from '../../contracts/activities.ts';
import type { ContentReport } from '../../contracts/content.ts';
import type { Source } from '../../contracts/sources.ts';
import { nameOfSource } from '../../core/source/names.ts';
import { contentMessage, contentProblems } from '../../core/upload/content.ts';
import { ContentInvalidError } from '../../errors.ts';
import { assertUnchanged, type SourceReader } from '../source-reader.ts';
import type { Sources } from '../sources.ts';
import { JsonlCheck } from './jsonl.ts';
import { Md5 } from './md5.ts';
import { hashFile } from './pass-thread.ts';
import { hashReader, type PassResult } from './pass.ts';
import { Sha256 } from './sha256.ts';

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
      return sound(source, await hashFile({ ...options, source, files: sources.files, onAbort: 'checkpoint' }));
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
function sound(source: Source, outcome: PassResult): HashSourceResult {
  if (!('invalid' in outcome)) return outcome;
  throw invalidContent(source, outcome.invalid);
}

function invalidContent(source: Source, report: ContentReport): ContentInvalidError {
  const { range } = source;
  const name =
    nameOfSource(source) + (range ? ` from byte ${range.offsetBytes} to ${range.offsetBytes + range.sizeBytes}` : '');
  return new ContentInvalidError(contentMessage(name, report), contentProblems(report));
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
  const create = () =>
    [
      new Md5(),
      withSha256 ? new Sha256() : undefined,
      check ? new JsonlCheck({ check, maxLines }) : undefined,
    ] as const;
  let [digest, sha256, lines] = create();
  return {
    stat: (options) => reader.stat(options),
    read: async (buffer, offsetBytes) => {
      const bytesRead = await reader.read(buffer, offsetBytes);
      if (offsetBytes === 0) [digest, sha256, lines] = create();
      if (offsetBytes === digest.offsetBytes) {
        const bytes = buffer.subarray(0, bytesRead);
        digest.update(bytes);
        sha256?.update(bytes);
        lines?.update(bytes);
      }
      return bytesRead;
    },
    result: () => {
      if (digest.offsetBytes !== sizeBytes) throw new Error('the source was not read through');
      const report = lines?.end();
      if (report && report.invalid > 0) throw invalidContent(source, report);
      const warnings = report && report.warnings.length > 0 ? report.warnings : undefined;
      return { md5: reader.storedMd5?.() ?? digest.end(), sha256: sha256?.end(), warnings };
    },
    close: () => reader.close(),
  };
}
