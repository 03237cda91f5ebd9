import type { PlannedUpload } from './batch.ts';
import type { HashCheckpoint } from './content.ts';
import type { Admitted } from './failures.ts';
import type { Container, ManifestPlace } from './sources.ts';
import type {
  FileFacts,
  ForgottenFile,
  FullSyncRequest,
  RememberedFile,
  SyncAmount,
  SyncDecision,
  SyncMemory,
  SyncProblem,
  SyncRequest,
  UnmatchedGlob,
} from './sync.ts';

/** The part of a `SyncRequest` that decides what is to be done. */
export interface SyncScope {
  readonly source: Container;
  readonly destination: string;
  readonly purpose: string;
  readonly prefix: string;
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  readonly minAgeMs?: number;
  /** As in `SyncRequest`. @defaultValue false */
  readonly checksum?: boolean;
  /** As in `SyncRequest`. @defaultValue the memory is in Temporal */
  readonly manifest?: ManifestPlace;
  /** As in `UploadRequest`. @defaultValue false */
  readonly ignoreInode?: boolean;
}

export interface PlanSyncInput {
  /** ID under which workers keep the lists of a run for some minutes. */
  readonly planId: string;
  /** Properties of a checked request. The first call of a sync omits it. */
  readonly scope?: SyncScope;
  /** Request as the caller sent it, in the first call of a sync. This activity checks it. */
  readonly request?: SyncRequest;
  /** Kind of result: uploads with all counts, deletions, or a dry run's decisions about both. */
  readonly phase: 'uploads' | 'deletions' | 'dry-run';
  /** Whether to delete Files of deleted sources. A dry run decides about them, and a run that sends nothing receives them immediately. */
  readonly delete: boolean;
  /** Path after which the batch starts; null for the start. */
  readonly after: string | null;
  /** Maximum number of uploads, recognised files or deletions in one result. */
  readonly limit: number;
  /** Omitted if the worker can have it already, except for deletions; null if no memory exists. */
  readonly memory?: SyncMemory | null;
  /** `planned` of the newest batch that has it, for lists that are created again. @defaultValue no lists were created before */
  readonly plannedBefore?: string;
  readonly lists?: ListsWanted;
  /** Whether the caller accepts `SyncReading` and calls again. @defaultValue false: all sources are read in one call */
  readonly acceptsReading?: boolean;
}

/** The lists of a run that a call accepts. Workers keep different ones if the source changes while they list it. */
export interface ListsWanted {
  /** Number of the lists that this call creates. A higher number is newer. */
  readonly generation: number;
  /** Oldest accepted generation. Older lists are created again, because they do not contain the newest state. */
  readonly atLeast: number;
}

export interface PlannedDeletion {
  readonly path: string;
  readonly fileId: string;
  /** As in `DeleteFileInput`. */
  readonly expected?: FileFacts;
}

/** Properties of the whole run, independent of the requested batch. */
export interface SyncTotals {
  readonly listed: SyncAmount;
  readonly same: number;
  readonly knownContent: number;
  readonly toSend: SyncAmount;
  /** At most 100 each. */
  readonly problems: readonly SyncProblem[];
  readonly leftOut: readonly SyncProblem[];
  readonly problemCount: number;
  /** Rows of the files list that cannot be read and can be Files of this purpose. @defaultValue 0 */
  readonly unreadableRows?: number;
  readonly leftOutCount: number;
  /** As in `SyncResult`. */
  readonly postponed?: readonly SyncProblem[];
  readonly postponedCount?: number;
  /** As in `SyncResult`; only in the first batch. */
  readonly unmatchedGlobs?: readonly UnmatchedGlob[];
  /** As in `SyncResult`. */
  readonly memoryProblem?: string;
}

export interface SyncBatch {
  readonly type: 'batch';
  readonly totals: SyncTotals;
  readonly uploads: readonly PlannedUpload[];
  /** Content that already exists at the destination, for the memory. */
  readonly recognised: readonly RememberedFile[];
  readonly deletions: readonly PlannedDeletion[];
  /** Whether this batch contains decisions about `deletions`. */
  readonly hasDeletions: boolean;
  /** Of all batches. */
  readonly deletionCount: number;
  /** Reason for which Files are not deleted; null if all are deleted. */
  readonly deletionsHeld: string | null;
  /** Of a dry run. */
  readonly decisions: readonly SyncDecision[];
  readonly decisionsOmitted: number;
  /** Paths of the memory that are missing on both sides, at most 5,000. */
  readonly forget: readonly string[];
  /** `after` of the next batch; null in the last batch. */
  readonly next: string | null;
  /** All uploads of lists that are new to the caller: opaque, at most 200,000 characters. @defaultValue none */
  readonly planned?: string;
  /** Set if lists that were created again differ from the planned uploads. */
  readonly relisted?: SyncChanges;
  /** Of the lists. @defaultValue 0 */
  readonly generation?: number;
  /** Whether the caller packs the memory early if it has many new entries. @defaultValue false: only at the end */
  readonly packsEarly?: true;
}

/** Differences between new lists and the earlier planned uploads, after the position of the batch. */
export interface SyncChanges extends Pick<
  SyncTotals,
  'problems' | 'problemCount' | 'leftOut' | 'leftOutCount' | 'postponed' | 'postponedCount'
> {
  /** Files that exist at the destination now, although this run has not sent them. */
  readonly same: number;
  readonly knownContent: number;
  /** Files that were not planned before. */
  readonly added: SyncAmount;
  /** Files that no longer need to be sent: those of `same` and `knownContent`. */
  readonly dropped: SyncAmount;
}

/** Sources were read for their MD5, and more must be read before the first batch. Repeat the same call to continue. */
export interface SyncReading {
  readonly type: 'reading';
  /** Content that already exists at the destination. The memory stores it, so that another worker does not read it again. */
  readonly recognised: readonly RememberedFile[];
  /** Number of sources that are still to be read. */
  readonly left: number;
}

/** This worker has no lists of the run and creates them again, for which it needs the memory. */
export interface SyncMemoryNeeded {
  readonly type: 'memory-needed';
  /** Whether the memory must contain all results of the caller, so that no source is read again. @defaultValue false */
  readonly packFirst?: true;
}

/** Result of `planSync`, with `admitted` if the input had a request. */
export type PlanSyncResult = (SyncBatch | SyncReading | SyncMemoryNeeded) & {
  readonly admitted?: Admitted<FullSyncRequest>;
};

/** Heartbeat details of `planSync`: digests of large sources that are being read. */
export interface PlanSyncHeartbeat {
  readonly digests: readonly SyncDigest[];
}

export interface SyncDigest {
  readonly path: string;
  readonly checkpoint: HashCheckpoint;
}

export interface RecallSyncInput {
  readonly workflowId: string;
  /** ID of the schedule that started the run; null if no schedule started it. */
  readonly scheduleId: string | null;
}

/** Results of a sync for its manifest. */
export interface RecordSyncInput {
  readonly scope: SyncScope;
  readonly add: readonly RememberedFile[];
  readonly remove: readonly ForgottenFile[];
}

export interface PackSyncMemoryInput {
  readonly scope: SyncScope;
  readonly memory: SyncMemory | null;
  readonly add: readonly RememberedFile[];
  /** Paths. */
  readonly remove: readonly string[];
}
