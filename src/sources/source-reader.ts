import type { SourceInfo } from '../contracts/activities.ts';
import type { ByteRange } from '../contracts/sources.ts';

export type { SourceInfo } from '../contracts/activities.ts';

export interface StatOptions {
  /** Whether a file at the path that differs only in its inode is the one that is open. @defaultValue false */
  readonly ignoreInode?: boolean;
}

/** The port behind which every kind of source looks alike. */
export interface SourceReader {
  /**
   * Size and fingerprint as they are now: queries the source each time. Only the first call can return what opening the
   * source has shown.
   *
   * @throws SourceChangedError when what is open is no longer what the source's name leads to
   */
  stat(options?: StatOptions): Promise<SourceInfo>;
  /**
   * Reads into `buffer` from `offsetBytes` on. May give fewer bytes than the buffer takes; 0 at the source's end. One
   * read at a time.
   *
   * @throws SourceReadError when the storage is in trouble; the same read may work later
   */
  read(buffer: Uint8Array, offsetBytes: number): Promise<number>;
  /** The md5 that the store already has of what the last `stat` saw, in lower-case hex; undefined where it has none. */
  storedMd5?(): string | undefined;
  /**
   * Another text whenever what the last `stat` saw can be other content, also under the same fingerprint: of a local
   * file with its change time. A digest is of one identity. Undefined if the fingerprint covers the content.
   */
  identity?(): string;
  /** May be called while a read is pending: the read ends first, or fails. */
  close(): Promise<void>;
}

/** How a source is going to be read. */
export interface OpenOptions {
  /**
   * The bytes that are going to be read, from the first to the last. A source that is far away is asked for them once, and
   * they arrive as they are read. @defaultValue from wherever the first read begins to the end
   */
  readonly span?: ByteRange | undefined;
  /** Query of an HTTP source that is not sealed yet. @defaultValue none, or the sealed query of the source */
  readonly query?: string | undefined;
  /** Breaks off what is asked of a source that is far away. */
  readonly signal?: AbortSignal | undefined;
  /** A command of this user named it, so that no list of buckets and hosts has to. @defaultValue false */
  readonly isNamed?: boolean | undefined;
}
