import { hasWorkers } from '../../client/queues/queue-workers.ts';
import { transferTaskQueue } from '../../contracts/names.ts';
import { ConfigError } from '../../errors.ts';
import type { Backend } from '../backend.ts';
import type { CommandJob } from '../job/run-jobs.ts';

/** Without a worker, a job would wait without a message. @throws ConfigError if no worker polls the queues of a job */
export async function assertWorkers(
  { client, isEmbedded }: Pick<Backend, 'client' | 'isEmbedded'>,
  jobs: readonly Pick<CommandJob, 'prepared'>[],
  transferQueue?: string,
): Promise<void> {
  const hosts = jobs.map(({ prepared: { request } }) => ('host' in request.source ? request.source.host : undefined));
  const host = hosts.find((one) => one !== undefined);
  const transfer = transferQueue ?? transferTaskQueue(client.taskQueue, host);
  const control = await hasWorkers(client.temporal, client.taskQueue, 'workflow');
  if (control && (await hasWorkers(client.temporal, transfer, 'activity'))) return;
  const queue = control ? transfer : client.taskQueue;
  const advice = isEmbedded
    ? 'run "longhaul worker" in another terminal with the same environment, or leave out --detach'
    : 'start "longhaul worker" on this machine with the same TEMPORAL_ADDRESS';
  throw new ConfigError(`no worker serves the task queue ${queue}: ${advice}`);
}
