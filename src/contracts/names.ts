/** Names for callers in any language. Their meaning never changes. */
export const WorkflowName = {
  uploadFile: 'uploadFile',
  uploadSplitFile: 'uploadSplitFile',
  syncSource: 'syncSource',
  requestRate: 'requestRate',
} as const;

/** Query of every workflow except `requestRate`. */
export const QueryName = { progress: 'progress' } as const;

/**
 * Updates of `uploadFile`, `uploadSplitFile` and, except for `retune`, of `syncSource`. Each is idempotent and returns the
 * resulting progress. `reserve` of `requestRate` is internal.
 */
export const UpdateName = {
  pause: 'pause',
  resume: 'resume',
  retune: 'retune',
  retry: 'retry',
  reserve: 'reserve',
} as const;

/** Internal signals between a workflow and its uploads. Other callers use the updates. */
export const SignalName = { control: 'control', report: 'report' } as const;

/**
 * `fleet`: the parent of an upload receives its reports. `hidesNames`: payloads pass a codec, so the workflow IDs of uploads
 * that the workflow starts do not contain the names of files.
 */
export const MemoName = {
  identity: 'longhaulIdentity',
  fleet: 'longhaulFleet',
  hidesNames: 'longhaulHidesNames',
} as const;

/** Input of the update `pause`. */
export interface PauseInput {
  /** `finish` waits for the parts in flight, `stop` aborts them. Aborted parts are resent later. @defaultValue `finish` */
  readonly parts?: 'finish' | 'stop';
  /**
   * Whether to accept the pause of an upload that is completing. It takes effect if the session is lost and parts must be
   * resent. Split uploads and syncs set it for their uploads. @defaultValue false: the pause is rejected
   */
  readonly whileCompleting?: boolean;
}

/** Input of the update `retune`, with at least one property. */
export interface RetuneInput {
  /** Maximum parts scheduled at the same time, 1 to 256. */
  readonly concurrency?: number;
  /** Size of the parts of the next session, 1 MiB to 64 MiB. The current session keeps its part size. */
  readonly partSizeBytes?: number;
  /** Bytes per second, as in `UploadRequest`. It also takes effect for parts in flight, after at most 13 s. */
  readonly limitBytesPerSecond?: number;
  /** As in `UploadRequest`, from now on. Not for split uploads. */
  readonly ignoreInode?: boolean;
}

export const DEFAULT_TASK_QUEUE = 'longhaul';

/** Returns the queue of the workers that send parts for the workflows of `taskQueue`: of all hosts, or of one host. */
export function transferTaskQueue(taskQueue: string, host?: string): string {
  return host === undefined ? `${taskQueue}-transfer` : `${taskQueue}-transfer-${host}`;
}

/** Returns the host of a queue of `transferTaskQueue`; undefined for the queue of all hosts, or another queue. */
export function hostOfQueue(queue: string, taskQueue: string): string | undefined {
  const prefix = `${transferTaskQueue(taskQueue)}-`;
  return queue.startsWith(prefix) ? queue.slice(prefix.length) : undefined;
}

/** Format of a receipt. A later version of Longhaul reads all earlier formats. */
export const RECEIPT_FORMAT = 'longhaul-receipt/1';
