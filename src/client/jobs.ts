import type { SplitUploadProgress, SplitUploadResult } from '../contracts/split.ts';
import type { SyncProgress, SyncResult } from '../contracts/sync.ts';
import type { JobKind, UploadProgress, UploadResult } from '../contracts/upload.ts';
import type { PartTrouble } from './follow/pending.ts';
import type { UnpolledQueue } from './queues/unpolled-queue.ts';

export type JobProgress<Kind extends JobKind = JobKind> = {
  readonly upload: UploadProgress;
  readonly split: SplitUploadProgress;
  readonly sync: SyncProgress;
}[Kind];

export type JobResult<Kind extends JobKind = JobKind> = {
  readonly upload: UploadResult;
  readonly split: SplitUploadResult;
  readonly sync: SyncResult;
}[Kind];

/** What `JobHandle.progress()` yields. */
export type JobEvent<Kind extends JobKind = JobKind> =
  | {
      readonly type: 'progress';
      readonly progress: JobProgress<Kind>;
      /** Bytes of recorded parts and, by heartbeats, of those in flight. Of a sync: with those of its running uploads. */
      readonly bytesSent: number;
      /** The newest failure of an attempt that will be repeated. */
      readonly trouble?: PartTrouble;
      /** The queue of the source, if work waits for it and no worker polls it. */
      readonly unpolled?: UnpolledQueue;
    }
  /**
   * No worker or no Temporal responded in time; or, once, no worker polls the queue of the source, such as that of its
   * host. The job continues when one does.
   */
  | {
      readonly type: 'no-answer';
      readonly reason: string;
      /** The queue of the source, if no worker polls it; undefined if nothing responded. */
      readonly unpolled?: UnpolledQueue;
    }
  /** The last event. `status` is Temporal's: COMPLETED, FAILED, CANCELLED, TERMINATED, TIMED_OUT. */
  | { readonly type: 'ended'; readonly status: string };

/** What `JobHandle.status()` returns. */
export type JobStatus<Kind extends JobKind = JobKind> = JobProgress<Kind> & {
  /** As in `JobEvent`. */
  readonly bytesSent: number;
  /** As in `JobEvent`. */
  readonly unpolled?: UnpolledQueue;
};
