import type { PieceProgress } from '../contracts/split.ts';
import { LonghaulError } from '../errors.ts';

/** The upload ended without a File. `failureType` is one of `FailureType`, or a name of Temporal's. */
export class UploadFailedError extends LonghaulError {
  readonly code = 'UPLOAD_FAILED';
  readonly retryable = false;
  readonly workflowId: string;
  readonly failureType: string;
  /** Of a split upload that had begun: which pieces have Files, and which don't. */
  readonly pieces: readonly PieceProgress[] | undefined;

  constructor(
    workflowId: string,
    failureType: string,
    message: string,
    cause: unknown,
    pieces?: readonly PieceProgress[],
  ) {
    super(message, { cause });
    this.workflowId = workflowId;
    this.failureType = failureType;
    this.pieces = pieces;
  }
}

/** Somebody cancelled or terminated the upload. */
export class UploadCancelledError extends LonghaulError {
  readonly code = 'UPLOAD_CANCELLED';
  readonly retryable = false;
  readonly workflowId: string;

  constructor(workflowId: string, message: string, cause?: unknown) {
    super(message, { cause });
    this.workflowId = workflowId;
  }
}

/** No upload has that id. */
export class UploadNotFoundError extends LonghaulError {
  readonly code = 'UPLOAD_NOT_FOUND';
  readonly retryable = false;

  constructor(workflowId: string, cause?: unknown) {
    super(`there is no upload with the id ${workflowId}; "longhaul list" shows those there are`, { cause });
  }
}

/** The id was given to the upload of another file. */
export class UploadIdTakenError extends LonghaulError {
  readonly code = 'UPLOAD_ID_TAKEN';
  readonly retryable = false;

  constructor(workflowId: string) {
    super(
      `the id ${workflowId} belongs to the upload of another file, or to another purpose or destination; choose another id`,
    );
  }
}

/** An update was refused, for instance a pause of an upload that completes already. */
export class SteeringRefusedError extends LonghaulError {
  readonly code = 'STEERING_REFUSED';
  readonly retryable = false;
}

/** No worker answered in time: none is running, or none for this upload's task queue. */
export class NoWorkerError extends LonghaulError {
  readonly code = 'NO_WORKER';
  readonly retryable = true;
}
