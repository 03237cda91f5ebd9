import { Limits } from '../contracts/limits.ts';
import { MIN_LIMIT_BYTES_PER_SECOND } from '../core/pace/rate.ts';
import { taskQueueProblem } from '../core/task-queue.ts';
import type { WorkerOptions } from './create-worker.ts';

const MAX_TIMER_MS = 2 ** 31 - 1;

/** What is invalid in the options of a worker, apart from `destinations` and `sources`, which are checked when they are used. */
export function workerOptionProblems(options: Omit<WorkerOptions, 'connection'>): string[] {
  const { taskQueue, roles, transferSlots, limitBytesPerSecond, heartbeatIntervalMs, shutdownGraceMs } = options;
  const { deployment, dataConverter } = options;
  const problems: string[] = [];
  const text = (name: string, value: unknown) => {
    if (value !== undefined && (typeof value !== 'string' || value === '')) problems.push(`"${name}" must be a text`);
  };
  const whole = (name: string, value: unknown, least: number, most: number) => {
    if (value === undefined || (Number.isSafeInteger(value) && Number(value) >= least && Number(value) <= most)) return;
    problems.push(`"${name}" must be a whole number from ${least} to ${most}`);
  };
  const ofQueue = taskQueue === undefined ? undefined : taskQueueProblem(taskQueue);
  if (ofQueue !== undefined) problems.push(`"taskQueue" ${ofQueue}`);
  text('namespace', options.namespace);
  text('host', options.host);
  text('deployment.deploymentName', deployment && deployment.deploymentName);
  text('deployment.buildId', deployment && deployment.buildId);
  if (roles?.every((role) => role === 'control' || role === 'transfer') === false || roles?.length === 0) {
    problems.push('"roles" must be a list of "control" and "transfer"');
  }
  if (dataConverter?.payloadConverterPath !== undefined) {
    problems.push(
      '"dataConverter" must not have a "payloadConverterPath", because the workflows have their own. Use codecs',
    );
  }
  whole('transferSlots', transferSlots, 1, Limits.maxConcurrency);
  whole('limitBytesPerSecond', limitBytesPerSecond, MIN_LIMIT_BYTES_PER_SECOND, Number.MAX_SAFE_INTEGER);
  whole('heartbeatIntervalMs', heartbeatIntervalMs, 1, MAX_TIMER_MS);
  whole('shutdownGraceMs', shutdownGraceMs, 0, MAX_TIMER_MS);
  return problems;
}
