import {
  WorkflowNotFoundError,
  type Client,
  type ScheduleDescription,
  WorkflowFailedError,
  type WorkflowExecutionInfo,
} from '@temporalio/client';
import { msToTs, tsToMs } from '@temporalio/common/lib/time.js';
import type { ScheduleRunOutcome } from '../../contracts/schedule.ts';
import { SearchAttributes } from '../../contracts/search-attributes.ts';
import { isPlainObject } from '../../core/payload.ts';
import { queryText } from '../../core/show/attributes.ts';
import { clipMessage } from '../../core/text/clip.ts';
import { formatCount } from '../../core/text/format.ts';
import { listWorkflows } from '../lists/list-uploads.ts';
import type { ScheduleRun } from './schedule-options.ts';
import { isOpen } from '../../temporal/workflow-status.ts';

const ended: Readonly<Record<string, ScheduleRunOutcome>> = {
  COMPLETED: 'succeeded',
  CANCELLED: 'cancelled',
  TERMINATED: 'terminated',
};

type Started = ScheduleDescription['info']['recentActions'][number]['action']['workflow'];

/** Returns the runs that Temporal stores for a schedule, newest first, each with its outcome. */
export async function recentRuns(client: Client, { info }: ScheduleDescription): Promise<ScheduleRun[]> {
  const runs = await Promise.all(
    info.recentActions.map(({ scheduledAt, takenAt, action }) =>
      describeRun(client, action.workflow, scheduledAt, takenAt),
    ),
  );
  return runs.toSorted((a, b) => b.startedAt.getTime() - a.startedAt.getTime());
}

async function describeRun(
  client: Client,
  { workflowId, firstExecutionRunId }: Started,
  dueAt: Date,
  startedAt: Date,
): Promise<ScheduleRun> {
  // A second backfill of the same time has the same workflow ID; only the run IDs differ.
  const first = client.workflow.getHandle(workflowId, firstExecutionRunId);
  const unknown = { endedAt: undefined, detail: undefined, counts: undefined, waitsFor: undefined };
  const run = { workflowId, dueAt, startedAt, ...unknown };
  try {
    const told = await first.describe();
    // A run that continues as new has other run IDs.
    const handle = told.status.name === 'CONTINUED_AS_NEW' ? client.workflow.getHandle(workflowId) : first;
    const latest = handle === first ? told : await handle.describe();
    const { status, closeTime: endedAt } = latest;
    const outcome = isOpen(status.name) ? 'running' : (ended[status.name] ?? 'failed');
    if (outcome === 'running') return { ...run, outcome, waitsFor: await waitOfRun(client, latest) };
    if (outcome !== 'succeeded') return { ...run, endedAt, outcome, detail: await whyItFailed(handle) };
    return { ...run, endedAt, ...outcomeOfResult(await handle.result()) };
  } catch (error) {
    // Temporal keeps closed workflows only for the retention period of the namespace.
    if (error instanceof WorkflowNotFoundError) return { ...run, outcome: 'gone' };
    throw error;
  }
}

async function whyItFailed(handle: { result: () => Promise<unknown> }): Promise<string | undefined> {
  try {
    await handle.result();
    return undefined;
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    return clipMessage(error.cause?.message ?? error.message);
  }
}

/** A sync completes even if files failed, because only a completed run passes its memory on to the next. */
export function outcomeOfResult(result: unknown): Pick<ScheduleRun, 'outcome' | 'detail' | 'counts'> {
  // Another program can have started the run.
  const { counts: told, problems } = isPlainObject(result) ? result : {};
  const counts = isPlainObject(told) ? told : undefined;
  const named = Array.isArray(problems) ? (problems as unknown[]).filter(isPlainObject) : [];
  const failed = Math.max(isCount(counts?.['failed']) ? counts['failed'] : 0, named.length);
  if (failed === 0) return { outcome: 'succeeded', detail: undefined, counts };
  const [first] = named;
  const example = first ? `, such as ${textOf(first['path'])}: ${textOf(first['message'])}` : '';
  return { outcome: 'problems', detail: clipMessage(`${formatCount(failed, 'file')} failed${example}`), counts };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : 'unknown';
}

export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

type Run = Pick<WorkflowExecutionInfo, 'workflowId' | 'typedSearchAttributes'>;

/**
 * Returns the reason for which a running run, or one of its uploads, waits; undefined if it does not wait or search
 * attributes are missing.
 *
 * @throws TemporalUnreachableError
 */
async function waitOfRun(
  client: Client,
  { workflowId, typedSearchAttributes: attributes }: Run,
): Promise<string | undefined> {
  const state = attributes.get(SearchAttributes.state);
  // If the namespace does not have the attributes, Temporal rejects the query.
  if (state === undefined) return undefined;
  if (state === 'waiting') return attributes.get(SearchAttributes.reason) ?? 'an operator';
  const conditions = [
    `ParentWorkflowId = ${queryText(workflowId)}`,
    'ExecutionStatus = "Running"',
    `${SearchAttributes.state.name} = "waiting"`,
  ];
  for await (const upload of listWorkflows(client, conditions.join(' AND '))) {
    return `${upload.reason ?? 'an operator'} (upload ${upload.workflowId})`;
  }
  return undefined;
}

/** Periods in which times are searched, step by step, because the server returns only the first thousand of a period. */
const SPANS_MS = [60_000, 3_600_000, 86_400_000, 40 * 86_400_000, 400 * 86_400_000] as const;

/**
 * Returns the latest time up to `untilMs` at which a run was due (without jitter), but not before the schedule's last
 * change; undefined if none was due.
 *
 * @throws ServiceError of Temporal's client
 */
export async function lastDue(
  client: Client,
  { scheduleId, info }: ScheduleDescription,
  untilMs: number,
): Promise<number | undefined> {
  const sinceMs = (info.lastUpdatedAt ?? info.createdAt).getTime();
  for (const spanMs of SPANS_MS) {
    const fromMs = Math.max(sinceMs, untilMs - spanMs);
    if (fromMs >= untilMs) return undefined;
    const { startTime } = await client.workflowService.listScheduleMatchingTimes({
      namespace: client.options.namespace,
      scheduleId,
      startTime: msToTs(fromMs),
      endTime: msToTs(untilMs),
    });
    const found = startTime.at(-1);
    if (found) return tsToMs(found);
    if (fromMs === sinceMs) return undefined;
  }
  return undefined;
}
