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

/** Temporal refuses a list query; the message is its own. */
export class QueryRefusedError extends LonghaulError {
  readonly code = 'QUERY_REFUSED';
  readonly retryable = false;
}

/** The namespace lacks a search attribute that was asked for. */
export class SearchAttributesMissingError extends LonghaulError {
  readonly code = 'SEARCH_ATTRIBUTES_MISSING';
  readonly retryable = false;

  constructor(name: string, cause: unknown) {
    super(
      `this namespace does not know the search attribute ${name}: register Longhaul's with "longhaul setup"; uploads that start afterwards carry them`,
      { cause },
    );
  }
}

/** The namespace has a search attribute of one of Longhaul's names, of another type. Nothing was registered. */
export class AttributeConflictError extends LonghaulError {
  readonly code = 'SEARCH_ATTRIBUTE_CONFLICT';
  readonly retryable = false;
}

/** The cluster does not let this process register search attributes: Temporal Cloud, a lacking permission, or no room. */
export class SetupRefusedError extends LonghaulError {
  readonly code = 'SETUP_REFUSED';
  readonly retryable = false;
  /** What somebody who may can run instead: with the `temporal` command, and for Temporal Cloud. */
  readonly commands: { readonly temporal: string; readonly cloud: string };

  constructor(message: string, commands: SetupRefusedError['commands'], cause: unknown) {
    super(message, { cause });
    this.commands = commands;
  }
}

/** They were registered, and the cluster doesn't show them yet. */
export class SetupUnfinishedError extends LonghaulError {
  readonly code = 'SETUP_UNFINISHED';
  readonly retryable = true;
}

/** A workflow answers in a form that is not one of Longhaul's: another program started or runs it. */
export class StrangeWorkflowError extends LonghaulError {
  readonly code = 'STRANGE_WORKFLOW';
  readonly retryable = false;
  readonly workflowId: string;

  constructor(workflowId: string, cause?: unknown) {
    super(
      `${workflowId} does not answer as Longhaul's workflows do. ` +
        'Check in Temporal UI which program started it and which workers run it.',
      { cause },
    );
    this.workflowId = workflowId;
  }
}

/** The sync as a whole could not be done. `failureType` is one of `FailureType`, or a name of Temporal's. */
export class SyncFailedError extends LonghaulError {
  readonly code = 'SYNC_FAILED';
  readonly retryable = false;
  readonly workflowId: string;
  readonly failureType: string;

  constructor(workflowId: string, failureType: string, message: string, cause: unknown) {
    super(message, { cause });
    this.workflowId = workflowId;
    this.failureType = failureType;
  }
}

/** Somebody cancelled or terminated the sync. */
export class SyncCancelledError extends LonghaulError {
  readonly code = 'SYNC_CANCELLED';
  readonly retryable = false;
  readonly workflowId: string;

  constructor(workflowId: string, message: string, cause?: unknown) {
    super(message, { cause });
    this.workflowId = workflowId;
  }
}

/** No sync has that id. */
export class SyncNotFoundError extends LonghaulError {
  readonly code = 'SYNC_NOT_FOUND';
  readonly retryable = false;

  constructor(workflowId: string, cause?: unknown) {
    super(`there is no sync with the id ${workflowId}`, { cause });
  }
}

/** A sync with that id runs, and does something else. */
export class SyncIdTakenError extends LonghaulError {
  readonly code = 'SYNC_ID_TAKEN';
  readonly retryable = false;

  constructor(workflowId: string) {
    super(
      `the sync ${workflowId} runs already, with other options; wait for its end, give the same options to follow it, ` +
        `or end it with "longhaul cancel ${workflowId}"`,
    );
  }
}
