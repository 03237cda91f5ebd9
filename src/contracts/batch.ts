import type { PlannedUpload } from './activities.ts';
import type { FailureDetails, SentPart } from './failures.ts';
import type { Container } from './sources.ts';
import type { SharedLimit, UploadSession } from './upload.ts';

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
  /** Milliseconds to wait before the next call for the files that are left, as the service requests. @defaultValue 0 */
  readonly pauseMs?: number;
}

/** `left`: the same call can succeed later. */
export type OpenOutcome =
  { readonly session: UploadSession } | { readonly failure: FileFailure } | { readonly left: true };

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
  /** Have the service check the MD5 of each file. */
  readonly md5: boolean;
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
  /** A Part that the session has already: the completion is missing, or its response. @defaultValue none */
  readonly sentPart?: SentPart;
  /** As in `LeftFile`. */
  readonly mayHavePart?: true;
  /**
   * The session may be completed: nothing is sent, and the File is searched if the session cannot be cancelled. The
   * response to the completion is missing, or the worker that had the file is lost.
   */
  readonly inDoubt?: 'response' | 'worker';
  /** Nothing is sent: the session is cancelled. */
  readonly onlySettle?: true;
}

export interface SendBatchResult {
  /** In the order of the files. */
  readonly outcomes: readonly SendOutcome[];
  /** As in `OpenBatchResult`. */
  readonly pauseMs?: number;
}

/** The failure `SessionLost`: no File came of the session, and none will. `left`: the same call can succeed later. */
export type SendOutcome = { readonly sent: SentFile } | { readonly failure: FileFailure } | { readonly left: LeftFile };

export interface SentFile {
  readonly fileId: string;
  /** Unix seconds. */
  readonly createdAt: number;
  /** Lower-case hex; null if it is not required. */
  readonly md5: string | null;
}

/** The session of a file that is neither sent nor failed. */
export interface LeftFile extends Pick<SendBatchFile, 'sentPart' | 'inDoubt'> {
  /** The response to its Part was lost: a strict service that has the Part rejects the Part that is sent again. */
  readonly mayHavePart?: true;
}

/** Why one file of a batch has no File: as the failure of an activity. */
export interface FileFailure {
  readonly type: string;
  readonly message: string;
  readonly details?: FailureDetails;
  /** Of a Part that was sent again (see `LeftFile.mayHavePart`). */
  readonly mayHavePart?: true;
  /** The session was ended because a worker is lost: the session does not count against the maximum. */
  readonly isExcused?: true;
}

/** In `details[1]` of a failure of `sendBatch`, in the order of the files. */
export type LeftFiles = readonly LeftFile[];

/**
 * Heartbeat details of `sendBatch`. A heartbeat can be lost or late: it can save work, but a file that it does not
 * contain may be sent.
 */
export interface SendBatchHeartbeat {
  /** The attempt that wrote it. */
  readonly attempt: number;
  /** Of files that are sent or failed, by their index; also those of earlier attempts. */
  readonly outcomes: Readonly<Record<number, Exclude<SendOutcome, { readonly left: LeftFile }>>>;
  /** Of other files on which this attempt works no longer. If the attempt has ended by itself, these are all. */
  readonly left: Readonly<Record<number, LeftFile>>;
}

/** A small file without a result, as an execution hands it to its successor. Plain JSON. */
export interface CarriedFile {
  readonly planned: PlannedUpload;
  /** @defaultValue none is open */
  readonly session?: UploadSession;
  /** Of the session, in Unix milliseconds by Temporal's clock. */
  readonly endsAtMs: number;
  readonly left: LeftFile;
  readonly sessionsLeft: number;
  /** The service rejected the Part with 400: another client can have cancelled the session. */
  readonly wasRejected: boolean;
  /** The session is to be ended: the file has failed, or needs another session. */
  readonly settles: boolean;
  readonly failure?: FileFailure;
}
