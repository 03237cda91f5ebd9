import type { QueueDescription } from '../../../client/queues/describe-queue.ts';
import { formatDuration } from '../../../core/text/format.ts';
import { fail, ok, warn, type Check } from './check.ts';

/** The workers that poll for the uploads of a task queue. */
export interface QueuesFound {
  readonly host: string;
  readonly control: QueueDescription;
  readonly controlQueue: string;
  /** The queue that all workers poll. */
  readonly transfer: QueueDescription;
  readonly transferQueue: string;
  /** The queue for the files of this machine. */
  readonly ofHost: QueueDescription;
  /** Whether commands start their own workers. */
  readonly isEmbedded: boolean;
}

const NAME = 'workers';
/** A poll takes at most a minute, so a running worker has polled again within this time. */
const SILENT_MS = 150_000;
const START = 'start "longhaul worker" with the same TEMPORAL_ADDRESS and task queue';

export function judgeWorkers(found: QueuesFound, nowMs: number): Check {
  const { control, transfer, ofHost, host, controlQueue, transferQueue, isEmbedded } = found;
  if (control.pollers.length === 0) {
    if (isEmbedded)
      return ok(NAME, 'none. On the embedded server, "longhaul upload" and "longhaul sync" start their own');
    return fail(NAME, `no worker polls task queue "${controlQueue}", so uploads would wait`, START);
  }
  const { pollers, current } = control;
  const eligible = pollers.filter((poller) => receivesNewUploads(poller, current));
  if (eligible.length === 0) {
    const builds = [
      ...new Set(pollers.map(({ deploymentName, buildId }) => `${deploymentName ?? 'unversioned'} ${buildId}`)),
    ];
    const version = current ? `${current.deploymentName} ${current.buildId}` : 'none';
    const fix = 'set a version of these workers as current with "temporal worker deployment set-current-version"';
    return fail(
      NAME,
      `the current version of ${controlQueue} is ${version}, and its workers are ${builds.join(', ')}`,
      fix,
    );
  }
  if (transfer.pollers.length === 0) {
    return fail(
      NAME,
      `no worker polls task queue "${transferQueue}", so no part would be sent`,
      `${START}, and with --roles transfer`,
    );
  }
  const lastSeenMs = Math.max(...pollers.map((poller) => poller.lastSeenMs));
  if (nowMs - lastSeenMs > SILENT_MS) {
    const ago = formatDuration(nowMs - lastSeenMs);
    return warn(
      NAME,
      `the last poll of task queue "${controlQueue}" was ${ago} ago`,
      `check whether the worker is running, or ${START}`,
    );
  }
  const words = describeWorkers(found);
  if (ofHost.pollers.length > 0 || isEmbedded) return ok(NAME, words);
  const fix = 'start "longhaul worker" on this machine, or set LONGHAUL_HOST to the host name that its worker uses';
  return warn(
    NAME,
    `${words}. No worker polls for the files of this machine (${host}), so their uploads would wait`,
    fix,
  );
}

/** Whether a worker receives new uploads: it has the current version, or is unversioned if none is current. */
function receivesNewUploads(
  { deploymentName, buildId }: QueueDescription['pollers'][number],
  current: QueueDescription['current'],
): boolean {
  if (!current) return deploymentName === undefined;
  return deploymentName === current.deploymentName && buildId === current.buildId;
}

function describeWorkers({ control, transfer, ofHost, controlQueue }: QueuesFound): string {
  const count = (pollers: QueueDescription['pollers']) => new Set(pollers.map(({ identity }) => identity)).size;
  const builds = [...new Set(control.pollers.map(({ buildId }) => buildId).filter((build) => build !== undefined))];
  const counts = `${count(control.pollers)} for workflows, ${count(transfer.pollers)} for parts, ${count(ofHost.pollers)} of them on this machine`;
  return `${controlQueue}: ${counts}${builds.length > 0 ? `; builds ${builds.join(', ')}` : ''}`;
}
