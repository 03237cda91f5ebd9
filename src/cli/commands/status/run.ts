import pMap from 'p-map';
import type { JobHandle } from '../../../client/job-handle.ts';
import { NoWorkerError, JobNotFoundError } from '../../../client/errors.ts';
import type { JobKind } from '../../../contracts/upload.ts';
import { ConfigError } from '../../../errors.ts';
import { ScheduleNotFoundError } from '../../../client/schedules/schedule-errors.ts';
import { queueServer, withBackend, type Backend } from '../../backend.ts';
import type { CliContext } from '../../context.ts';
import { readEnd } from '../../../client/follow/read-end.ts';
import { describeEnded, endedJson, describePieces, describeStatus } from './view.ts';
import { errorText, AlreadyReported, jsonErrorOf } from '../../errors.ts';
import { watchStatus } from './watch.ts';

const CONCURRENCY = 8;

/** Output for one ID. */
interface Shown {
  readonly lines: readonly string[];
  readonly json: object;
}

/**
 * Prints the state of uploads and syncs, in the order of their IDs. An ID that fails does not prevent the output of the
 * others.
 */
export async function statusCommand(
  context: CliContext,
  workflowIds: readonly string[],
  options: { json?: boolean; watch?: boolean },
): Promise<void> {
  const { note, out, json } = context;
  if (options.watch && workflowIds.length > 1) {
    throw new ConfigError('--watch follows one upload or sync. Pass one ID, or use "longhaul top".');
  }
  await withBackend(context, {}, async (backend) => {
    const serve = queueServer(context, backend);
    const [only] = workflowIds;
    if (options.watch) {
      const { handle, status, taskQueue } = await find(backend, only as string);
      if (status === 'RUNNING') await serve(taskQueue);
      return watchStatus(context, handle, options.json ?? false);
    }
    const showOne = async (workflowId: string): Promise<Shown | { readonly error: unknown }> =>
      show(context, backend, workflowId, serve).catch((error: unknown) => ({ error }));
    const all = await pMap(workflowIds, showOne, { concurrency: CONCURRENCY });
    for (const [index, shown] of all.entries()) {
      if (!('error' in shown)) {
        if (options.json) json(shown.json);
        else shown.lines.forEach(out);
      } else if (all.length === 1) throw shown.error;
      else {
        const workflowId = workflowIds[index];
        note(`longhaul: ${workflowId}: ${errorText(shown.error)}`);
        if (options.json) json({ workflowId, error: jsonErrorOf(shown.error) });
      }
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
  if (status !== 'RUNNING') return showEnd(status);
  await serve(taskQueue);
  try {
    const progress = await handle.status();
    const pieces = progress.kind === 'split' ? describePieces(progress.pieces) : [];
    return { lines: [describeStatus(workflowId, progress), ...pieces], json: { workflowId, status, progress } };
  } catch (error) {
    if (!(error instanceof NoWorkerError)) throw error;
    const { status: now } = await handle.describe();
    if (now !== 'RUNNING') return showEnd(now);
    context.note(`longhaul: ${error.message}`);
    return { lines: [`${workflowId}: ${status.toLowerCase()}`], json: { workflowId, status } };
  }
}

interface Found {
  readonly handle: JobHandle;
  readonly status: string;
  readonly taskQueue: string;
}

/** @throws JobNotFoundError, or ConfigError if the ID is the name of a schedule */
async function find(backend: Backend, workflowId: string): Promise<Found> {
  const { client } = backend;
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
