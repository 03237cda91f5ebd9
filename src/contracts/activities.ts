import type { UpdateName } from './names.ts';
import type { ByteRange, Source } from './sources.ts';
import type { UploadedFile, UploadProgress, UploadResult, UploadSession } from './upload.ts';

export interface SourceInfo {
  readonly sizeBytes: number;
  /** Opaque; changes whenever the content may have changed (for a file: size, mtime and inode). */
  readonly fingerprint: string;
}

export interface UploadPartInput {
  readonly destination: string;
  readonly uploadId: string;
  /** Unix seconds; past it a refused part is no surprise. */
  readonly sessionExpiresAt: number;
  /** Counted from 1, for people and logs; the order of parts is set at completion. */
  readonly partNumber: number;
  readonly source: Source;
  readonly fingerprint: string;
  readonly offsetBytes: number;
  readonly sizeBytes: number;
}

export interface UploadPartResult {
  readonly partId: string;
  /** The attempt that succeeded, counted from 1. */
  readonly attempt: number;
}

/** Heartbeat details of `uploadPart`. */
export interface PartHeartbeat {
  readonly bytesSent: number;
}

/** A digest that stopped half-way: both its position and its inner state, which any worker can go on from. */
export interface HashCheckpoint {
  readonly offsetBytes: number;
  /** Base64 of hash-wasm's saved state. */
  readonly state: string;
}

export interface HashSourceInput {
  readonly source: Source;
  readonly fingerprint: string;
  readonly sizeBytes: number;
  readonly resumeFrom?: HashCheckpoint;
}

/** `md5` when the whole source was read; a checkpoint when the workflow asked it to stop for a hand-over. */
export type HashSourceResult = { readonly md5: string } | { readonly checkpoint: HashCheckpoint };

export interface CreateUploadInput {
  readonly destination: string;
  readonly filename: string;
  readonly purpose: string;
  readonly bytes: number;
  readonly mimeType: string;
  readonly fileExpiresAfterSeconds?: number;
}

export interface CreateUploadResult extends UploadSession {
  /** Earlier attempts that may have opened a session without telling its id. @defaultValue 0 */
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
}

export interface PlanSplitInput {
  readonly source: Source;
  /** Most bytes of a piece. */
  readonly pieceSizeBytes: number;
}

/** The whole source, and the ranges within it that the pieces are. */
export interface PlanSplitResult extends SourceInfo {
  readonly pieces: readonly ByteRange[];
}

export interface FindPieceInput {
  readonly workflowId: string;
  /** Of the piece that is meant, as in the memo `longhaulIdentity`. */
  readonly identity: string;
}

/** How an upload under a piece's id ended: with its File, without one, or it is that of other bytes. */
export type FindPieceResult =
  | { readonly outcome: 'completed'; readonly result: UploadResult }
  | { readonly outcome: 'failed' }
  | { readonly outcome: 'foreign' };

export interface SteerPieceInput {
  readonly workflowId: string;
  readonly update: keyof typeof UpdateName;
  readonly input: object;
}

/** Cheap calls to the service; they run on the control task queue. */
export interface ControlActivities {
  createUpload(input: CreateUploadInput): Promise<CreateUploadResult>;
  completeUpload(input: CompleteUploadInput): Promise<UploadedFile>;
  cancelUpload(input: CancelUploadInput): Promise<void>;
}

/** Calls to Temporal about the pieces of a split upload; they run on the control task queue. */
export interface PieceActivities {
  /** Waits until the upload of that id has ended. */
  findPiece(input: FindPieceInput): Promise<FindPieceResult>;
  /** Null when the piece has ended or doesn't take the update any more. */
  steerPiece(input: SteerPieceInput): Promise<UploadProgress | null>;
}

/** Whatever reads the source; they run on a transfer task queue, where the source can be read. */
export interface TransferActivities {
  inspectSource(input: { readonly source: Source }): Promise<SourceInfo>;
  uploadPart(input: UploadPartInput): Promise<UploadPartResult>;
  hashSource(input: HashSourceInput): Promise<HashSourceResult>;
  planSplit(input: PlanSplitInput): Promise<PlanSplitResult>;
}
