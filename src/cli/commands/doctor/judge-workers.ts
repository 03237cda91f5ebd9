import type { QueueDescription } from '../../../client/queues/describe-queue.ts';
import { formatDuration } from '../../../core/text/format.ts';
import { fail, ok, warn, type Check } from './check.ts';

/** What serves the uploads of a task queue. */
export interface QueuesFound {
  readonly host: string;
  readonly control: QueueDescription;
  readonly controlQueue: string;
  /** The queue that any worker serves. */
  readonly transfer: QueueDescription;
  readonly transferQueue: string;
  /** The queue for the files of this machine. */
  readonly ofHost: QueueDescription;
  /** On the embedded server commands bring their own workers. */
  readonly isEmbedded: boolean;
}

const NAME = 'workers';
/** A poll lasts a minute at most; a worker that is there has begun another one since. */
const SILENT_MS = 150_000;
const START = 'start "longhaul worker" with the same TEMPORAL_ADDRESS and task queue';

export function judgeWorkers(found: QueuesFound, nowMs: number): Check {
  const { control, transfer, ofHost, host, controlQueue, transferQueue, isEmbedded } = found;
  if (control.pollers.length === 0) {
    if (isEmbedded)
      return ok(NAME, 'none; on the embedded server "longhaul upload" and "longhaul sync" bring their own');
    return fail(NAME, `none serves the task queue ${controlQueue}: uploads would wait`, START);
  }
  const { pollers, current } = control;
  const serving = pollers.filter((poller) => takesNewWork(poller, current));
  if (serving.length === 0) {
    const builds = [
      ...new Set(pollers.map(({ deploymentName, buildId }) => `${deploymentName ?? 'unversioned'} ${buildId}`)),
    ];
    const wanted = current ? `${current.deploymentName} ${current.buildId}` : 'none';
    const fix = 'make a version of them current: temporal worker deployment set-current-version';
    return fail(
      NAME,
      `the current version of ${controlQueue} is ${wanted}, and its workers are ${builds.join(', ')}`,
      fix,
    );
  }
  if (transfer.pollers.length === 0) {
    return fail(
      NAME,
      `none serves the task queue ${transferQueue}: no part would be sent`,
      `${START}, and --roles transfer`,
    );
  }
  const lastSeenMs = Math.max(...pollers.map((poller) => poller.lastSeenMs));
  if (nowMs - lastSeenMs > SILENT_MS) {
    const ago = formatDuration(nowMs - lastSeenMs);
    return warn(NAME, `the last that served ${controlQueue} was seen ${ago} ago`, `see whether it runs, or ${START}`);
  }
  const words = describeWorkers(found);
  if (ofHost.pollers.length > 0 || isEmbedded) return ok(NAME, words);
  const fix = 'start "longhaul worker" on this machine, or set LONGHAUL_HOST to the name that its worker has';
  return warn(NAME, `${words}; none is of this machine (${host}): its files would wait, URLs would not`, fix);
}

/** Versioned workers get new uploads when theirs is the current version, the others when there is none. */
function takesNewWork(
  { deploymentName, buildId }: QueueDescription['pollers'][number],
  current: QueueDescription['current'],
): boolean {
  if (!current) return deploymentName === undefined;
  return deploymentName === current.deploymentName && buildId === current.buildId;
}

function describeWorkers({ control, transfer, ofHost, controlQueue }: QueuesFound): string {
  const count = (pollers: QueueDescription['pollers']) => new Set(pollers.map(({ identity }) => identity)).size;
  const builds = [...new Set(control.pollers.map(({ buildId }) => buildId).filter((build) => build !== undefined))];
  const counts = `${count(control.pollers)} for workflows, ${count(transfer.pollers)} for parts, ${count(ofHost.pollers)} of them of this machine`;
  return `${controlQueue}: ${counts}${builds.length > 0 ? `; builds ${builds.join(', ')}` : ''}`;
}
