import pMap from 'p-map';
import { NoWorkerError, JobNotFoundError } from '../../../client/errors.ts';
import type { JobKind } from '../../../contracts/upload.ts';
import { ConfigError } from '../../../errors.ts';
import { ScheduleNotFoundError } from '../../../client/schedules/schedule-errors.ts';
import { queueServer, withBackend, type Backend } from '../../backend.ts';
import type { CliContext } from '../../context.ts';
import { readEnd } from '../../../client/follow/read-end.ts';
import { describeEnded, describeJob, endedJson } from './view.ts';
import { errorText, AlreadyReported, jsonErrorOf } from '../../errors.ts';
import { watchStatus } from './watch.ts';
import { isOpen } from '../../../temporal/workflow-status.ts';

const CONCURRENCY = 8;

/** Output for one ID. */
interface Shown {
  readonly lines: readonly string[];
  readonly json: object;
  readonly error?: unknown;
}

/**
 * Prints the state of uploads and syncs, in the order of their IDs. An ID that fails does not prevent the output of the
 * others.
 */
export async function statusCommand(
  context: CliContext,
  workflowIds: readonly string[],
  { json, watch = false }: { readonly json?: boolean; readonly watch?: boolean },
): Promise<void> {
  if (watch && workflowIds.length > 1) {
    throw new ConfigError('--watch follows one upload or sync. Pass one ID, or use "longhaul top".');
  }
  await withBackend(context, {}, async (backend) => {
    const serve = queueServer(context, backend);
    if (watch) {
      const { handle, status, taskQueue } = await find(backend, workflowIds[0] as string);
      if (isOpen(status)) await serve(taskQueue);
      return watchStatus(context, handle, json ?? false);
    }
    const showOne = (workflowId: string): Promise<Shown> =>
      show(context, backend, workflowId, serve).catch((error: unknown) => {
        if (workflowIds.length === 1) throw error;
        return { lines: [], json: { workflowId, error: jsonErrorOf(error) }, error };
      });
    const all = await pMap(workflowIds, showOne, { concurrency: CONCURRENCY });
    for (const [index, shown] of all.entries()) {
      if ('error' in shown) context.note(`longhaul: ${workflowIds[index]}: ${errorText(shown.error)}`);
      if (json) context.json(shown.json);
      else shown.lines.forEach((line) => context.out(line));
    }
    if (all.some((shown) => 'error' in shown)) throw new AlreadyReported();
  });
}

async function show(
  context: CliContext,
  backend: Backend,
  workflowId: string,
  serve: (taskQueue: string) => Promise<void>,
): Promise<Shown> {
  const { handle, status, taskQueue } = await find(backend, workflowId);
  const showEnd = async (endStatus: string): Promise<Shown> => {
    const ended = await readEnd(handle, endStatus, context.signal);
    return { lines: describeEnded(ended), json: endedJson(ended) };
  };
  if (!isOpen(status)) return showEnd(status);
  await serve(taskQueue);
  try {
    const progress = await handle.status();
    return { lines: describeJob(workflowId, progress), json: { workflowId, status, progress } };
  } catch (error) {
    if (!(error instanceof NoWorkerError)) throw error;
    const { status: now } = await handle.describe();
    if (!isOpen(now)) return showEnd(now);
    context.note(`longhaul: ${error.message}`);
    return { lines: [`${workflowId}: ${status.toLowerCase()}`], json: { workflowId, status } };
  }
}

/** @throws JobNotFoundError, or ConfigError if the ID is the name of a schedule */
async function find({ client }: Backend, workflowId: string) {
  const handle = client.getHandle<JobKind>(workflowId);
  try {
    const { status, taskQueue } = await handle.describe();
    return { handle, status, taskQueue };
  } catch (error) {
    if (!(error instanceof JobNotFoundError)) throw error;
    const isSchedule = await client.schedules.get(workflowId).then(
      () => true,
      (cause: unknown) => {
        if (cause instanceof ScheduleNotFoundError || cause instanceof ConfigError) return false;
        throw error;
      },
    );
    if (!isSchedule) throw error;
    throw new ConfigError(`${workflowId} is a schedule. Use "longhaul schedule show ${workflowId}".`, { cause: error });
  }
}
