import type { OpenBatchInput, OpenBatchResult, SendBatchInput, SendBatchResult } from './batch.ts';
import type { Admitted } from './failures.ts';
import type { ByteRange, Container, Source } from './sources.ts';
import type {
  FileFacts,
  FullSyncRequest,
  RememberedFile,
  SyncAmount,
  SyncDecision,
  SyncMemory,
  SyncProblem,
  SyncRequest,
  UnmatchedGlob,
} from './sync.ts';
import type { FullSplitRequest, SplitUploadRequest } from './split.ts';
import type {
  FullUploadRequest,
  SharedLimit,
  UploadedFile,
  UploadLimit,
  UploadRequest,
  UploadResult,
  UploadSession,
} from './upload.ts';

export interface SourceInfo {
  readonly sizeBytes: number;
  /** Opaque text that changes if the content can have changed (for a file: size, modification time and inode). */
  readonly fingerprint: string;
}

export interface InspectSourceInput {
  /** Request as the caller sent it. This activity checks it. */
  readonly request: UploadRequest;
}

export interface InspectSourceResult extends SourceInfo, Admitted<FullUploadRequest> {
  /** Whether the upload is one small part, which uses fewer events. @defaultValue false */
  readonly isSmall?: true;
}

export interface UploadPartInput {
  readonly destination: string;
  readonly uploadId: string;
  /** Unix seconds. A rejection of a part after this time is expected. */
  readonly sessionExpiresAt: number;
  /** Counted from 1, for display and logs. The completion sets the order of parts. */
  readonly partNumber: number;
  readonly source: Source;
  /** As in `UploadRequest`. */
  readonly within?: Container;
  /** With `within`: no part was sent, so a source that cannot be read fails after a few attempts. @defaultValue false */
  readonly failsQuickly?: boolean;
  readonly fingerprint: string;
  readonly offsetBytes: number;
  readonly sizeBytes: number;
  /** Limit of the upload when the part was scheduled. @defaultValue none */
  readonly limit?: UploadLimit;
  readonly sharedLimit?: SharedLimit;
  /** Whether the part is the whole source, and its MD5 is required. @defaultValue false */
  readonly withMd5?: boolean;
}

export interface UploadPartResult {
  readonly partId: string;
  /** The attempt that succeeded, counted from 1. */
  readonly attempt: number;
  /** Lower-case hex, if it was requested. */
  readonly md5?: string;
  /** Fingerprint of the source, if any inode was expected. */
  readonly fingerprint?: string;
}

/** Heartbeat details of `uploadPart`. */
export interface PartHeartbeat {
  readonly bytesSent: number;
}

/** A partial digest: its position and its state, from which any worker can resume. */
export interface HashCheckpoint {
  readonly offsetBytes: number;
  /** Base64 of the state of the digest and of an incomplete block. */
  readonly state: string;
  /** As in `SourceReader.identity`: if the source has another identity, the digest starts again. */
  readonly identity?: string;
}

export interface HashSourceInput {
  readonly source: Source;
  /** As in `UploadRequest`. */
  readonly within?: Container;
  readonly fingerprint: string;
  readonly sizeBytes: number;
  readonly resumeFrom?: HashCheckpoint;
}

/** `md5` if the whole source was read, with its fingerprint if any inode was expected. A checkpoint if the workflow stopped it for continue-as-new. */
export type HashSourceResult =
  { readonly md5: string; readonly fingerprint?: string } | { readonly checkpoint: HashCheckpoint };

export interface CreateUploadInput {
  readonly destination: string;
  readonly filename: string;
  readonly purpose: string;
  readonly bytes: number;
  readonly mimeType: string;
  /** The request has no type: the activity can replace `application/octet-stream` by the type for the name. */
  readonly mimeTypeByName?: true;
  readonly fileExpiresAfterSeconds?: number;
}

export interface CreateUploadResult extends UploadSession {
  /** Earlier attempts that can have opened a session without returning its ID. @defaultValue 0 */
  readonly unanswered?: number;
}

/** Heartbeat details of `createUpload`. */
export interface CreateHeartbeat {
  /** Attempts that certainly opened no session. */
  readonly refused: number;
}

export interface CompleteUploadInput {
  readonly destination: string;
  readonly uploadId: string;
  /** Unix seconds. A File that is older than its Upload cannot be its result. */
  readonly uploadCreatedAt: number;
  readonly partIds: readonly string[];
  /** Whether an earlier call can have succeeded without a response. */
  readonly mayBeCompleted?: boolean;
  readonly md5?: string;
  readonly filename: string;
  readonly purpose: string;
  readonly bytes: number;
}

export interface CancelUploadInput {
  readonly destination: string;
  readonly uploadId: string;
  /** Set if the completion of the Upload had no clear response, so that its File can exist. @defaultValue no File exists */
  readonly completion?: Pick<CompleteUploadInput, 'uploadCreatedAt' | 'md5' | 'filename' | 'purpose' | 'bytes'>;
}

export interface PlanSplitInput {
  /** Request as the caller sent it. This activity checks it. */
  readonly request: SplitUploadRequest;
  /** Of the request, as its client has stored it; null if it did not. */
  readonly identity: string | null;
}

/** The range of the source for one File. */
export interface PlannedPiece extends ByteRange {
  /** Receipt of the same piece from an earlier execution. */
  readonly receipt?: UploadResult;
  /** Whether its workflow ID is used again: for other bytes, or because all pieces are resent. */
  readonly isReplaced?: true;
}

/** The whole source, and its pieces in order. */
export interface PlanSplitResult extends SourceInfo, Admitted<FullSplitRequest> {
  readonly pieces: readonly PlannedPiece[];
}

/** Heartbeat details of `completeUpload`. */
export interface CompleteHeartbeat {
  /** Attempts that the service rejected before any work. */
  readonly rejected: number;
}

export interface DeleteFileInput {
  readonly destination: string;
  readonly fileId: string;
  /** The File is deleted only if the service returns the same properties. Required: see `deleteFile`. */
  readonly expected?: FileFacts;
}

/** The part of a `SyncRequest` that decides what is to be done. */
export interface SyncScope {
  readonly source: Container;
  readonly destination: string;
  readonly purpose: string;
  readonly prefix: string;
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  readonly minAgeMs?: number;
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

/** A file to send. */
export interface PlannedUpload {
  readonly path: string;
  readonly filename: string;
  readonly sizeBytes: number;
  readonly fingerprint: string;
  readonly version: string;
  /** As in `ListedSource`. */
  readonly change?: string;
  /** Short, and the same for the same path and content. Part of the upload's workflow ID. */
  readonly key: string;
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

export interface PackSyncMemoryInput {
  readonly scope: SyncScope;
  readonly memory: SyncMemory | null;
  readonly add: readonly RememberedFile[];
  /** Paths. */
  readonly remove: readonly string[];
}

/** Calls to the service that send no content. They run on the control task queue. */
export interface ControlActivities {
  createUpload(input: CreateUploadInput): Promise<CreateUploadResult>;
  completeUpload(input: CompleteUploadInput): Promise<UploadedFile>;
  openBatch(input: OpenBatchInput): Promise<OpenBatchResult>;
  /** @returns the existing File of the Upload, if that was requested */
  cancelUpload(input: CancelUploadInput): Promise<UploadedFile | undefined>;
  deleteFile(input: DeleteFileInput): Promise<void>;
  recallSync(input: RecallSyncInput): Promise<SyncMemory | null>;
  packSyncMemory(input: PackSyncMemoryInput): Promise<SyncMemory>;
}

/** Activities that read the source. They run on a transfer task queue whose workers can read the source. */
export interface TransferActivities {
  inspectSource(input: InspectSourceInput): Promise<InspectSourceResult>;
  uploadPart(input: UploadPartInput): Promise<UploadPartResult>;
  hashSource(input: HashSourceInput): Promise<HashSourceResult>;
  planSplit(input: PlanSplitInput): Promise<PlanSplitResult>;
  sendBatch(input: SendBatchInput): Promise<SendBatchResult>;
  planSync(input: PlanSyncInput): Promise<PlanSyncResult>;
}
