import type { DestinationLimits } from './limits.ts';
import type { PieceProgress } from './split.ts';

/** What the first activity of a workflow returns in addition to its own result. */
export interface Admitted<Full> {
  /** The request, with its defaults. */
  readonly request: Full;
  /** Whether the namespace has all search attributes of Longhaul. The workflow sets them only then. */
  readonly hasAttributes: boolean;
  /** Of the destination, for the purpose of the request. */
  readonly limits: DestinationLimits;
}

/** What lists and messages call a job. */
export interface JobSubject {
  /** Of a sync: its source's. */
  readonly filename: string;
  readonly purpose: string;
  readonly destination: string;
}

/**
 * The `type` of each failure that crosses Temporal. Match on these, never on messages: they are stable, and the same
 * in every language.
 */
export const FailureType = {
  /** The request's JSON is wrong; the message lists every problem. */
  InvalidRequest: 'InvalidRequest',
  /** The worker has no destination profile of that name, or its key is missing. */
  ConfigInvalid: 'ConfigInvalid',
  /** The source is missing or not readable. At the start of an upload, this is final. Later, the upload waits for it. */
  SourceMissing: 'SourceMissing',
  /** The source can't be uploaded: a directory, no regular file, empty, over the limit. */
  SourceUnusable: 'SourceUnusable',
  /** The object is archived (GLACIER, DEEP_ARCHIVE …) and not restored; the message contains the command that restores it. */
  SourceArchived: 'SourceArchived',
  /** The worker's configuration does not let callers name this source; final, and nothing was asked for. */
  SourceForbidden: 'SourceForbidden',
  /** A line of a source that is to be split is longer than a piece can be; nothing was sent. */
  LineTooLong: 'LineTooLong',
  /** Some pieces of a split upload have no File; `details[0]` is a `PiecesFailedDetails`. The same request sends only them. */
  PiecesFailed: 'PiecesFailed',
  /** Reading the source failed in a way that may pass (an I/O error, a stale mount); retried. */
  SourceUnavailable: 'SourceUnavailable',
  /** The source changed after the start of the upload. Its session was cancelled. */
  SourceChanged: 'SourceChanged',
  /** The service rejected the request permanently (400, 401, 403, 413, 422 …). */
  ApiRejected: 'ApiRejected',
  /** The service no longer takes parts for this Upload: expired, cancelled by another, or unknown (404, 410). */
  SessionLost: 'SessionLost',
  /** The service is not ready (408, 409, 425, 429, 5xx); retried. */
  ApiUnavailable: 'ApiUnavailable',
  /** No connection, or it broke; retried. */
  ConnectionFailed: 'ConnectionFailed',
  /** Nothing moved for too long; retried. */
  TimedOut: 'TimedOut',
  /** A success status whose body is not what the API promises; retried. */
  StrangeAnswer: 'StrangeAnswer',
  /** The answer to the completion was lost, and the files list doesn't tell which File is the result. */
  CompletionUncertain: 'CompletionUncertain',
  /** A sync would send more files than `maxFiles`; nothing was sent. */
  TooManyFiles: 'TooManyFiles',
  /** An input or a result is larger than a payload of Temporal; final. */
  PayloadTooLarge: 'PayloadTooLarge',
  /** A client cancelled or terminated an upload of a sync. */
  UploadCancelled: 'UploadCancelled',
  /** A file's upload still runs for an earlier sync, and did not end in time. */
  UploadRunning: 'UploadRunning',
  /** The File at the service is not the File that a sync uploaded; it was not deleted. */
  FileDiffers: 'FileDiffers',
  /** This worker is shutting down and releases its work, which is retried elsewhere immediately. */
  WorkerStopping: 'WorkerStopping',
} as const;

export type FailureType = (typeof FailureType)[keyof typeof FailureType];

/** Plain data in `details[0]` of the failure of a split upload that had started. */
export interface PiecesFailedDetails {
  readonly pieces: readonly PieceProgress[];
}

/** Plain data in `details[0]` of the failures of activities. */
export interface FailureDetails {
  /** The attempt that failed, counted from 1. */
  readonly attempt?: number;
  readonly status?: number;
  readonly requestId?: string;
  readonly apiCode?: string;
  /** Unix milliseconds before which the service does not want the call again, if that is more than a minute away. */
  readonly retryAtMs?: number;
  /** The service did no work for any attempt of this call: it is repeated as if it had never been made. */
  readonly notDone?: true;
  /** Attempts of a create call that may have opened a session each, without its response. */
  readonly unanswered?: number;
  /** Of a source that cannot be read and is one of many: whether its whole folder or bucket cannot be read either. */
  readonly sourceScope?: 'file' | 'container';
  /** Of the first activity: as in `Admitted`. */
  readonly hasAttributes?: boolean;
  /** Of the first activity, if the request is valid: what the workflow shows while it waits for a retry. */
  readonly subject?: JobSubject;
  /** Of the first activity, if the request is valid: the retry period. 0: without a limit. */
  readonly giveUpAfterMs?: number;
  /** Of a small file: a Part that the session has already. */
  readonly sentPart?: SentPart;
}

/** A Part that is in a session, and the MD5 of its bytes in lower-case hex; null if it is not required. */
export interface SentPart {
  readonly partId: string;
  readonly md5: string | null;
}
