import type { Client } from '@temporalio/client';
import { listUploads } from '../../../client/lists/list-uploads.ts';
import { explainSilence } from '../../../client/queues/describe-silence.ts';
import { describeQueue, type QueueDescription } from '../../../client/queues/read-queue.ts';
import { QueueWorkers } from '../../../client/queues/queue-workers.ts';
import { findWaiting } from '../../../client/queues/unpolled-queue.ts';
import { isWithoutWorker } from '../../../client/temporal-faults.ts';
import { DEFAULT_TASK_QUEUE, QueryName, transferTaskQueue } from '../../../contracts/names.ts';
import { lackingAttributes, registeredAttributes } from '../../../core/show/attribute-registry.ts';
import { formatDuration } from '../../../core/text/format.ts';
import { withBackend, type Backend } from '../../backend.ts';
import type { CliContext } from '../../context.ts';
import { errorText } from '../../errors.ts';
import { CHECK_LIMIT_MS, checked, fail, messageOf, ok, warn, type Check, type Finding } from './check.ts';

/** Workers that do not respond are checked twice. */
const WORKERS_LIMIT_MS = 2 * CHECK_LIMIT_MS + 2000;
/** Maximum number of jobs that are queried. */
const ASKED = 3;

/** Checks Temporal, its search attributes and its workers. If Temporal does not respond, the other checks are skipped. */
export async function temporalChecks(context: CliContext, destination: string): Promise<readonly Check[]> {
  const { temporal } = context.config;
  let isReached = false;
  try {
    return await withBackend(context, { destination }, async (backend) => {
      isReached = true;
      const server = await checked('Temporal', () => checkServer(backend));
      if (server.status === 'fail') return [server];
      return [
        server,
        ...(await Promise.all([
          checked('search attributes', () => checkSearchAttributes(backend.client.temporal)),
          checked('workers', () => checkWorkers(backend), WORKERS_LIMIT_MS + 2 * CHECK_LIMIT_MS),
          checked('hosts', () => checkHosts(backend), WORKERS_LIMIT_MS),
        ])),
      ];
    });
  } catch (error) {
    if (isReached) throw error;
    const fix = temporal
      ? undefined
      : 'read the lines above, or set TEMPORAL_ADDRESS to the address of a Temporal server';
    return [{ name: 'Temporal', ...fail(errorText(error), fix) }];
  }
}

async function checkServer({
  client: { temporal: client },
  address,
  namespace,
  isEmbedded,
}: Backend): Promise<Finding> {
  const { serverVersion } = await bounded(client, () => client.workflowService.getSystemInfo({}));
  try {
    await bounded(client, () => client.workflowService.describeNamespace({ namespace }));
  } catch (error) {
    const fix = `create it with "temporal operator namespace create ${namespace}", or set TEMPORAL_NAMESPACE`;
    return fail(`namespace "${namespace}" is not available on ${address}: ${messageOf(error)}`, fix);
  }
  return ok(`${address}${isEmbedded ? ' (embedded)' : ''}, server ${serverVersion}, namespace ${namespace}`);
}

async function checkSearchAttributes(client: Client): Promise<Finding> {
  let known: Readonly<Record<string, number>>;
  try {
    const { connection, options } = client;
    const { namespace } = options;
    const response = await bounded(client, () => connection.operatorService.listSearchAttributes({ namespace }));
    known = response.customAttributes;
  } catch (error) {
    return warn(
      `cannot be listed: ${messageOf(error)}`,
      'check with an administrator of the cluster that they are registered',
    );
  }
  const { missing, conflicts } = lackingAttributes(known);
  if (conflicts.length > 0) {
    const each = conflicts.map((one) => `${one.name} is ${one.found}, not ${one.type}`);
    return warn(each.join(', '), 'delete them on the cluster, then run "longhaul setup"');
  }
  if (missing.length === 0) return ok(`all ${registeredAttributes.length} are registered`);
  const names = missing.map((one) => one.name).join(', ');
  return warn(`not registered, so that lists cannot show them: ${names}`, 'run "longhaul setup"');
}

async function checkWorkers({ client: { temporal: client, taskQueue, host }, isEmbedded }: Backend): Promise<Finding> {
  const controlQueue = taskQueue;
  const transferQueue = transferTaskQueue(taskQueue);
  const [control, transfer, ofHost] = await bounded(
    client,
    () =>
      Promise.all([
        describePolled(client, controlQueue, 'workflow'),
        describePolled(client, transferQueue, 'activity'),
        describePolled(client, transferTaskQueue(taskQueue, host), 'activity'),
      ]),
    WORKERS_LIMIT_MS,
  );
  const found = { host, control, controlQueue, transfer, transferQueue, ofHost, isEmbedded };
  const judged = judgeWorkers(found, Date.now());
  // On the embedded server, commands start the workers.
  const isPolled = judged.status !== 'fail' && control.pollers.length > 0;
  const check = (isPolled ? await checkResponses(client, taskQueue) : undefined) ?? judged;
  if (check.status !== 'fail' || taskQueue !== DEFAULT_TASK_QUEUE || !check.fix) return check;
  return { ...check, fix: `${check.fix} (LONGHAUL_TASK_QUEUE can set another task queue for workers)` };
}

/** A problem if workers respond for none of the newest jobs; undefined if they respond, or no job is running. */
async function checkResponses(client: Client, taskQueue: string): Promise<Finding | undefined> {
  const asked: string[] = [];
  for await (const { workflowId, status } of listUploads(client, {
    syncs: true,
    running: true,
    taskQueue,
    limit: ASKED,
  }))
    if (status === 'RUNNING') asked.push(workflowId);
  const [newest] = asked;
  if (newest === undefined) return undefined;
  const isSilent = async (workflowId: string) => {
    const query = () => client.workflow.getHandle(workflowId).query(QueryName.progress);
    return bounded(client, query).then(() => false, isWithoutWorker);
  };
  if (!(await Promise.all(asked.map(isSilent))).every(Boolean)) return undefined;
  const { problem, fix } = await bounded(client, () => explainSilence(client, { workflowId: newest, taskQueue }));
  return fail(problem, `${fix.charAt(0).toLowerCase()}${fix.slice(1)}`);
}

/** Describes a queue. If no worker polls it, omits the pollers that Temporal lists for some time after they stop. */
async function describePolled(
  client: Client,
  taskQueue: string,
  kind: 'workflow' | 'activity',
): Promise<QueueDescription> {
  const [description, { presence }] = await Promise.all([
    describeQueue(client, taskQueue, kind),
    QueueWorkers.of(client).lookUntilCertain(taskQueue, kind),
  ]);
  return presence === 'unpolled' ? { ...description, pollers: [] } : description;
}

/** Checks whether uploads and syncs of the task queue wait for a host without a worker, this machine or another. */
async function checkHosts({ client: { temporal: client, taskQueue } }: Backend): Promise<Finding> {
  const waiting = [...(await bounded(client, () => findWaiting(client, { taskQueue }), WORKERS_LIMIT_MS))];
  const counts = new Map<string, number>();
  for (const [, { reason }] of waiting) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  if (counts.size === 0) return ok('no upload or sync waits for a host without a worker');
  return warn([...counts].map(([reason, count]) => `${count} waiting: ${reason}`).join(' '));
}

/** Aborts a call at its deadline: a call that continues after its connection closes would crash the process. */
function bounded<T>(client: Client, call: () => Promise<T>, limitMs = CHECK_LIMIT_MS): Promise<T> {
  return client.withDeadline(Date.now() + limitMs - 500, call);
}

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

/** A poll takes at most a minute, so a running worker has polled again within this time. */
const SILENT_MS = 150_000;
const START = 'start "longhaul worker" with the same TEMPORAL_ADDRESS and task queue';

export function judgeWorkers(found: QueuesFound, nowMs: number): Finding {
  const { control, transfer, ofHost, host, controlQueue, transferQueue, isEmbedded } = found;
  if (control.pollers.length === 0) {
    if (isEmbedded) return ok('none. On the embedded server, "longhaul upload" and "longhaul sync" start their own');
    return fail(`no worker polls task queue "${controlQueue}", so uploads would wait`, START);
  }
  const { pollers, current } = control;
  const eligible = pollers.filter((poller) => receivesNewUploads(poller, current));
  if (eligible.length === 0) {
    const builds = [
      ...new Set(pollers.map(({ deploymentName, buildId }) => `${deploymentName ?? 'unversioned'} ${buildId}`)),
    ];
    const version = current ? `${current.deploymentName} ${current.buildId}` : 'none';
    const fix = 'set a version of these workers as current with "temporal worker deployment set-current-version"';
    return fail(`the current version of ${controlQueue} is ${version}, and its workers are ${builds.join(', ')}`, fix);
  }
  if (transfer.pollers.length === 0) {
    return fail(
      `no worker polls task queue "${transferQueue}", so no part would be sent`,
      `${START}, and with --roles transfer`,
    );
  }
  const lastSeenMs = Math.max(...pollers.map((poller) => poller.lastSeenMs));
  if (nowMs - lastSeenMs > SILENT_MS) {
    const ago = formatDuration(nowMs - lastSeenMs);
    return warn(
      `the last poll of task queue "${controlQueue}" was ${ago} ago`,
      `check whether the worker is running, or ${START}`,
    );
  }
  const words = describeWorkers(found);
  if (ofHost.pollers.length > 0 || isEmbedded) return ok(words);
  const fix = 'start "longhaul worker" on this machine, or set LONGHAUL_HOST to the host name that its worker uses';
  return warn(`${words}. No worker polls for the files of this machine (${host}), so their uploads would wait`, fix);
}

/** Whether a worker receives new uploads: it has the current version, or is unversioned if none is current. */
function receivesNewUploads(
  { deploymentName, buildId }: QueueDescription['pollers'][number],
  current: QueueDescription['current'],
): boolean {
  if (!current) return deploymentName === undefined;
  return deploymentName === current.deploymentName && buildId === current.buildId;
}

/** Shortens the build ID that the SDK sets without Worker Versioning: its version and the digest of the workflow bundle. */
function shortBuild(buildId: string): string {
  return buildId.replace(/^@temporalio\/worker@(.*\+[0-9a-f]{8})[0-9a-f]{56}$/, 'SDK $1');
}

function describeWorkers({ control, transfer, ofHost, controlQueue }: QueuesFound): string {
  const count = (pollers: QueueDescription['pollers']) => new Set(pollers.map(({ identity }) => identity)).size;
  const builds = [...new Set(control.pollers.flatMap(({ buildId }) => (buildId ? [shortBuild(buildId)] : [])))];
  const counts = `${count(control.pollers)} for workflows, ${count(transfer.pollers)} for parts, ${count(ofHost.pollers)} of them on this machine`;
  return `${controlQueue}: ${counts}${builds.length > 0 ? `; builds ${builds.join(', ')}` : ''}`;
}
