import type { Container, Source } from './sources.ts';

/** Input of the workflow `uploadFile`: plain JSON, so that a service in any language can start it by name. */
export interface UploadRequest {
  readonly source: Source;
  /**
   * Folder or bucket that the source is one file of. If only this file cannot be read, the upload fails and does not wait.
   * @defaultValue none: an upload waits for its source
   */
  readonly within?: Container;
  /** What the File is for, such as `fine-tune`, `batch`, `assistants` or `vision`. */
  readonly purpose: string;
  /** The File's name at the destination. @defaultValue the last segment of the source's path */
  readonly filename?: string;
  /** Such as `text/plain` or `text/plain; charset=utf-8`. @defaultValue by the file name's extension, else `application/octet-stream` */
  readonly mimeType?: string;
  /** Name of the destination profile, which the worker holds; keys never enter a workflow. @defaultValue `default` */
  readonly destination?: string;
  /** 1 MiB to 64 MiB. @defaultValue size / 128, kept between 8 MiB and 64 MiB */
  readonly partSizeBytes?: number;
  /** Most parts scheduled at a time, 1 to 256; the workers' slots limit it too. @defaultValue 16 */
  readonly concurrency?: number;
  /**
   * Bytes a second of all its parts on each worker that sends some, 131,072 at least; 0: no limit. An upload of a file
   * of one host has one such worker. @defaultValue 0
   */
  readonly limitBytesPerSecond?: number;
  /** Rate that this upload shares with others, in addition to `limitBytesPerSecond`. A sync sets it. @defaultValue none */
  readonly sharedLimit?: SharedLimit;
  /** Sessions opened at most: one that expires or is cancelled from outside is replaced. 1 to 10. @defaultValue 3 */
  readonly maxSessions?: number;
  /** How long to wait for what a person can repair, before it fails; 0: for ever. @defaultValue 86,400,000 (24 h) */
  readonly giveUpAfterMs?: number;
  /** Send the whole file's md5 with the completion, so that the service checks it. @defaultValue true */
  readonly md5?: boolean;
  /**
   * Accept a file whose inode is another one than before, as after a remount (sshfs, mergerfs, FAT): the recorded parts
   * are kept, and the MD5 shows whether the content is the same. Needs `md5`. @defaultValue false
   */
  readonly ignoreInode?: boolean;
  /** Refuse to start when the source's fingerprint is another one (see `SourceInfo.fingerprint`). */
  readonly expectedFingerprint?: string;
  /** Life of the resulting File (not of the upload), 3,600 to 2,592,000. @defaultValue the service's: no end */
  readonly fileExpiresAfterSeconds?: number;
  /** Task queue of the workers that move the bytes. @defaultValue derived from the workflow's queue and the source's host */
  readonly transferTaskQueue?: string;
  /** A worker that is silent for so long is taken for dead and its part given to another. 1,000 to 600,000. @defaultValue 10,000 */
  readonly heartbeatTimeoutMs?: number;
  /** Whose work waits in a queue is taken in this order: 1 (first) to 5 (last). @defaultValue the workflow's own, else 3 */
  readonly priority?: number;
  /**
   * Uploads of one key share what the workers can do as if they were one upload: a tenant's name, say. At most 64 bytes.
   * @defaultValue the workflow's own, else each upload by itself
   */
  readonly fairnessKey?: string;
  /** Share of the fairness key beside others, 0.001 to 1,000. @defaultValue the workflow's own, else 1 */
  readonly fairnessWeight?: number;
}

/** A rate that all uploads of one key share on each worker that sends some of their parts. */
export interface SharedLimit {
  /** At most 1,000 bytes. */
  readonly key: string;
  /** At least 131,072. */
  readonly bytesPerSecond: number;
}

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
  /** Parts begun over all attempts and sessions; what exceeds `parts` was sent again. */
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
  /** When the service wants the call again, by its `Retry-After`. */
  readonly retryAtMs?: number;
  /** When it tries by itself; the update `retry` makes it try at once. */
  readonly nextProbeAtMs: number;
}

/**
 * Answer of the query `progress`. Its counts of bytes and parts include only recorded parts: bytes of a part that is
 * being sent count when the part is complete. For these bytes, see `bytesSent` of `UploadHandle.progress()`.
 */
export interface UploadProgress {
  readonly state: UploadState;
  readonly filename: string;
  /** 0 until the source was inspected. */
  readonly bytesTotal: number;
  /** Bytes of recorded parts only. Moves in steps of a part, and falls to 0 when a session is replaced. */
  readonly bytesDone: number;
  readonly partSizeBytes: number;
  readonly partsTotal: number;
  /** Recorded parts. */
  readonly partsDone: number;
  /** Scheduled and not yet recorded. */
  readonly partsInFlight: number;
  readonly concurrency: number;
  /** Null where nobody ever gave one. */
  readonly limit: UploadLimit | null;
  readonly session: UploadSession | null;
  /** At the pace so far the session ends before the file is through. */
  readonly sessionEndsTooEarly: boolean;
  readonly waiting: WaitingInfo | null;
  readonly sessionsOpened: number;
  /** Sessions that may have been opened beside them, as the answer that told their ids was lost. */
  readonly orphanedSessions: number;
  readonly md5: string | null;
  /** Unix milliseconds. */
  readonly startedAtMs: number;
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
