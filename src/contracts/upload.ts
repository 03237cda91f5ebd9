import type { Source } from './sources.ts';

export type { FullUploadRequest, SharedLimit, UploadRequest } from './requests/upload.ts';

/** A File of the service. Times are Unix seconds. */
export interface UploadedFile {
  /** ID for further calls of the service. Its form depends on the service. */
  readonly id: string;
  /** Size. If the service has not determined it, the size of the source. */
  readonly bytes: number;
  /** Time of the creation by the clock of the service. */
  readonly createdAt: number;
  /** Time at which the service deletes it. @defaultValue not set: it does not expire, or the service does not report it */
  readonly expiresAt?: number;
  /** Name of the File. */
  readonly filename: string;
  /** Purpose of the File. */
  readonly purpose: string;
  /** Status by the service, such as `processed`. */
  readonly status?: string;
}

/** A File in the files list. The service can report `bytes: null` until it has determined the size. */
export interface ListedFile extends Omit<UploadedFile, 'bytes'> {
  readonly bytes: number | null;
}

/** Result of the workflow `uploadFile`. */
export interface UploadResult {
  /** ID of the upload in Temporal. */
  readonly workflowId: string;
  /** ID of the Upload that was completed at the service. */
  readonly uploadId: string;
  /** The File that was created. */
  readonly file: UploadedFile;
  /** Size of the source. */
  readonly bytes: number;
  /** Lower-case hex; null if the request disabled it. */
  readonly md5: string | null;
  /** Lower-case hex. @defaultValue not requested */
  readonly sha256?: string | undefined;
  /** Parts of the File. */
  readonly parts: number;
  /** Part size of the completed session. Smaller than planned if the service rejected larger parts (413). */
  readonly partSizeBytes?: number;
  /** Parts sent in all attempts and sessions. The number above `parts` was resent. */
  readonly partsSent: number;
  /** Number of opened sessions; more than one if a session was lost and replaced. */
  readonly sessions: number;
  /** Maximum number of further sessions whose ID was lost with a response. They expire after one hour. */
  readonly orphanedSessions: number;
  /** Milliseconds from the start to the result, with pauses and waits. */
  readonly durationMs: number;
  /** Findings of the check of the content that did not make it invalid. @defaultValue none */
  readonly warnings?: readonly string[];
  /** Facts for a receipt, which `JobHandle.receipt()` builds. Omitted for uploads of a sync, and for the pieces of a split upload. */
  readonly receipt?: ReceiptFacts;
}

/** What a completed upload sent. Times are Unix milliseconds. */
export interface ReceiptFacts {
  readonly destination: string;
  /** Without the query of a URL. */
  readonly source: Source;
  /** Of the source when it was sent. */
  readonly fingerprint: string;
  /** In the order of the source. */
  readonly partIds: readonly string[];
  readonly startedAtMs: number;
  readonly completedAtMs: number;
}

/**
 * `inspecting` → `creating` → `uploading` (⇄ `paused`) → `completing` → `completed`; from any of them to `waiting`
 * (for an operator) and back, to `failed` or to `cancelled`.
 */
export type UploadState =
  | 'inspecting'
  | 'creating'
  | 'uploading'
  | 'paused'
  | 'waiting'
  | 'completing'
  | 'completed'
  | 'cancelled'
  | 'failed';

/** Reason for which an upload waits. Times are Unix milliseconds. */
export interface WaitingInfo {
  /** Text with the cause and the fix. */
  readonly reason: string;
  /** One of `FailureType`. */
  readonly failureType: string;
  /** HTTP status of the rejection by the service. */
  readonly status?: number;
  /** Start of the wait. */
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
  /** An `UploadState` or `SyncState`. */
  readonly state: string;
  /** Name of the File; for a sync, of its folder or prefix. Empty while unknown. */
  readonly filename: string;
  /** Bytes to send. 0 while unknown. */
  readonly bytesTotal: number;
  /** Bytes of recorded parts; for a split upload or a sync, bytes of the existing Files. */
  readonly bytesDone: number;
  /** Number of parts that are scheduled and not recorded. 0 for a split upload or a sync, whose uploads report their parts. */
  readonly partsInFlight: number;
  readonly waiting: WaitingInfo | null;
  /** Unix milliseconds. */
  readonly startedAtMs: number;
}

/**
 * Result of the query `progress`. Bytes and parts include only recorded parts: a part counts when it is complete. For the
 * bytes of parts in flight, see `bytesSent` of `JobHandle<'upload'>.progress()`.
 */
export interface UploadProgress extends ProgressHead {
  readonly kind: 'upload';
  readonly state: UploadState;
  /** As in `ProgressHead`. Increases by whole parts, and falls to 0 if a session is replaced. */
  readonly bytesDone: number;
  readonly partSizeBytes: number;
  readonly partsTotal: number;
  /** Recorded parts. */
  readonly partsDone: number;
  readonly concurrency: number;
  /** Null if no limit was ever set. */
  readonly limit: UploadLimit | null;
  readonly session: UploadSession | null;
  /** Whether, at the current rate, the session expires before the file is complete. */
  readonly sessionEndsTooEarly: boolean;
  /** Then: size of a File that the session could upload at this rate, for a split upload of the same source. */
  readonly splitSizeBytes?: number;
  readonly sessionsOpened: number;
  /** Maximum number of further sessions whose ID was lost with a response. */
  readonly orphanedSessions: number;
  readonly md5: string | null;
}

/** Rate limit of an upload. */
export interface UploadLimit {
  /** Bytes per second; 0 for no limit. */
  readonly bytesPerSecond: number;
  /** Number of the limit. A higher number is newer. */
  readonly revision: number;
}

/** An Upload of the service that is open. Times are Unix seconds. */
export interface UploadSession {
  readonly uploadId: string;
  readonly createdAt: number;
  readonly expiresAt: number;
}
