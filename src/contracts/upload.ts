export type { FullUploadRequest, SharedLimit, UploadRequest } from './requests/upload.ts';

/** A File as the service describes it. Times are Unix seconds. */
export interface UploadedFile {
  readonly id: string;
  readonly bytes: number;
  readonly createdAt: number;
  readonly expiresAt?: number;
  readonly filename: string;
  readonly purpose: string;
  readonly status?: string;
}

/** A File in the files list. The service can report `bytes: null` until it has determined the size. */
export interface ListedFile extends Omit<UploadedFile, 'bytes'> {
  readonly bytes: number | null;
}

/** Result of the workflow `uploadFile`. */
export interface UploadResult {
  readonly workflowId: string;
  readonly uploadId: string;
  readonly file: UploadedFile;
  readonly bytes: number;
  /** Lower-case hex; null when the request turned it off. */
  readonly md5: string | null;
  readonly parts: number;
  /** Of the session that was completed. Smaller than planned if the service rejected larger parts (413). */
  readonly partSizeBytes?: number;
  /** Parts sent in all attempts and sessions. The number above `parts` was resent. */
  readonly partsSent: number;
  /** Upload sessions opened; more than one when a session died and was replaced. */
  readonly sessions: number;
  /** Sessions that may have been opened beside them, as the answer that told their ids was lost; they end with their hour. */
  readonly orphanedSessions: number;
  readonly durationMs: number;
}

/**
 * `inspecting` → `creating` → `uploading` (⇄ `paused`) → `completing` → `completed`; from any of them to `waiting`
 * (for what a person can repair) and back, to `failed` or to `cancelled`.
 */
export type UploadState =
  'inspecting' | 'creating' | 'uploading' | 'paused' | 'waiting' | 'completing' | 'completed' | 'cancelled' | 'failed';

/** Why an upload waits. Times are Unix milliseconds. */
export interface WaitingInfo {
  /** For a person: what is wrong and what to do. */
  readonly reason: string;
  /** One of `FailureType`. */
  readonly failureType: string;
  /** HTTP status with which the service refused. */
  readonly status?: number;
  readonly sinceMs: number;
  /** Time at which the service accepts the call again, by its `Retry-After`. */
  readonly retryAtMs?: number;
  /** Time of the next automatic retry. The update `retry` retries immediately. */
  readonly nextProbeAtMs: number;
}

/** Upload of one File, split upload, or sync. */
export type JobKind = 'upload' | 'split' | 'sync';

/** Properties that the query `progress` of every workflow returns. */
export interface ProgressHead {
  readonly kind: JobKind;
  /** An `UploadState`, of a sync a `SyncState`. */
  readonly state: string;
  /** Name of the File. Of a sync: name of its folder or prefix. Empty while unknown. */
  readonly filename: string;
  /** Bytes to send. 0 while unknown. */
  readonly bytesTotal: number;
  /** Bytes of recorded parts. Of a split upload and a sync: bytes of the Files that exist. */
  readonly bytesDone: number;
  /** Scheduled and not yet recorded. 0 of a split upload and a sync, because their uploads report their own parts. */
  readonly partsInFlight: number;
  readonly waiting: WaitingInfo | null;
  /** Unix milliseconds. */
  readonly startedAtMs: number;
}

/**
 * Answer of the query `progress`. Its counts of bytes and parts include only recorded parts: bytes of a part that is
 * being sent count when the part is complete. For these bytes, see `bytesSent` of `JobHandle<'upload'>.progress()`.
 */
export interface UploadProgress extends ProgressHead {
  readonly kind: 'upload';
  readonly state: UploadState;
  /** As in `ProgressHead`. Moves in steps of a part, and falls to 0 when a session is replaced. */
  readonly bytesDone: number;
  readonly partSizeBytes: number;
  readonly partsTotal: number;
  /** Recorded parts. */
  readonly partsDone: number;
  readonly concurrency: number;
  /** Null if no limit was ever set. */
  readonly limit: UploadLimit | null;
  readonly session: UploadSession | null;
  /** At the pace so far the session ends before the file is through. */
  readonly sessionEndsTooEarly: boolean;
  readonly sessionsOpened: number;
  /** Sessions that may have been opened beside them, as the answer that told their ids was lost. */
  readonly orphanedSessions: number;
  readonly md5: string | null;
}

/** How fast an upload may be. */
export interface UploadLimit {
  /** 0: as fast as it can. */
  readonly bytesPerSecond: number;
  /** The one with the higher number is the newer one. */
  readonly revision: number;
}

/** An Upload of the service that is open. Times are Unix seconds. */
export interface UploadSession {
  readonly uploadId: string;
  readonly createdAt: number;
  readonly expiresAt: number;
}
