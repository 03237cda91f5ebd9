import type { RetuneInput } from './names.ts';
import type { ByteRange } from './sources.ts';
import type { UploadedFile, UploadProgress, UploadResult, WaitingInfo } from './upload.ts';

export type { FullSplitRequest, SplitUploadRequest } from './requests/upload.ts';

/** Result of the workflow `uploadSplitFile`: one File after the other they are the source. */
export interface SplitUploadResult {
  readonly workflowId: string;
  /** In the order of the source. */
  readonly files: readonly UploadedFile[];
  /** The receipts of the uploads, in the order of the source. */
  readonly pieces: readonly UploadResult[];
  readonly bytes: number;
  readonly durationMs: number;
}

/** `pending` → `uploading` → `completed` or `failed`. */
export type PieceState = 'pending' | 'uploading' | 'completed' | 'failed';

/** One piece of a split upload. */
export interface PieceProgress {
  /** Counted from 1. */
  readonly number: number;
  readonly filename: string;
  /** Of the piece's own `uploadFile`. */
  readonly workflowId: string;
  readonly range: ByteRange;
  readonly state: PieceState;
  /** Once it is completed. */
  readonly fileId?: string;
  /** Once it has failed: one of `FailureType`. */
  readonly failureType?: string;
  readonly message?: string;
}

/**
 * Answer of the query `progress` of `uploadSplitFile`, over all pieces. It counts whole pieces only. The query of the
 * piece that runs returns the rest.
 */
export interface SplitUploadProgress extends Omit<UploadProgress, 'kind'> {
  readonly kind: 'split';
  readonly pieces: readonly PieceProgress[];
}

/** What an execution hands to its successor if it still waits for the plan of its pieces. Plain JSON. */
export interface CarriedSplit {
  readonly waiting: WaitingInfo | null;
  /** Changes of the request. */
  readonly settings: RetuneInput;
  readonly paused: boolean;
  readonly startedAtMs: number;
}
