import type { SourceInfo } from '../contracts/activities.ts';
import type { ByteRange } from '../contracts/sources.ts';

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
  /** Whether a command of this user named it, so that no list of buckets and hosts must contain it. @defaultValue false */
  readonly isNamed?: boolean | undefined;
}
