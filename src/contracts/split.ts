import type { RetuneInput } from './names.ts';
import type { ByteRange } from './sources.ts';
import type { UploadedFile, UploadProgress, UploadResult, WaitingInfo } from './upload.ts';

export type { FullSplitRequest, SplitUploadRequest } from './requests/upload.ts';

/** Result of the workflow `uploadSplitFile`. The concatenated Files are the source. */
export interface SplitUploadResult {
  /** ID of the split upload in Temporal. */
  readonly workflowId: string;
  /** In the order of the source. */
  readonly files: readonly UploadedFile[];
  /** The receipts of the uploads, in the order of the source. */
  readonly pieces: readonly UploadResult[];
  /** Size of the source. */
  readonly bytes: number;
  /** Milliseconds from the start to the result, with pauses and waits. */
  readonly durationMs: number;
}

/** `pending` → `uploading` → `completed` or `failed`. */
export type PieceState = 'pending' | 'uploading' | 'completed' | 'failed';

/** One piece of a split upload. */
export interface PieceProgress {
  /** Counted from 1. */
  readonly number: number;
  readonly filename: string;
  /** ID of the `uploadFile` of the piece. */
  readonly workflowId: string;
  readonly range: ByteRange;
  readonly state: PieceState;
  /** Set after its completion. */
  readonly fileId?: string;
  /** `FailureType`, set after its failure. */
  readonly failureType?: string;
  readonly message?: string;
}

/**
 * Result of the query `progress` of `uploadSplitFile`, for all pieces. It counts only complete pieces. For the rest, query
 * the running piece.
 */
export interface SplitUploadProgress extends Omit<UploadProgress, 'kind'> {
  readonly kind: 'split';
  readonly pieces: readonly PieceProgress[];
}

/** State for the next execution if the plan of the pieces does not exist yet, as plain JSON. */
export interface CarriedSplit {
  readonly waiting: WaitingInfo | null;
  /** Changes of the request. */
  readonly settings: RetuneInput;
  readonly paused: boolean;
  readonly startedAtMs: number;
}
