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
  /** Opaque; changes whenever the content may have changed (for a file: size, mtime and inode). */
  readonly fingerprint: string;
}

export interface InspectSourceInput {
  /** As a caller sent it: it is checked here. */
  readonly request: UploadRequest;
}

export interface InspectSourceResult extends SourceInfo, Admitted<FullUploadRequest> {
  /** It is one part that is small enough to cost fewer events. @defaultValue false */
  readonly isSmall?: true;
}

export interface UploadPartInput {
  readonly destination: string;
  readonly uploadId: string;
  /** Unix seconds; past it a refused part is no surprise. */
  readonly sessionExpiresAt: number;
  /** Counted from 1, for people and logs; the order of parts is set at completion. */
  readonly partNumber: number;
  readonly source: Source;
  /** As in `UploadRequest`. */
  readonly within?: Container;
  /** Of `within`: nothing was sent, so that a source that cannot be read fails after a few attempts. @defaultValue false */
  readonly failsQuickly?: boolean;
  readonly fingerprint: string;
  readonly offsetBytes: number;
  readonly sizeBytes: number;
  /** What held for the upload when the part was scheduled. @defaultValue none */
  readonly limit?: UploadLimit;
  readonly sharedLimit?: SharedLimit;
  /** Whether the part is the whole source, and its MD5 is required. @defaultValue false */
  readonly withMd5?: boolean;
}

export interface UploadPartResult {
  readonly partId: string;
  /** The attempt that succeeded, counted from 1. */
  readonly attempt: number;
  /** Lower-case hex, where it was asked for. */
  readonly md5?: string;
  /** What the source had, if any inode was expected. */
  readonly fingerprint?: string;
}

/** Heartbeat details of `uploadPart`. */
export interface PartHeartbeat {
  readonly bytesSent: number;
}

/** A digest that stopped halfway: its position and its state, from which any worker can resume. */
export interface HashCheckpoint {
  readonly offsetBytes: number;
  /** Base64; the state of the digest and the begin of a block that is not whole yet. */
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

/** `md5` when the whole source was read, with the fingerprint that it had if any inode was expected; a checkpoint when the workflow asked it to stop for a hand-over. */
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
  /** Attempts that surely opened no session. */
  readonly refused: number;
}

export interface CompleteUploadInput {
  readonly destination: string;
  readonly uploadId: string;
  /** Unix seconds; a File older than its Upload can't be its result. */
  readonly uploadCreatedAt: number;
  readonly partIds: readonly string[];
  /** An earlier call may have got through without its answer. */
  readonly mayBeCompleted?: boolean;
  readonly md5?: string;
  readonly filename: string;
  readonly purpose: string;
  readonly bytes: number;
}

export interface CancelUploadInput {
  readonly destination: string;
  readonly uploadId: string;
  /** Of an Upload whose completion had no clear response: it can be a File already. @defaultValue it is not a File */
  readonly completion?: Pick<CompleteUploadInput, 'uploadCreatedAt' | 'md5' | 'filename' | 'purpose' | 'bytes'>;
}

export interface PlanSplitInput {
  /** As a caller sent it: it is checked here. */
  readonly request: SplitUploadRequest;
  /** Of the request, as its client has stored it; null if it did not. */
  readonly identity: string | null;
}

/** A range of the source that becomes one File. */
export interface PlannedPiece extends ByteRange {
  /** Of the same piece, which an earlier execution has completed. */
  readonly receipt?: UploadResult;
  /** Its workflow ID was used, and is used again: for other bytes, or as all pieces are sent again. */
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
  /** Workers keep the lists of a run under it for some minutes. */
  readonly planId: string;
  /** Of a request that was checked. Omitted by the first call of a sync. */
  readonly scope?: SyncScope;
  /** Of the first call of a sync: as a caller sent it. It is checked here. */
  readonly request?: SyncRequest;
  /** What to answer with: uploads with all counts, deletions, or a dry run's decisions about both. */
  readonly phase: 'uploads' | 'deletions' | 'dry-run';
  /** Whether gone Files are to be deleted: a dry run decides about them, and a run that sends nothing gets them at once. */
  readonly delete: boolean;
  /** Only what comes after this path; null: from the start. */
  readonly after: string | null;
  /** Most uploads, recognised files or deletions of one answer. */
  readonly limit: number;
  /** Left out where the worker may have it already, but never for deletions; null: there is none. */
  readonly memory?: SyncMemory | null;
  /** `planned` of the newest batch that has it, for lists that are made again. @defaultValue lists were not made before */
  readonly plannedBefore?: string;
  readonly lists?: ListsWanted;
  /** Whether the caller accepts `SyncReading` and calls again. @defaultValue false: all sources are read in one call */
  readonly acceptsReading?: boolean;
}

/** The lists of a run that a call accepts. Workers keep different ones if the source changes while they list it. */
export interface ListsWanted {
  /** Of lists that this call makes: each generation is newer than those before. */
  readonly generation: number;
  /** Lists of earlier generations are made again: they do not show what the newest lists showed. */
  readonly atLeast: number;
}

/** A file that is to be sent. */
export interface PlannedUpload {
  readonly path: string;
  readonly filename: string;
  readonly sizeBytes: number;
  readonly fingerprint: string;
  readonly version: string;
  /** As in `ListedSource`. */
  readonly change?: string;
  /** Short and the same for the same path and content; part of the upload's workflow id. */
  readonly key: string;
}

export interface PlannedDeletion {
  readonly path: string;
  readonly fileId: string;
  /** As in `DeleteFileInput`. */
  readonly expected?: FileFacts;
}

/** Applies to the whole run, independently of the requested batch. */
export interface SyncTotals {
  readonly listed: SyncAmount;
  readonly same: number;
  readonly knownContent: number;
  readonly toSend: SyncAmount;
  /** At most 100 each. */
  readonly problems: readonly SyncProblem[];
  readonly leftOut: readonly SyncProblem[];
  readonly problemCount: number;
  /** Rows of the files list that cannot be read and may be Files of this purpose. @defaultValue 0 */
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
  /** To be remembered: content that is at the destination already. */
  readonly recognised: readonly RememberedFile[];
  readonly deletions: readonly PlannedDeletion[];
  /** Whether `deletions` and what follows about them were decided in this batch. */
  readonly hasDeletions: boolean;
  /** Of all batches. */
  readonly deletionCount: number;
  /** Reason why Files are not deleted; null if nothing is held back. */
  readonly deletionsHeld: string | null;
  /** Of a dry run. */
  readonly decisions: readonly SyncDecision[];
  readonly decisionsOmitted: number;
  /** Remembered paths that are gone on both sides; at most 5,000. */
  readonly forget: readonly string[];
  /** `after` of the next batch; null when this is the last one. */
  readonly next: string | null;
  /** All uploads of lists that the caller had not seen: opaque, and at most 200,000 characters. @defaultValue none */
  readonly planned?: string;
  /** Only if lists that were made again differ from the planned uploads. */
  readonly relisted?: SyncChanges;
  /** Of the lists. @defaultValue 0 */
  readonly generation?: number;
  /** Whether the caller packs the memory early when it has many new entries. @defaultValue false: only at the end */
  readonly packsEarly?: true;
}

/** Differences between new lists and the uploads that were planned before, after the place of the batch. */
export interface SyncChanges extends Pick<
  SyncTotals,
  'problems' | 'problemCount' | 'leftOut' | 'leftOutCount' | 'postponed' | 'postponedCount'
> {
  /** Files that are at the destination now, although this run has not sent them. */
  readonly same: number;
  readonly knownContent: number;
  /** Files that were not planned before. */
  readonly added: SyncAmount;
  /** Files that need not be sent any longer: those of `same` and `knownContent`. */
  readonly dropped: SyncAmount;
}

/** Sources were read for their MD5, and more must be read before the first batch: the same call continues. */
export interface SyncReading {
  readonly type: 'reading';
  /** Content that is at the destination already: remembered, it is not read again if this worker is lost. */
  readonly recognised: readonly RememberedFile[];
  /** Sources that are left to read. */
  readonly left: number;
}

/** This worker has no lists of the run and makes them again, for which it needs the memory. */
export interface SyncMemoryNeeded {
  readonly type: 'memory-needed';
  /** Whether the memory must contain all that the caller has learnt, so that nothing is read again. @defaultValue false */
  readonly packFirst?: true;
}

/** With `admitted` if the input had a request. */
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
  /** Of the schedule that started the run; null: none did. */
  readonly scheduleId: string | null;
}

export interface PackSyncMemoryInput {
  readonly scope: SyncScope;
  readonly memory: SyncMemory | null;
  readonly add: readonly RememberedFile[];
  /** Paths. */
  readonly remove: readonly string[];
}

/** Cheap calls to the service; they run on the control task queue. */
export interface ControlActivities {
  createUpload(input: CreateUploadInput): Promise<CreateUploadResult>;
  completeUpload(input: CompleteUploadInput): Promise<UploadedFile>;
  openBatch(input: OpenBatchInput): Promise<OpenBatchResult>;
  /** @returns the File that the Upload became before, if that was asked */
  cancelUpload(input: CancelUploadInput): Promise<UploadedFile | undefined>;
  deleteFile(input: DeleteFileInput): Promise<void>;
  recallSync(input: RecallSyncInput): Promise<SyncMemory | null>;
  packSyncMemory(input: PackSyncMemoryInput): Promise<SyncMemory>;
}

/** Whatever reads the source; they run on a transfer task queue, where the source can be read. */
export interface TransferActivities {
  inspectSource(input: InspectSourceInput): Promise<InspectSourceResult>;
  uploadPart(input: UploadPartInput): Promise<UploadPartResult>;
  hashSource(input: HashSourceInput): Promise<HashSourceResult>;
  planSplit(input: PlanSplitInput): Promise<PlanSplitResult>;
  sendBatch(input: SendBatchInput): Promise<SendBatchResult>;
  planSync(input: PlanSyncInput): Promise<PlanSyncResult>;
}
