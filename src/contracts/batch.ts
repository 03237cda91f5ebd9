import type { LineCheck } from './content.ts';
import type { FailureDetails, SentPart } from './failures.ts';
import type { Container } from './sources.ts';
import type { SharedLimit, UploadSession } from './upload.ts';

/** A file to send. */
export interface PlannedUpload {
  readonly path: string;
  readonly filename: string;
  readonly sizeBytes: number;
  readonly fingerprint: string;
  readonly version: string;
  /** As in `ListedSource`. */
  readonly change?: string;
  /** Unix milliseconds, for a manifest, if the version is not a time. */
  readonly mtimeMs?: number;
  /** Short, and the same for the same path and content. Part of the upload's workflow ID. */
  readonly key: string;
}

/** Opens the sessions of small files. */
export interface OpenBatchInput {
  readonly destination: string;
  readonly purpose: string;
  readonly files: readonly OpenBatchFile[];
  /** Of all files. @defaultValue the type for each name */
  readonly mimeType?: string;
  readonly fileExpiresAfterSeconds?: number;
  /** Maximum calls at the same time. */
  readonly concurrency: number;
}

export interface OpenBatchFile {
  readonly filename: string;
  readonly bytes: number;
}

export interface OpenBatchResult {
  /** In the order of the files. */
  readonly outcomes: readonly OpenOutcome[];
  /** Milliseconds to wait before the next call for the remaining files, as the service requests. @defaultValue 0 */
  readonly pauseMs?: number;
}

/** `left`: the same call can succeed later. */
export type OpenOutcome =
  | { readonly session: UploadSession }
  | { readonly failure: FileFailure }
  | { readonly left: true };

/** Heartbeat details of `openBatch`. */
export interface OpenBatchHeartbeat {
  /** Sessions that are open, by the index of their file. */
  readonly sessions: Readonly<Record<number, UploadSession>>;
}

/** Sends small files into their sessions, and completes them. */
export interface SendBatchInput {
  readonly destination: string;
  readonly purpose: string;
  /** That contains all files. */
  readonly source: Container;
  readonly files: readonly SendBatchFile[];
  /** Whether the service verifies the MD5 of each file. */
  readonly md5: boolean;
  /** As in `UploadPartInput`. */
  readonly check?: LineCheck;
  readonly maxLines?: number;
  /** Maximum files at the same time. */
  readonly concurrency: number;
  readonly sharedLimit?: SharedLimit;
}

export interface SendBatchFile {
  /** Within the source. */
  readonly path: string;
  readonly filename: string;
  readonly sizeBytes: number;
  readonly fingerprint: string;
  readonly uploadId: string;
  /** Unix seconds; a File that is older than its Upload cannot be its result. */
  readonly uploadCreatedAt: number;
  /** A Part that the session already has. Its completion, or the response to it, is missing. @defaultValue none */
  readonly sentPart?: SentPart;
  /** As in `LeftFile`. */
  readonly mayHavePart?: true;
  /**
   * Whether the session can be completed, because the response to the completion is missing or the worker of the file is
   * lost. Nothing is sent. If the session cannot be cancelled, its File is searched.
   */
  readonly inDoubt?: 'response' | 'worker';
  /** Whether to cancel the session and send nothing. */
  readonly onlySettle?: true;
}

export interface SendBatchResult {
  /** In the order of the files. */
  readonly outcomes: readonly SendOutcome[];
  /** As in `OpenBatchResult`. */
  readonly pauseMs?: number;
}

/** `SessionLost`: the session has no File and cannot get one. `left`: the same call can succeed later. */
export type SendOutcome = { readonly sent: SentFile } | { readonly failure: FileFailure } | { readonly left: LeftFile };

export interface SentFile {
  readonly fileId: string;
  /** Unix seconds. */
  readonly createdAt: number;
  /** Lower-case hex; null if it is not required. */
  readonly md5: string | null;
}

/** The session of a file that is not sent and has not failed. */
export interface LeftFile extends Pick<SendBatchFile, 'sentPart' | 'inDoubt'> {
  /** Whether the response to its Part was lost. A strict service that has the Part rejects a resent Part. */
  readonly mayHavePart?: true;
}

/** Failure of one file of a batch, like the failure of an activity. */
export interface FileFailure {
  readonly type: string;
  readonly message: string;
  readonly details?: FailureDetails;
  /** Whether the Part was resent (see `LeftFile.mayHavePart`). */
  readonly mayHavePart?: true;
  /** Whether the session was cancelled because a worker is lost. Such a session does not count towards the maximum. */
  readonly isExcused?: true;
}

/** In `details[1]` of a failure of `sendBatch`, in the order of the files. */
export type LeftFiles = readonly LeftFile[];

/**
 * Heartbeat details of `sendBatch`. A heartbeat can be lost or late: it can save work, but a file that it does not contain
 * can be sent.
 */
export interface SendBatchHeartbeat {
  /** The attempt that wrote it. */
  readonly attempt: number;
  /** Results of sent and failed files by index, including earlier attempts. */
  readonly outcomes: Readonly<Record<number, Exclude<SendOutcome, { readonly left: LeftFile }>>>;
  /**
   * Other files that this attempt no longer processes, and files in doubt that it completes. If the attempt has returned,
   * these are all.
   */
  readonly left: Readonly<Record<number, LeftFile>>;
}

/** A small file without a result, as plain JSON for the next execution. */
export interface CarriedFile {
  readonly planned: PlannedUpload;
  /** The open session. @defaultValue no open session */
  readonly session?: UploadSession;
  /** Creation time of the session, in Unix milliseconds by Temporal's clock. */
  readonly endsAtMs: number;
  readonly left: LeftFile;
  readonly sessionsLeft: number;
  /** Whether the service rejected the Part with 400: another client can have cancelled the session. */
  readonly wasRejected: boolean;
  /** Whether to cancel the session: the file has failed or needs another session. */
  readonly settles: boolean;
  readonly failure?: FileFailure;
}
