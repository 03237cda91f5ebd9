/** Names that callers in any language use. They never change meaning. */
export const WorkflowName = {
  uploadFile: 'uploadFile',
  uploadSplitFile: 'uploadSplitFile',
  syncSource: 'syncSource',
  requestRate: 'requestRate',
} as const;

/** Query of every workflow but `requestRate`. */
export const QueryName = { progress: 'progress' } as const;

/**
 * Updates of `uploadFile`, `uploadSplitFile` and, but for `retune`, of `syncSource`, each of which is idempotent and answers
 * with the progress that then holds; and `reserve` of `requestRate`, which is Longhaul's own affair.
 */
export const UpdateName = {
  pause: 'pause',
  resume: 'resume',
  retune: 'retune',
  retry: 'retry',
  reserve: 'reserve',
} as const;

/** Between a workflow and the uploads that it has started. Longhaul's own: other callers use the updates. */
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

/** `finish` lets the parts in flight end, `stop` breaks them off; they are sent again later. @defaultValue `finish` */
export interface PauseInput {
  readonly parts?: 'finish' | 'stop';
  /**
   * Accept the pause of an upload that completes. It takes effect if the session is lost and parts are to be sent again.
   * Split uploads and syncs set it for their uploads. @defaultValue false: the pause is rejected
   */
  readonly whileCompleting?: boolean;
}

/** At least one of them. */
export interface RetuneInput {
  /** Most parts scheduled at a time, 1 to 256. */
  readonly concurrency?: number;
  /** Size of the parts of the next session, if there has to be one; the present one keeps its own. 1 MiB to 64 MiB. */
  readonly partSizeBytes?: number;
  /** Bytes a second, as in `UploadRequest`; it holds for the parts in flight too, within 5 s. */
  readonly limitBytesPerSecond?: number;
  /** As in `UploadRequest`, from now on; not for split uploads. */
  readonly ignoreInode?: boolean;
}

export const DEFAULT_TASK_QUEUE = 'longhaul';

/** The queue whose workers move bytes for the workflows of `taskQueue`: any of them, or those of one host. */
export function transferTaskQueue(taskQueue: string, host?: string): string {
  return host === undefined ? `${taskQueue}-transfer` : `${taskQueue}-transfer-${host}`;
}

/** The host of a queue that `transferTaskQueue` returned; undefined for the queue of any host, or another queue. */
export function hostOfQueue(queue: string, taskQueue: string): string | undefined {
  const prefix = `${transferTaskQueue(taskQueue)}-`;
  return queue.startsWith(prefix) ? queue.slice(prefix.length) : undefined;
}
