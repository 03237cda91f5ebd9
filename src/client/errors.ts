import type { PieceProgress } from '../contracts/split.ts';
import type { JobKind } from '../contracts/upload.ts';
import { shellWord } from '../core/text/shell-word.ts';
import { LonghaulError } from '../errors.ts';

/** The job failed: an upload without a File, or a sync as a whole. `failureType` is a `FailureType` or a type of Temporal. */
export class JobFailedError extends LonghaulError {
  readonly code = 'JOB_FAILED';
  readonly retryable = false;
  /** ID of the job in Temporal. */
  readonly workflowId: string;
  /** A `FailureType`, or a name of Temporal such as `TimeoutFailure`. */
  readonly failureType: string;
  /** The pieces of a split upload that has started, with and without Files. */
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
  /** ID of the job in Temporal. */
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
        ? `ID ${workflowId} belongs to a sync that is running with other options, or to another workflow. Use the same options to follow the sync, cancel it with "longhaul cancel ${shellWord(workflowId)}", or choose another ID.`
        : `ID ${workflowId} belongs to the upload of another file, to another purpose or destination, or to another workflow. Choose another ID.`,
    );
  }
}

/** An update was rejected, for example a pause of an upload that is completing. */
export class SteeringRefusedError extends LonghaulError {
  readonly code = 'STEERING_REFUSED';
  readonly retryable = false;
}

/** No worker responded in time: none is running, or none polls the task queue of this upload. */
export class NoWorkerError extends LonghaulError {
  readonly code = 'NO_WORKER';
  readonly retryable = true;
}

/** Temporal rejected a list filter. The message is that of Temporal. */
export class QueryRefusedError extends LonghaulError {
  readonly code = 'QUERY_REFUSED';
  readonly retryable = false;
}

/** The namespace does not have a search attribute that the call needs. */
export class SearchAttributesMissingError extends LonghaulError {
  readonly code = 'SEARCH_ATTRIBUTES_MISSING';
  readonly retryable = false;

  constructor(name: string, cause: unknown) {
    super(
      `search attribute ${name} is not registered in this namespace. Run "longhaul setup". Lists then show uploads that start afterwards.`,
      { cause },
    );
  }
}

/** The namespace has a search attribute with a name of Longhaul and another type. Nothing was registered. */
export class AttributeConflictError extends LonghaulError {
  readonly code = 'SEARCH_ATTRIBUTE_CONFLICT';
  readonly retryable = false;
}

/** The cluster denies the registration of search attributes: Temporal Cloud, a missing permission, or a limit. */
export class SetupRefusedError extends LonghaulError {
  readonly code = 'SETUP_REFUSED';
  readonly retryable = false;
  /** Commands for an administrator: one with `temporal`, and one for Temporal Cloud. */
  readonly commands: { readonly temporal: string; readonly cloud: string };

  constructor(message: string, commands: SetupRefusedError['commands'], cause: unknown) {
    super(message, { cause });
    this.commands = commands;
  }
}

/** The search attributes were registered, but the cluster does not list them yet. */
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

/** The response of a workflow does not have the form of Longhaul: another program started or runs it. */
export class StrangeWorkflowError extends LonghaulError {
  readonly code = 'STRANGE_WORKFLOW';
  readonly retryable = false;
  readonly workflowId: string;

  constructor(workflowId: string, cause?: unknown) {
    super(
      `${workflowId} does not respond like a workflow of Longhaul. ` +
        'Check in Temporal UI which program started it and which workers run it.',
      { cause },
    );
    this.workflowId = workflowId;
  }
}
