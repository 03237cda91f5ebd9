import { hostname } from 'node:os';
import type { Client } from '@temporalio/client';
import { sentences, type Explanation } from '../../temporal/grpc-cause.ts';
import { QueueWorkers } from './queue-workers.ts';
import { describeQueue, type QueuePoller } from './read-queue.ts';

/**
 * Time without a response after which workers are not only slow. A task that was queued for a killed worker reaches another
 * worker after 10 s.
 */
export const LASTING_SILENCE_MS = 14_000;

/** Attempts of a workflow task whose workers were killed. More attempts show that the task fails or times out. */
const FEW_ATTEMPTS = 3;
/** A poll takes at most a minute. A worker whose poll is older than that of another worker by more has ended. */
const SAME_TIME_MS = 90_000;
/** Maximum number of workers that the text names. */
const MAX_NAMED = 3;

/** A workflow for which no worker responds. */
interface SilentWorkflow {
  readonly workflowId: string;
  readonly taskQueue: string;
  /** Attempts of its pending workflow task. @defaultValue 0 */
  readonly attempts?: number | undefined;
}

/**
 * Returns the reason for which no worker responds for a workflow, and the fix, on one line. The text is the same as long as
 * the reason is the same.
 *
 * @throws ServiceError of Temporal's client
 */
export async function describeSilence(client: Client, workflow: SilentWorkflow): Promise<string> {
  return sentences(await explainSilence(client, workflow));
}

/** Like `describeSilence`, with a separate fix. */
export async function explainSilence(
  client: Client,
  { workflowId, taskQueue, attempts = 0 }: SilentWorkflow,
): Promise<Explanation> {
  const { presence, description } = await QueueWorkers.of(client).look(taskQueue, 'workflow', true);
  if (presence === 'unpolled')
    return { problem: `no worker polls task queue "${taskQueue}"`, fix: 'Start "longhaul worker"' };
  const { pollers } = description ?? (await describeQueue(client, taskQueue, 'workflow'));
  const workers = describeWorkers(namesOf(pollers));
  const polling = `${workers.text} ${workers.isOne ? 'polls' : 'poll'} task queue "${taskQueue}"`;
  const restart = workers.isOne ? 'restart it' : 'restart them';
  if (attempts > FEW_ATTEMPTS) {
    const problem = `workers cannot continue ${workflowId}, because its workflow task fails or times out`;
    return { problem: `${problem}: ${polling}`, fix: `Check the log, and ${restart}` };
  }
  const problem = `${polling}, but ${workers.isOne ? 'does' : 'do'} not respond`;
  return { problem, fix: `Check the log, and ${restart} if this continues` };
}

function describeWorkers(names: readonly string[]): { readonly text: string; readonly isOne: boolean } {
  const isOne = names.length === 1;
  const more = names.length > MAX_NAMED ? ` and ${names.length - MAX_NAMED} more` : '';
  const named = names.length === 0 ? '' : ` ${names.slice(0, MAX_NAMED).join(', ')}${more}`;
  return { text: `the ${isOne ? 'worker' : 'workers'}${named}`, isOne };
}

/** Identities of the workers that poll, without that of this process if there are others. */
function namesOf(pollers: readonly QueuePoller[]): string[] {
  const newestMs = Math.max(...pollers.map(({ lastSeenMs }) => lastSeenMs));
  const recent = pollers.filter(({ lastSeenMs }) => newestMs - lastSeenMs < SAME_TIME_MS);
  const names = [...new Set(recent.map(({ identity }) => identity))].toSorted();
  const others = names.filter((name) => name !== `${process.pid}@${hostname()}`);
  return others.length > 0 ? others : names;
}
