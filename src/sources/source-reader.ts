import type { SourceInfo } from '../contracts/activities.ts';
import type { ByteRange } from '../contracts/sources.ts';
import { ignoresInode, isExpected } from '../core/upload/fingerprint.ts';
import { SourceChangedError, SourceUnusableError } from '../errors.ts';

export type { SourceInfo } from '../contracts/activities.ts';

export interface StatOptions {
  /** Whether a file at the path that differs only in its inode counts as the open file. @defaultValue false */
  readonly ignoreInode?: boolean;
}

/** The port that all kinds of sources implement. */
export interface SourceReader {
  /**
   * Returns the current size and fingerprint: queries the source each time. Only the first call can return the values
   * from opening the source.
   *
   * @throws SourceChangedError if the name of the source no longer resolves to the open file
   */
  stat(options?: StatOptions): Promise<SourceInfo>;
  /**
   * Reads into `buffer` from `offsetBytes`. Can return fewer bytes than the size of the buffer, and 0 at the end of the
   * source. One read at a time.
   *
   * @throws SourceReadError if the storage has an error. The same read can succeed later
   */
  read(buffer: Uint8Array, offsetBytes: number): Promise<number>;
  /** MD5 that the store returned for the content of the last `stat`, in lower-case hex; undefined if it has none. */
  storedMd5?(): string | undefined;
  /**
   * Differs if the content of the last `stat` can differ, also with the same fingerprint. For a local file, it includes
   * the change time. A digest belongs to one identity. Undefined if the fingerprint covers the content.
   */
  identity?(): string;
  /** Can be called while a read is pending: the read completes first, or fails. */
  close(): Promise<void>;
}

/** How a source will be read. */
export interface OpenOptions {
  /**
   * The bytes that will be read, from the first to the last. They are requested once from a remote source, and arrive
   * as they are read. @defaultValue from the start of the first read to the end
   */
  readonly span?: ByteRange | undefined;
  /** Query of an HTTP source that is not sealed yet. @defaultValue none, or the sealed query of the source */
  readonly query?: string | undefined;
  /** Aborts the requests to a remote source. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * @param fingerprint the expected fingerprint, with or without an inode (see `withoutInode`)
 * @returns the current size and fingerprint
 * @throws SourceChangedError if the source has another fingerprint
 */
export async function assertUnchanged(reader: SourceReader, fingerprint: string): Promise<SourceInfo> {
  const now = await reader.stat({ ignoreInode: ignoresInode(fingerprint) });
  if (isExpected(now.fingerprint, fingerprint)) return now;
  throw new SourceChangedError(
    `the source changed after the start of the upload (fingerprint ${fingerprint} then, ${now.fingerprint} now). ` +
      'Start a new upload.',
  );
}

/**
 * A range of a source that is read like a whole source. Its fingerprint is that of the whole source, so that every change
 * is detected. Without a range, returns the reader.
 */
export function rangedReader(reader: SourceReader, range: ByteRange | undefined): SourceReader {
  if (!range) return reader;
  const { offsetBytes: start, sizeBytes } = range;
  return {
    stat: async (options) => {
      const whole = await reader.stat(options);
      if (start + sizeBytes > whole.sizeBytes) {
        const name = `the range of ${sizeBytes} bytes at offset ${start}`;
        throw new SourceUnusableError(`${name} exceeds the source of ${whole.sizeBytes} bytes. Use a smaller range.`);
      }
      return { sizeBytes, fingerprint: whole.fingerprint };
    },
    read: async (buffer, offsetBytes) => {
      const left = Math.max(sizeBytes - offsetBytes, 0);
      if (left === 0) return 0;
      return reader.read(buffer.byteLength > left ? buffer.subarray(0, left) : buffer, start + offsetBytes);
    },
    identity: reader.identity ? () => reader.identity?.() as string : undefined,
    close: () => reader.close(),
  };
}

/** The position of a part of the range in the whole source. */
export function spanInWhole(span: ByteRange | undefined, range: ByteRange | undefined): ByteRange | undefined {
  if (!span || !range) return span ?? range;
  return { offsetBytes: range.offsetBytes + span.offsetBytes, sizeBytes: span.sizeBytes };
}
