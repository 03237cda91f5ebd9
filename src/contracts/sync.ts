import type { PlannedUpload } from './activities.ts';
import type { CarriedFile } from './batch.ts';
import type { Admitted } from './failures.ts';
import type { FullSyncRequest } from './requests/sync.ts';
import type { ProgressHead, WaitingInfo } from './upload.ts';

export type { FullSyncRequest, SyncRequest, SyncUploadSettings } from './requests/sync.ts';

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

/** A glob of a sync that matched no path of the source. */
export interface UnmatchedGlob {
  readonly list: 'include' | 'exclude';
  /** At most 256 characters of it. */
  readonly glob: string;
  /** It matches the name of a folder, not of a file: `drafts/` is the folder with its files. @defaultValue false */
  readonly matchesFolder?: boolean;
}

/** A file that could not be brought over; the others were. */
export interface SyncProblem {
  /** Path within the source. */
  readonly path: string;
  /** One of `FailureType`. */
  readonly failureType: string;
  readonly message: string;
}

/**
 * What a run hands to the next one: which Files this sync uploaded, from what, with which md5. Opaque, and at most
 * 0.9 MB: see `PayloadLimits`.
 */
export interface SyncMemory {
  readonly format: 'gzip-rows-1';
  /** Paths that it holds. */
  readonly entries: number;
  /** Dropped paths, the oldest first. */
  readonly dropped: number;
  /** Base64. */
  readonly data: string;
}

/** Second argument of `syncSource`, which callers by name omit. */
export interface SyncHandover {
  /** Of the run before. @defaultValue that of the last completed run of the same schedule or workflow id */
  readonly memory?: SyncMemory | null;
  /** Of the same run, which continues as new; callers leave it out. */
  readonly run?: CarriedSync;
}

/** Files and bytes. */
export interface SyncAmount {
  readonly files: number;
  readonly bytes: number;
}

export interface SyncCounts {
  /** What the source holds, as far as the globs let it through. */
  readonly listed: SyncAmount;
  /** At the destination already under the same name. */
  readonly same: number;
  /** At the destination already under another name, or touched without a change. */
  readonly knownContent: number;
  /** New and changed files. */
  readonly toSend: SyncAmount;
  readonly sent: SyncAmount;
  /** Uploads that failed, and sources that could not be read. */
  readonly failed: number;
  /** Entries that cannot become Files: empty files, pipes, link cycles. */
  readonly leftOut: number;
  /** Files that the next run sends: still being written, or newer than `minAgeMs`. They are not failures. @defaultValue 0 */
  readonly postponed?: number;
  /** Rows of the files list that cannot be read and may be Files of this purpose: they were skipped. @defaultValue 0 */
  readonly unreadableRows?: number;
  /** Known when the uploads are over, or by a dry run. */
  readonly toDelete: number;
  readonly deleted: number;
}

/**
 * `listing` → `uploading` (⇄ `paused`) → `deleting` → `completed`; from any of them to `waiting` (for what a person can
 * repair) and back, to `failed` or to `cancelled`.
 */
export type SyncState =
  'listing' | 'uploading' | 'paused' | 'waiting' | 'deleting' | 'completed' | 'cancelled' | 'failed';

/**
 * Answer of the query `progress` of `syncSource`. `bytesDone` and `counts.sent` include whole files only: a file that is
 * being sent counts when its File exists. For its bytes, see `bytesSent` of `JobHandle<'sync'>.progress()`.
 */
export interface SyncProgress extends ProgressHead {
  readonly kind: 'sync';
  readonly state: SyncState;
  readonly counts: SyncCounts;
  /** Paths whose uploads run now. */
  readonly uploading: readonly string[];
}

/** Result of the workflow `syncSource`. It completes also when single files failed; `problems` says which. */
export interface SyncResult {
  readonly workflowId: string;
  readonly dryRun: boolean;
  readonly counts: SyncCounts;
  /** At most 100, and 100,000 bytes; `counts.failed` counts all. */
  readonly problems: readonly SyncProblem[];
  /** At most 100, and 100,000 bytes; `counts.leftOut` counts all. */
  readonly leftOut: readonly SyncProblem[];
  /** Files that were left for the next run, at most 100, and 100,000 bytes; `counts.postponed` counts all. @defaultValue none */
  readonly postponed?: readonly SyncProblem[];
  /** Globs that matched nothing, at most 20. @defaultValue none */
  readonly unmatchedGlobs?: readonly UnmatchedGlob[];
  /** Reason why Files were not deleted although it was requested; null if nothing was held back. */
  readonly deletionsHeld: string | null;
  /** Of a dry run: what would be done first, then what is there already; as many as 0.6 MB contain. */
  readonly decisions?: readonly SyncDecision[];
  readonly decisionsOmitted?: number;
  readonly durationMs: number;
  /** Reason why the memory of the last run was not used; undefined if it was used, or if no memory existed. */
  readonly memoryProblem?: string;
  /** For the next run. */
  readonly memory: SyncMemory | null;
}

/** What an execution hands to its successor when its history has grown long. The request is left out before it is known. */
export interface CarriedSync extends Partial<Admitted<FullSyncRequest>> {
  /** The first lists are not complete yet. @defaultValue false */
  readonly isFirst?: boolean;
  /** What the lists and deletions wait for, and the batches of small files. @defaultValue nothing waits */
  readonly waits?: { readonly lists?: WaitingInfo; readonly batches?: WaitingInfo };
  /** Batches that wait, without the files that have a result. @defaultValue none */
  readonly batches?: readonly (readonly CarriedFile[])[];
  /** Names the lists that workers keep for this run. */
  readonly planId: string;
  /** Uploads of paths up to this one were started; null: of none. */
  readonly sentUpTo: string | null;
  /** Uploads of paths up to this one that were planned and not started. @defaultValue none */
  readonly planned?: readonly PlannedUpload[];
  readonly uploadsDone: boolean;
  readonly counts: SyncCounts;
  readonly problems: readonly SyncProblem[];
  readonly leftOut: readonly SyncProblem[];
  /** Missing in those of earlier versions. */
  readonly postponed?: readonly SyncProblem[];
  readonly unmatchedGlobs?: readonly UnmatchedGlob[];
  readonly uploadsFailed: number;
  readonly paused: boolean;
  readonly startedAtMs: number;
  /** As in `SyncResult`. */
  readonly memoryProblem?: string;
  /** As in `ListsWanted`, and `plannedBefore` for lists that are made again. @defaultValue none were made */
  readonly lists?: { readonly generation: number; readonly atLeast: number; readonly planned?: string };
}

/** Where a File of this sync came from. */
export interface RememberedFile {
  readonly path: string;
  readonly sizeBytes: number;
  /** Another one whenever the source may have changed (of a file: its modification time). */
  readonly version: string;
  readonly fileId: string;
  /** Lower-case hex; null when the upload went without. */
  readonly md5: string | null;
  /** Creation time of the File at the service, in Unix seconds; undefined in the memory of earlier versions. */
  readonly createdAt?: number;
  /** As in `ListedSource`; undefined for sources that have none, and in the memory of earlier versions. */
  readonly change?: string;
}

/** Properties by which the service identifies a File, in addition to its ID. */
export interface FileFacts {
  readonly filename: string;
  readonly bytes: number;
  /** Unix seconds. */
  readonly createdAt: number;
}
