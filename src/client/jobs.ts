import type { SplitUploadProgress, SplitUploadResult } from '../contracts/split.ts';
import type { SyncProgress, SyncResult } from '../contracts/sync.ts';
import type { JobKind, UploadProgress, UploadResult } from '../contracts/upload.ts';
import type { PartTrouble, PausedActivity } from './follow/pending.ts';

/**
 * Progress of a job, as the query `progress` returns it: `UploadProgress`, `SplitUploadProgress` or `SyncProgress`. All start
 * with `kind`, `state`, `filename`, `bytesTotal`, `bytesDone`, `partsInFlight`, `waiting` and `startedAtMs`.
 */
export type JobProgress<Kind extends JobKind = JobKind> = {
  readonly upload: UploadProgress;
  readonly split: SplitUploadProgress;
  readonly sync: SyncProgress;
}[Kind];

/** Result of a completed job, which `JobHandle.result()` returns: `UploadResult`, `SplitUploadResult` or `SyncResult`. */
export type JobResult<Kind extends JobKind = JobKind> = {
  readonly upload: UploadResult;
  readonly split: SplitUploadResult;
  readonly sync: SyncResult;
}[Kind];

/** A task queue that no worker polls, and on which activities of an upload or a sync wait. */
export interface UnpolledQueue {
  readonly taskQueue: string;
  /** Host whose workers poll it; undefined if workers of all hosts do. */
  readonly host: string | undefined;
  /** Problem and fix on one line. */
  readonly reason: string;
}

/** An event of `JobHandle.progress()`. */
export type JobEvent<Kind extends JobKind = JobKind> =
  | {
      readonly type: 'progress';
      readonly progress: JobProgress<Kind>;
      /** Bytes of recorded parts and, according to heartbeats, of parts in flight. For a sync, includes its running uploads. */
      readonly bytesSent: number;
      /** The newest failure of an attempt that will be retried. */
      readonly trouble?: PartTrouble;
      /** The queue of the source, if work waits for it and no worker polls it. */
      readonly unpolled?: UnpolledQueue;
      readonly pausedActivity?: PausedActivity;
    }
  /**
   * Neither a worker nor Temporal responded in time. Also sent once if no worker polls the queue of the source, such as that
   * of its host. The job continues when a worker polls it.
   */
  | {
      readonly type: 'no-answer';
      /** Problem and fix on one line. */
      readonly reason: string;
      /** Whether operator action is required: nothing responded for 14 s, or no response is possible. @defaultValue false */
      readonly isLasting?: boolean;
      /** The queue of the source, if no worker polls it; undefined if nothing responded. */
      readonly unpolled?: UnpolledQueue;
      /** Whether it is paused in Temporal. `reason` names the command that continues it. @defaultValue false */
      readonly isPaused?: boolean;
    }
  /** The last event, with the status in Temporal: COMPLETED, FAILED, CANCELLED, TERMINATED, TIMED_OUT. */
  | { readonly type: 'ended'; readonly status: string };

/** Result of `JobHandle.status()`. */
export type JobStatus<Kind extends JobKind = JobKind> = JobProgress<Kind> & {
  /** As in `JobEvent`. */
  readonly bytesSent: number;
  /** As in `JobEvent`. */
  readonly unpolled?: UnpolledQueue;
  /** As in `JobEvent`. */
  readonly pausedActivity?: PausedActivity;
};
