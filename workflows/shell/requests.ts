import { workflowInfo, ApplicationFailure } from '@temporalio/workflow';
import { Defaults, Limits, TextLimits } from '../../src/contracts/limits.ts';
import { FailureType } from '../../src/contracts/failures.ts';
import { transferTaskQueue } from '../../src/contracts/names.ts';
import { inputProblem, isPlainObject } from '../../src/core/payload.ts';
import { isPeriodMs } from '../../src/core/shape/requests.ts';
import { taskQueueProblem } from '../../src/core/task-queue.ts';
import { textUpTo, wholeNumber } from '../../src/core/text/check.ts';
import { utf8Length, clip, clipMessage } from '../../src/core/text/clip.ts';
import { nameKey } from '../../src/core/text/name-form.ts';
import { requestPriority, type RequestPriority } from '../../src/core/upload/priority.ts';

/**
 * A request of a caller. The first activity checks it and returns it with its defaults. Before that, the workflow reads
 * only the queue and the priority of the first activity, the retry period, and the name for the progress.
 */
export type RawRequest = Readonly<Record<string, unknown>>;

/** Problems that a workflow finds without the schema of its request. */
export function rawProblems(noun: 'upload' | 'sync', request: unknown, hasChildren: boolean): string[] {
  const problem = inputProblem(noun === 'upload' ? 'an upload request' : 'a sync request', request);
  if (problem !== undefined) return [problem];
  // Names that the workflow derives. If a name is invalid, Temporal rejects the command repeatedly.
  const queue = taskQueueProblem(transferQueueOf(request as RawRequest));
  const isLong = hasChildren && utf8Length(workflowInfo().workflowId) > TextLimits.parentWorkflowId;
  return [
    ...(queue === undefined ? [] : [`the task queue of the workers that send the parts ${queue}`]),
    ...(isLong ? [`the workflow ID must have at most ${TextLimits.parentWorkflowId} bytes`] : []),
  ];
}

/** Returns the queue of the workers that can read the source. If the source is invalid, any worker rejects the request. */
export function transferQueueOf({ transferTaskQueue: named, source }: RawRequest): string {
  if (named !== undefined && taskQueueProblem(named) === undefined) return named as string;
  const host = isPlainObject(source) ? source['host'] : undefined;
  const isUsable = textUpTo(TextLimits.name)(host) === undefined && taskQueueProblem(host) === undefined;
  return transferTaskQueue(workflowInfo().taskQueue, isUsable ? (host as string) : undefined);
}

/** Returns the priority of the first activity, if the request has a valid one. */
export function firstPriority({ priority, fairnessKey, fairnessWeight }: RawRequest): RequestPriority {
  const { minFairnessWeight: least, maxFairnessWeight: most } = Limits;
  return requestPriority({
    priority: wholeNumber(1, Limits.lastPriority)(priority) === undefined ? (priority as number) : undefined,
    fairnessKey: textUpTo(Limits.maxFairnessKeyBytes)(fairnessKey) === undefined ? (fairnessKey as string) : undefined,
    fairnessWeight:
      typeof fairnessWeight === 'number' && fairnessWeight >= least && fairnessWeight <= most
        ? fairnessWeight
        : undefined,
  });
}

/** Returns the retry period of a job until the first activity returns it. That of a sync is in the settings of its uploads. */
export function firstGiveUpAfterMs({ giveUpAfterMs, upload }: RawRequest): number {
  const value = isPlainObject(upload) ? upload['giveUpAfterMs'] : giveUpAfterMs;
  return isPeriodMs(value) ? (value as number) : Defaults.giveUpAfterMs;
}

/** Returns the name of an upload until the first activity returns it. */
export function firstName({ filename }: RawRequest): string {
  return typeof filename === 'string' ? clip(filename, TextLimits.name) : '';
}

/**
 * Returns the name of a job in its progress until the first activity returns it. The name is never that of a URL, which can
 * contain a secret.
 */
export function givenName(request: RawRequest): string {
  const { source } = request;
  if (request['filename'] !== undefined || !isPlainObject(source)) return firstName(request);
  const { type, path, bucket, key, prefix = '' } = source;
  if (type === 'file' && typeof path === 'string') return nameIn(path);
  if (type === 'folder' && typeof path === 'string') return clip(path, TextLimits.name);
  if (type !== 's3' || typeof bucket !== 'string') return '';
  if (key !== undefined) return typeof key === 'string' ? nameIn(key) : '';
  return typeof prefix === 'string' ? clip(`s3://${bucket}/${prefix}`, TextLimits.name) : '';
}

function nameIn(path: string): string {
  return nameKey(clip(path.split('/').at(-1) as string, TextLimits.name));
}

/** Returns the failure of an invalid request. Limits the message, because it contains texts of the caller. */
export function invalidRequest(...problems: readonly string[]): ApplicationFailure {
  return ApplicationFailure.nonRetryable(clipMessage(problems.join('; ')), FailureType.InvalidRequest);
}
