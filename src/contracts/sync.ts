import type { CarriedFile, PlannedUpload } from './batch.ts';
import type { Admitted } from './failures.ts';
import type { FullSyncRequest } from './requests/sync.ts';
import type { ProgressHead, WaitingInfo } from './upload.ts';

export type { FullSyncRequest, SyncRequest, SyncUploadSettings } from './requests/sync.ts';

/** Action of a sync for one file, with the reason. */
export interface SyncDecision {
  readonly action: 'upload' | 'skip' | 'delete';
  /**
   * `new`: no File has the name. `changed`: the size differs, or the file changed after the File was created. `same`:
   * unchanged. `known-content`: a File with another name has the same bytes (a rename or a copy). `gone`: the source of this
   * sync's File is deleted.
   */
  readonly why: 'new' | 'changed' | 'same' | 'known-content' | 'gone';
  /** Path within the source; for a deletion, the former path. */
  readonly path: string;
  /** Name of the File at the destination. */
  readonly filename: string;
  readonly bytes: number;
  /** ID of the existing File, if one exists. */
  readonly fileId?: string;
}

/** A glob of a sync that matched no path of the source. */
export interface UnmatchedGlob {
  readonly list: 'include' | 'exclude';
  /** The first 256 characters of the glob. */
  readonly glob: string;
  /** Whether it matches the name of a folder, and not of a file: `drafts/` is the folder with its files. @defaultValue false */
  readonly matchesFolder?: boolean;
}

/** A file that was not uploaded. The others were. */
export interface SyncProblem {
  /** Path within the source. */
  readonly path: string;
  /** One of `FailureType`. */
  readonly failureType: string;
  readonly message: string;
}

/**
 * Memory of a run for the next run: the Files of this sync with their sources and MD5. Opaque, at most 0.9 MB (see
 * `PayloadLimits`).
 */
export interface SyncMemory {
  readonly format: 'gzip-rows-1';
  /** Number of paths in it. */
  readonly entries: number;
  /** Number of dropped paths. The oldest are dropped first. */
  readonly dropped: number;
  /** Base64. */
  readonly data: string;
}

/** Second argument of `syncSource`, which callers by name omit. */
export interface SyncHandover {
  /** Memory of the previous run. @defaultValue that of the last completed run of the same schedule or workflow ID */
  readonly memory?: SyncMemory | null;
  /** State of the same run, which continues as new. Callers omit it. */
  readonly run?: CarriedSync;
}

/** Files and bytes. */
export interface SyncAmount {
  readonly files: number;
  readonly bytes: number;
}

export interface SyncCounts {
  /** Files of the source that the globs include. */
  readonly listed: SyncAmount;
  /** Files that exist at the destination with the same name. */
  readonly same: number;
  /** Files whose content exists at the destination with another name, or that were touched without a change. */
  readonly knownContent: number;
  /** New and changed files. */
  readonly toSend: SyncAmount;
  readonly sent: SyncAmount;
  /** Uploads that failed, and sources that could not be read. */
  readonly failed: number;
  /** Entries that cannot become Files: empty files, pipes, link cycles. */
  readonly leftOut: number;
  /** Files that the next run sends, because they are being written or newer than `minAgeMs`. They are not failures. @defaultValue 0 */
  readonly postponed?: number;
  /** Skipped rows of the files list that cannot be read and can be Files of this purpose. @defaultValue 0 */
  readonly unreadableRows?: number;
  /** Number of Files to delete. Available after the uploads, and in a dry run. */
  readonly toDelete: number;
  readonly deleted: number;
}

/**
 * `listing` → `uploading` (⇄ `paused`) → `deleting` → `completed`; from any of them to `waiting` (for an operator) and
 * back, to `failed` or to `cancelled`.
 */
export type SyncState =
  | 'listing'
  | 'uploading'
  | 'paused'
  | 'waiting'
  | 'deleting'
  | 'completed'
  | 'cancelled'
  | 'failed';

/**
 * Result of the query `progress` of `syncSource`. `bytesDone` and `counts.sent` include only complete files: a file counts
 * when its File exists. For the bytes of files in progress, see `bytesSent` of `JobHandle<'sync'>.progress()`.
 */
export interface SyncProgress extends ProgressHead {
  readonly kind: 'sync';
  readonly state: SyncState;
  readonly counts: SyncCounts;
  /** Paths of the running uploads. */
  readonly uploading: readonly string[];
}

/** Result of the workflow `syncSource`. It also completes if some files failed, which are in `problems`. */
export interface SyncResult {
  /** ID of the sync in Temporal. */
  readonly workflowId: string;
  /** Whether it only decided, without changes. */
  readonly dryRun: boolean;
  /** Numbers of files by their result. */
  readonly counts: SyncCounts;
  /** At most 100, and 100,000 bytes; `counts.failed` counts all. */
  readonly problems: readonly SyncProblem[];
  /** At most 100, and 100,000 bytes; `counts.leftOut` counts all. */
  readonly leftOut: readonly SyncProblem[];
  /** Files that were postponed to the next run, at most 100, and 100,000 bytes; `counts.postponed` counts all. @defaultValue none */
  readonly postponed?: readonly SyncProblem[];
  /** Globs that matched nothing, at most 20. @defaultValue none */
  readonly unmatchedGlobs?: readonly UnmatchedGlob[];
  /** Reason for which Files were not deleted although it was requested; null if all were deleted. */
  readonly deletionsHeld: string | null;
  /** Decisions of a dry run, at most 0.6 MB: actions first, then unchanged files. */
  readonly decisions?: readonly SyncDecision[];
  /** Number of further decisions. */
  readonly decisionsOmitted?: number;
  /** Milliseconds from the start to the result, with pauses and waits. */
  readonly durationMs: number;
  /** Reason for which the memory of the last run was not used; undefined if it was used or did not exist. */
  readonly memoryProblem?: string;
  /** For the next run. */
  readonly memory: SyncMemory | null;
}

/** State for the next execution after a long history. Without the request until it is checked. */
export interface CarriedSync extends Partial<Admitted<FullSyncRequest>> {
  /** The first lists are not complete yet. @defaultValue false */
  readonly isFirst?: boolean;
  /** Waits of the lists and deletions, and of the batches of small files. @defaultValue nothing waits */
  readonly waits?: { readonly lists?: WaitingInfo; readonly batches?: WaitingInfo };
  /** Batches that wait, without the files that have a result. @defaultValue none */
  readonly batches?: readonly (readonly CarriedFile[])[];
  /** ID of the lists that workers keep for this run. */
  readonly planId: string;
  /** Last path whose upload was started; null if none was started. */
  readonly sentUpTo: string | null;
  /** Uploads of paths up to `after` that are planned and not started. @defaultValue none */
  readonly planned?: readonly PlannedUpload[];
  readonly uploadsDone: boolean;
  readonly counts: SyncCounts;
  readonly problems: readonly SyncProblem[];
  readonly leftOut: readonly SyncProblem[];
  /** Missing in states of earlier versions. */
  readonly postponed?: readonly SyncProblem[];
  readonly unmatchedGlobs?: readonly UnmatchedGlob[];
  readonly uploadsFailed: number;
  readonly paused: boolean;
  readonly startedAtMs: number;
  /** As in `SyncResult`. */
  readonly memoryProblem?: string;
  /** As in `ListsWanted`, and `plannedBefore` for lists that are created again. @defaultValue no lists were created */
  readonly lists?: { readonly generation: number; readonly atLeast: number; readonly planned?: string };
}

/** Source of a File of this sync. */
export interface RememberedFile {
  readonly path: string;
  readonly sizeBytes: number;
  /** Version of the source, which changes if the source can have changed (for a file: its modification time). */
  readonly version: string;
  readonly fileId: string;
  /** Lower-case hex; null if the upload had no MD5. */
  readonly md5: string | null;
  /** Creation time of the File at the service, in Unix seconds; undefined in the memory of earlier versions. */
  readonly createdAt?: number;
  /** As in `ListedSource`; undefined for sources without it, and in the memory of earlier versions. */
  readonly change?: string;
  /** In a manifest: modification time in Unix milliseconds, if the version is not a time. */
  readonly mtimeMs?: number;
  /** In a manifest: folder or bucket that contained the source, if it is not that of the sync. */
  readonly from?: string;
}

/** A File that a sync no longer remembers. */
export interface ForgottenFile {
  readonly path: string;
  readonly fileId: string;
}

/** Properties by which the service identifies a File, in addition to its ID. */
export interface FileFacts {
  readonly filename: string;
  readonly bytes: number;
  /** Unix seconds. */
  readonly createdAt: number;
}
