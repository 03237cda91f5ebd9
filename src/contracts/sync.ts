import type { Container } from './sources.ts';
import type { UploadRequest } from './upload.ts';

/** Settings that every upload of a sync gets. */
export type SyncUploadSettings = Pick<
  UploadRequest,
  'partSizeBytes' | 'concurrency' | 'maxSessions' | 'giveUpAfterMs' | 'md5' | 'fileExpiresAfterSeconds'
>;

/** Input of the workflow `syncSource`: plain JSON, as in a schedule. */
export interface SyncRequest {
  readonly source: Container;
  /** Purpose of the Files; only Files of this purpose are looked at. */
  readonly purpose: string;
  /** @defaultValue `default` */
  readonly destination?: string;
  /** Put before each File's name; only Files whose names begin with it are looked at. @defaultValue '' */
  readonly prefix?: string;
  /** Globs over the path within the source. @defaultValue everything */
  readonly include?: readonly string[];
  /** Globs over the path within the source, stronger than `include`. @defaultValue nothing */
  readonly exclude?: readonly string[];
  /** Delete the Files that this sync uploaded and whose sources are gone. @defaultValue false */
  readonly delete?: boolean;
  /** Refuse to begin when more files than this would be sent. @defaultValue any number */
  readonly maxFiles?: number;
  /** Most uploads at a time, 1 to 200. @defaultValue 8 */
  readonly maxConcurrentUploads?: number;
  /** Decide and say why, and change nothing. @defaultValue false */
  readonly dryRun?: boolean;
  readonly upload?: SyncUploadSettings;
}

/** What a sync does about one file, and why. */
export interface SyncDecision {
  readonly action: 'upload' | 'skip' | 'delete';
  /**
   * `new`: no File has the name; `changed`: another size, or changed since the File was made; `same`; `known-content`: the
   * same bytes are there under another name (a rename, or a copy); `gone`: this sync's File has no source any more.
   */
  readonly why: 'new' | 'changed' | 'same' | 'known-content' | 'gone';
  /** Path within the source; of a deletion: where it was. */
  readonly path: string;
  /** The File's name at the destination. */
  readonly filename: string;
  readonly bytes: number;
  /** The File that is there, where there is one. */
  readonly fileId?: string;
}

/** A file that could not be brought over; the others were. */
export interface SyncProblem {
  readonly path: string;
  /** One of `FailureType`. */
  readonly failureType: string;
  readonly message: string;
}
