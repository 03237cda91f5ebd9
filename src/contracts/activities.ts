import type { OpenBatchInput, OpenBatchResult, SendBatchInput, SendBatchResult } from './batch.ts';
import type { HashCheckpoint, LineCheck } from './content.ts';
import type { Admitted } from './failures.ts';
import type { ByteRange, Container, Source } from './sources.ts';
import type {
  PackSyncMemoryInput,
  PlanSyncInput,
  PlanSyncResult,
  RecallSyncInput,
  RecordSyncInput,
} from './plan-sync.ts';
import type { FileFacts, SyncMemory } from './sync.ts';
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
  /** Whether the part is the whole source, and its SHA-256 is required. @defaultValue false */
  readonly withSha256?: boolean;
  /** Check of the content, if the part is the whole source. @defaultValue none */
  readonly check?: LineCheck;
  /** As in `DestinationLimits`, for `check`. */
  readonly maxLines?: number;
}

export interface UploadPartResult {
  readonly partId: string;
  /** The attempt that succeeded, counted from 1. */
  readonly attempt: number;
  /** Lower-case hex, if it was requested. */
  readonly md5?: string;
  /** As `md5`. */
  readonly sha256?: string;
  /** Of the check, if there are any. */
  readonly warnings?: readonly string[];
  /** Fingerprint of the source, if any inode was expected. */
  readonly fingerprint?: string;
}

/** Heartbeat details of `uploadPart`. */
export interface PartHeartbeat {
  readonly bytesSent: number;
}

export interface HashSourceInput {
  readonly source: Source;
  /** As in `UploadRequest`. */
  readonly within?: Container;
  readonly fingerprint: string;
  readonly sizeBytes: number;
  readonly resumeFrom?: HashCheckpoint;
  /** Check of the content in the same pass. @defaultValue none */
  readonly check?: LineCheck;
  /** As in `DestinationLimits`, for `check`. */
  readonly maxLines?: number;
  /** Whether no MD5 is required. The result then has an empty `md5`. @defaultValue false */
  readonly onlyCheck?: boolean;
  /** Whether the SHA-256 is required. A pass that resumes reads the source from its start for it. @defaultValue false */
  readonly sha256?: boolean;
}

/** Result of a pass over the whole source. */
export interface HashedSource {
  /** Lower-case hex. */
  readonly md5: string;
  /** Lower-case hex, if it was requested. */
  readonly sha256?: string | undefined;
  /** Set if any inode was expected. */
  readonly fingerprint?: string;
  /** Of the check, if there are any. */
  readonly warnings?: readonly string[];
}

/** A checkpoint if the workflow stopped the pass for continue-as-new. */
export type HashSourceResult = HashedSource | { readonly checkpoint: HashCheckpoint };

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

/** Heartbeat details of `planSplit`: the lines that are counted, and where. */
export interface PlanSplitHeartbeat {
  readonly fingerprint: string;
  readonly lines: { readonly offsetBytes: number; readonly states: readonly string[] };
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
  /** Writes the manifest of a sync. */
  recordSync(input: RecordSyncInput): Promise<void>;
}
