import type { ContentProblems } from './content.ts';
import type { DestinationLimits } from './limits.ts';
import type { PieceProgress } from './split.ts';

/** Common part of the results of the first activity of each workflow. */
export interface Admitted<Full> {
  /** The request, with its defaults. */
  readonly request: Full;
  /** Whether the namespace has all search attributes of Longhaul. The workflow sets them only then. */
  readonly hasAttributes: boolean;
  /** Of the destination, for the purpose of the request. */
  readonly limits: DestinationLimits;
}

/** Name of a job in lists and messages. */
export interface JobSubject {
  /** Name of the File; for a sync, of its source. */
  readonly filename: string;
  readonly purpose: string;
  readonly destination: string;
}

/**
 * The `type` of each failure in Temporal. Compare these and not messages: they are stable, and the same in every language.
 */
export const FailureType = {
  /** The request is invalid. The message lists every problem. */
  InvalidRequest: 'InvalidRequest',
  /** The worker has no destination profile of that name, or its key is missing. */
  ConfigInvalid: 'ConfigInvalid',
  /** The source is missing or not readable. At the start of an upload, this is final. Later, the upload waits for it. */
  SourceMissing: 'SourceMissing',
  /** The source cannot be uploaded: it is a directory, not a regular file, empty or too large. */
  SourceUnusable: 'SourceUnusable',
  /** The object is archived (GLACIER, DEEP_ARCHIVE …) and not restored. The message contains the command that restores it. */
  SourceArchived: 'SourceArchived',
  /** The worker's configuration does not permit this source. Final, without a request. */
  SourceForbidden: 'SourceForbidden',
  /** A line of the source of a split upload is longer than the maximum size of a piece. Nothing was sent. */
  LineTooLong: 'LineTooLong',
  /** Some pieces of a split upload have no File; `details[0]` is a `PiecesFailedDetails`. The same request sends only them. */
  PiecesFailed: 'PiecesFailed',
  /** Reading the source failed temporarily (an I/O error, a stale mount). Retried. */
  SourceUnavailable: 'SourceUnavailable',
  /** The source changed after the start of the upload. Its session was cancelled. */
  SourceChanged: 'SourceChanged',
  /** Lines of the source are invalid for its purpose. The message has their numbers and reasons. Its session was cancelled. */
  ContentInvalid: 'ContentInvalid',
  /** The service rejected the request permanently (400, 401, 403, 413, 422 …). */
  ApiRejected: 'ApiRejected',
  /** The service no longer accepts parts for this Upload: it is expired, cancelled by another client or unknown (404, 410). */
  SessionLost: 'SessionLost',
  /** The service is temporarily unavailable (408, 409, 425, 429, 5xx). Retried. */
  ApiUnavailable: 'ApiUnavailable',
  /** A connection failed or was interrupted. Retried. */
  ConnectionFailed: 'ConnectionFailed',
  /** A timeout without traffic. Retried. */
  TimedOut: 'TimedOut',
  /** A response with a success status and an unexpected body. Retried. */
  StrangeAnswer: 'StrangeAnswer',
  /** The response to the completion was lost, and the files list does not identify the File. */
  CompletionUncertain: 'CompletionUncertain',
  /** A sync would send more files than `maxFiles`. Nothing was sent. */
  TooManyFiles: 'TooManyFiles',
  /** The manifest of a sync is invalid, or cannot be read or written. At the start of a sync, this is final. Later, the sync waits. */
  ManifestUnusable: 'ManifestUnusable',
  /** The memory of a sync, or its results, cannot be read or written. The sync waits, because the next run needs them. */
  MemoryUnavailable: 'MemoryUnavailable',
  /** An input or a result is larger than a payload of Temporal. Final. */
  PayloadTooLarge: 'PayloadTooLarge',
  /** An activity has a result that no worker of Longhaul returns: another client or worker completed it. The call is retried later. */
  ResultInvalid: 'ResultInvalid',
  /** A client cancelled or terminated an upload of a sync. */
  UploadCancelled: 'UploadCancelled',
  /** The upload of a file for an earlier sync is still running, and did not complete in time. */
  UploadRunning: 'UploadRunning',
  /** The File at the service is not the File that a sync uploaded, and was not deleted. */
  FileDiffers: 'FileDiffers',
  /** This worker is shutting down and releases its work, which is retried elsewhere immediately. */
  WorkerStopping: 'WorkerStopping',
} as const;

/** One of the values of `FailureType`. */
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
  /** Time before which the service rejects a retry, in Unix milliseconds, if that is more than a minute away. */
  readonly retryAtMs?: number;
  /** The same from the moment of the failure, in milliseconds. The clocks of workers can differ. */
  readonly retryAfterMs?: number;
  /** Whether the service did no work for any attempt of this call, so that it can be repeated safely. */
  readonly notDone?: true;
  /** Number of attempts to create a session that can have succeeded without a response. */
  readonly unanswered?: number;
  /** For a source that is one of many: whether its folder or bucket also cannot be read. */
  readonly sourceScope?: 'file' | 'container';
  /** Of the first activity: as in `Admitted`. */
  readonly hasAttributes?: boolean;
  /** Of the first activity, if the request is valid: the properties that the workflow shows while it waits for a retry. */
  readonly subject?: JobSubject;
  /** Of the first activity, if the request is valid: the retry period. 0: without a limit. */
  readonly giveUpAfterMs?: number;
  /** Of `ContentInvalid`. */
  readonly content?: ContentProblems;
  /** For a small file: the Part that the session already has. */
  readonly sentPart?: SentPart;
}

/** A Part that is in a session, and the MD5 of its bytes in lower-case hex; null if it is not required. */
export interface SentPart {
  readonly partId: string;
  readonly md5: string | null;
}
