import type { PieceProgress } from '../contracts/split.ts';
import type { JobKind } from '../contracts/upload.ts';
import { LonghaulError } from '../errors.ts';

/** The job failed: an upload without a File, or a sync as a whole. `failureType` is one of `FailureType`, or a name of Temporal's. */
export class JobFailedError extends LonghaulError {
  readonly code = 'JOB_FAILED';
  readonly retryable = false;
  readonly workflowId: string;
  readonly failureType: string;
  /** Of a split upload that has started: the pieces with and without Files. */
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

/** A client cancelled or terminated the job. */
export class JobCancelledError extends LonghaulError {
  readonly code = 'JOB_CANCELLED';
  readonly retryable = false;
  readonly workflowId: string;

  constructor(workflowId: string, message: string, cause?: unknown) {
    super(message, { cause });
    this.workflowId = workflowId;
  }
}

/** No upload or sync has this ID. */
export class JobNotFoundError extends LonghaulError {
  readonly code = 'JOB_NOT_FOUND';
  readonly retryable = false;

  constructor(workflowId: string, cause?: unknown) {
    super(`upload or sync "${workflowId}" not found. Run "longhaul list" to list them.`, { cause });
  }
}

/** The ID belongs to the upload of another file, or to a sync that is running with other options. */
export class JobIdTakenError extends LonghaulError {
  readonly code = 'JOB_ID_TAKEN';
  readonly retryable = false;

  constructor(workflowId: string, kind: JobKind) {
    super(
      kind === 'sync'
        ? `sync ${workflowId} is running with other options. Use the same options to follow it, or cancel it with "longhaul cancel ${workflowId}".`
        : `ID ${workflowId} belongs to the upload of another file, or to another purpose or destination. Choose another ID.`,
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

/** The data of a job is encrypted with a key that this program does not have. */
export class JobEncryptedError extends LonghaulError {
  readonly code = 'JOB_ENCRYPTED';
  readonly retryable = false;
  readonly workflowId: string;

  constructor(workflowId: string) {
    super(
      `${workflowId} is encrypted, and its key is missing here. ` +
        'Set LONGHAUL_ENCRYPTION_KEY_FILE to a key file that contains this key.',
    );
    this.workflowId = workflowId;
  }
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
