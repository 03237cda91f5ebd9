import { setTimeout as delay } from 'node:timers/promises';
import { hasWorkers } from '../../client/queues/queue-workers.ts';
import { transferTaskQueue } from '../../contracts/names.ts';
import { ConfigError } from '../../errors.ts';
import type { Backend } from '../backend.ts';
import type { CommandJob } from '../job/command-job.ts';

/** A worker that has just started, for example by the same script, polls for the first time within this time. */
const FIRST_POLL_MS = 2000;

/** Without a worker, a job would wait without a message. @throws ConfigError if no worker polls the queues of a job */
export async function assertWorkers(
  { client, isEmbedded }: Pick<Backend, 'client' | 'isEmbedded'>,
  jobs: readonly Pick<CommandJob, 'prepared'>[],
  transferQueue?: string,
): Promise<void> {
  const hosts = jobs.map(({ prepared: { request } }) => hostOf(request));
  const host = hosts.find((one) => one !== undefined);
  const transfer = transferQueue ?? transferTaskQueue(client.taskQueue, host);
  const unpolledQueue = async () => {
    if (!(await hasWorkers(client.temporal, client.taskQueue, 'workflow'))) return client.taskQueue;
    return (await hasWorkers(client.temporal, transfer, 'activity')) ? undefined : transfer;
  };
  const deadlineMs = performance.now() + FIRST_POLL_MS;
  let queue = await unpolledQueue();
  while (queue !== undefined && performance.now() < deadlineMs) {
    await delay(200);
    queue = await unpolledQueue();
  }
  if (queue === undefined) return;
  const advice = isEmbedded
    ? 'Run "longhaul worker" in another terminal with the same environment, or remove --detach'
    : 'Start "longhaul worker" on this machine with the same TEMPORAL_ADDRESS';
  throw new ConfigError(`no worker polls task queue "${queue}". ${advice}.`);
}

/** The host that reads the source, or writes the manifest of a bucket. */
function hostOf({ source, ...request }: CommandJob['prepared']['request']): string | undefined {
  if ('host' in source) return source.host;
  const manifest = 'manifest' in request ? request.manifest : undefined;
  return manifest && 'host' in manifest ? manifest.host : undefined;
}
