import pMap from 'p-map';
import { cannotBeContinued, terminateOutdated } from '../../client/outdated.ts';
import { startJob } from '../../client/start-job.ts';
import { requireDestination } from '../../config/destinations.ts';
import { createDestination } from '../../destinations/kinds.ts';
import type { Destination } from '../../destinations/port.ts';
import type { Backend } from '../backend.ts';
import type { CliContext } from '../context.ts';
import type { CommandJob, Started } from './command-job.ts';

const CONCURRENCY = 8;
const CANCEL_TIMEOUT_MS = 10_000;

/**
 * Restarts jobs that another version of Longhaul started and this version cannot continue. On the embedded server, no other
 * worker can continue them.
 *
 * @returns whether a job was restarted
 */
export async function restartOutdated(
  { config, note }: Pick<CliContext, 'config' | 'note'>,
  { client }: Pick<Backend, 'client'>,
  jobs: readonly Started<CommandJob>[],
  destination: string,
): Promise<boolean> {
  let isRestarted = false;
  for (const job of jobs) {
    const { workflowId, resumed } = job.handle;
    if (!resumed || (await job.handle.describe()).status !== 'RUNNING') continue;
    if (!(await cannotBeContinued(client.temporal, workflowId))) continue;
    const noun = job.prepared.kind === 'sync' ? 'sync' : 'upload';
    note(
      `${workflowId}: another version of Longhaul started this ${noun}, and this version cannot continue it. Restarting it.`,
    );
    const sessions = await terminateOutdated(client.temporal, workflowId);
    await cancelSessions(createDestination(requireDestination(config, destination)), sessions);
    job.handle = await startJob(client.temporal, client.taskQueue, job.prepared);
    isRestarted = true;
  }
  return isRestarted;
}

/** The service rejects this for a session that is no longer open. A session that cannot be cancelled expires. */
async function cancelSessions(service: Destination, sessions: readonly string[]): Promise<void> {
  try {
    const cancel = (id: string) => service.cancel(id, { timeoutMs: CANCEL_TIMEOUT_MS }).catch(() => {});
    await pMap(sessions, cancel, { concurrency: CONCURRENCY });
  } finally {
    await service.close();
  }
}
