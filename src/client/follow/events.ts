import type { UploadProgress } from '../../contracts/upload.ts';
import type { UnpolledQueue } from '../queues/unpolled-queue.ts';

/** What `handle.progress()` yields. */
export type UploadEvent =
  | {
      readonly type: 'progress';
      readonly progress: UploadProgress;
      /** Bytes of recorded parts and, as far as heartbeats tell, of those in flight. */
      readonly bytesSent: number;
      /** The newest failure of an attempt that is going to be repeated. */
      readonly trouble?: PartTrouble;
      /** The queue of the parts, if they wait for it and no worker polls it. */
      readonly unpolled?: UnpolledQueue;
    }
  /**
   * No worker or no Temporal answered in time; or, once, no worker polls the queue of the parts, such as that of the
   * source's host. The upload continues when one does.
   */
  | {
      readonly type: 'no-answer';
      readonly reason: string;
      /** The queue of the parts, if no worker polls it; undefined if nothing answered. */
      readonly unpolled?: UnpolledQueue;
    }
  /** The last event. `status` is Temporal's: COMPLETED, FAILED, CANCELLED, TERMINATED, TIMED_OUT. */
  | { readonly type: 'ended'; readonly status: string };

export interface PartTrouble {
  readonly activity: string;
  /** The attempt that is under way or comes next, counted from 1. */
  readonly attempt: number;
  /** One of `FailureType`, or empty. */
  readonly failureType: string;
  readonly message: string;
}
