import { JobNotFoundError } from '../../client/errors.ts';
import { ApiError, ConfigError, ConnectionError, StrangeAnswerError, TimeoutError } from '../../errors.ts';
import type { DestinationProfile } from '../../destinations/profile.ts';
import { Defaults } from '../../contracts/limits.ts';
import { PROJECT_ENDPOINT } from '../../destinations/azure-address.ts';
import { createDestination } from '../../destinations/kinds.ts';
import type { PreparedJob } from '../../client/start-job.ts';
import type { Backend } from '../backend.ts';
import type { CommandJob } from '../job/command-job.ts';
import { setTimeout as delay } from 'node:timers/promises';
import { hasWorkers } from '../../client/queues/queue-workers.ts';
import { transferTaskQueue } from '../../contracts/names.ts';
import { isOpen } from '../../temporal/workflow-status.ts';

/**
 * Lists Files once before a new upload starts, so that an unreachable service or an invalid key fails the command
 * immediately. Skipped if all jobs are already running or completed.
 *
 * @throws ConfigError if the service is unreachable, is not the API, or rejects the key
 */
export async function checkDestination(
  profile: DestinationProfile,
  backend: Pick<Backend, 'client'>,
  jobs: readonly Pick<CommandJob, 'prepared'>[],
): Promise<void> {
  const known = await Promise.all(jobs.map(({ prepared }) => isKnown(backend, prepared)));
  if (known.every(Boolean)) return;
  const client = createDestination(profile);
  try {
    await client.files.list({ limit: 1 }, { timeoutMs: 10_000 });
  } catch (error) {
    const problem = problemOf(error, profile);
    if (problem)
      throw new ConfigError(`${profile.baseUrl} (destination "${profile.name}") ${problem}`, { cause: error });
  } finally {
    await client.close();
  }
}

/** Whether the job does not need the service now: it is running, or it is an upload that is completed. */
async function isKnown({ client }: Pick<Backend, 'client'>, job: PreparedJob): Promise<boolean> {
  try {
    const { status } = await client.getHandle(job.workflowId).describe();
    return isOpen(status) || (status === 'COMPLETED' && job.kind !== 'sync' && !job.again);
  } catch (error) {
    if (error instanceof JobNotFoundError) return false;
    throw error;
  }
}

/** Returns the problem and its fix if no upload can succeed. A key without permission to list Files can still upload. */
export function problemOf(
  error: unknown,
  profile: Pick<DestinationProfile, 'name' | 'kind'> = { name: Defaults.destination },
): string | undefined {
  const urlFix = urlFixOf(profile);
  if (error instanceof ConnectionError || error instanceof TimeoutError) {
    const fix = error.message.includes('. ') ? '' : `${urlFix} and the network`;
    return described('is unreachable', error.message, fix);
  }
  if (error instanceof StrangeAnswerError) return described('does not respond like the API', error.message, urlFix);
  if (error instanceof ConfigError) return described('cannot be used', error.message, '');
  if (!(error instanceof ApiError)) return undefined;
  const { status } = error.details;
  if (status === 401)
    return described('rejects the key (401)', error.details.apiMessage ?? error.message, 'Set a valid key');
  // The list of Files exists in each API. The most frequent cause is a missing "/v1".
  if (status === 404) {
    const fix = error.message.includes(PROJECT_ENDPOINT) ? '' : urlFix;
    return described('is not the base URL of the API', error.message, fix);
  }
  if (status >= 300 && status < 400) return described('returns a redirect', error.message, urlFix);
  return undefined;
}

function urlFixOf({ name, kind }: Pick<DestinationProfile, 'name' | 'kind'>): string {
  if (kind === 'azure') return `Check the resource (or baseUrl) and the apiVersion of destination "${name}"`;
  return name === Defaults.destination ? 'Check OPENAI_BASE_URL' : `Check the baseUrl of destination "${name}"`;
}

/** @param fix empty if the cause contains it */
function described(what: string, cause: string, fix: string): string {
  return `${what}: ${cause.replace(/\.$/, '')}.${fix && ` ${fix}.`}`;
}

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
