import type {
  ScheduleDescriptionAction,
  ScheduleOptions,
  ScheduleOptionsStartWorkflowAction,
  ScheduleOverlapPolicy,
  ScheduleSpec,
  ScheduleDescription,
  ScheduleUpdateOptions,
  CalendarSpecDescription,
} from '@temporalio/client';
import type { Workflow } from '@temporalio/common';
import { Defaults, Priorities } from '../../contracts/limits.ts';
import { WorkflowName } from '../../contracts/names.ts';
import type { ScheduleOverlap, ScheduleSettings } from '../../contracts/schedule.ts';
import type { SyncRequest } from '../../contracts/sync.ts';
import type { UploadRequest } from '../../contracts/upload.ts';
import { nameOfContainer, nameOfSource } from '../../core/source/names.ts';
import { inlineCode, summaryOf } from '../../core/text/markdown.ts';
import { withoutUndefined } from '../../core/objects.ts';
import { requestPriority } from '../../core/upload/priority.ts';
import { ConfigError } from '../../errors.ts';
import {
  ScheduleDefaults,
  type ScheduleWork,
  type UpdateScheduleOptions,
  type ScheduleInfo,
} from './schedule-options.ts';

const ID_PREFIX = 'longhaul-schedule-';

/** Prefix of the IDs of Longhaul's schedules. Other schedules are not listed or changed. */
export function scheduleIdOf(name: string): string {
  return `${ID_PREFIX}${name}`;
}

/** Returns the name of a schedule; undefined for a schedule that is not Longhaul's. */
export function scheduleNameOf(scheduleId: string): string | undefined {
  return scheduleId.startsWith(ID_PREFIX) ? scheduleId.slice(ID_PREFIX.length) : undefined;
}

export const overlapToTemporal = {
  skip: 'SKIP',
  'buffer-one': 'BUFFER_ONE',
  'buffer-all': 'BUFFER_ALL',
  'cancel-other': 'CANCEL_OTHER',
  'allow-all': 'ALLOW_ALL',
} as const satisfies Record<ScheduleOverlap, ScheduleOverlapPolicy>;

/** With Temporal's default of 10 s, the workflow task of a killed worker would delay a run for that time. */
const WORKFLOW_TASK_TIMEOUT_MS = 5000;

/** Adds the priority to the type, because the SDK supports it but its type does not contain it. */
type Action = ScheduleOptionsStartWorkflowAction<Workflow> & Pick<ScheduleDescriptionAction, 'priority'>;

export function toAction(
  name: string,
  { sync, upload }: ScheduleWork,
  taskQueue: string,
  memo: Action['memo'] = {},
): Action {
  const request = (sync ?? upload) as NonNullable<typeof sync | typeof upload>;
  const settings = sync ? sync.upload : upload;
  const from = sync ? nameOfContainer(sync.source) : (upload?.filename ?? (upload ? nameOfSource(upload.source) : ''));
  return {
    type: 'startWorkflow',
    workflowType: sync ? WorkflowName.syncSource : WorkflowName.uploadFile,
    // Temporal appends the time at which each run is due.
    workflowId: scheduleIdOf(name),
    taskQueue,
    args: [request],
    memo: { longhaulSchedule: name, ...memo },
    workflowTaskTimeout: WORKFLOW_TASK_TIMEOUT_MS,
    // Low, because no user waits for the run. Its activities inherit the priority.
    priority: requestPriority({ ...settings, priority: settings?.priority ?? Priorities.bulk }),
    staticSummary: `${inlineCode(name, 50)}: ${summaryOf(from, request.purpose, request.destination ?? Defaults.destination)}`,
  };
}

/** Adds the expression as a comment, because Temporal stores only its fields and the comment. */
function toTimes({ cron, everyMs, offsetMs }: ScheduleSettings): Pick<ScheduleSpec, 'cronExpressions' | 'intervals'> {
  return {
    cronExpressions: (cron ?? []).map((expression) => `${expression.trim()} #${expression.trim()}`),
    intervals: everyMs === undefined ? [] : [{ every: everyMs, offset: offsetMs ?? 0 }],
  };
}

export function toSpec(settings: ScheduleSettings): ScheduleSpec {
  const { timezone = ScheduleDefaults.timezone, jitterMs = 0, startAt, endAt } = settings;
  return {
    ...toTimes(settings),
    timezone,
    jitter: jitterMs,
    startAt,
    endAt,
  };
}

export function toPolicies(settings: ScheduleSettings): NonNullable<ScheduleOptions['policies']> {
  const { overlap = ScheduleDefaults.overlap, catchupWindowMs = ScheduleDefaults.catchupWindowMs } = settings;
  return {
    overlap: overlapToTemporal[overlap],
    catchupWindow: catchupWindowMs,
    pauseOnFailure: settings.pauseOnFailure ?? false,
  };
}

/**
 * Returns the schedule with the changes. New work runs on `taskQueue`. Unchanged work keeps its task queue.
 *
 * @throws ConfigError if the end is before the start
 */
export function updatedSchedule(
  name: string,
  { spec, policies, action, state }: ScheduleDescription,
  changes: UpdateScheduleOptions,
  taskQueue: string,
  memo: Readonly<Record<string, unknown>> = {},
): ScheduleUpdateOptions<ScheduleOptionsStartWorkflowAction<Workflow>> {
  const { cron, everyMs, timezone, jitterMs, startAt, endAt, overlap, catchupWindowMs, pauseOnFailure } = changes;
  const newTimes = cron !== undefined || everyMs !== undefined;
  const start = startAt ?? spec.startAt;
  const end = endAt ?? spec.endAt;
  if (start && end && start >= end) throw new ConfigError('invalid schedule: the end must be later than the start');
  return {
    action: changes.sync || changes.upload ? toAction(name, changes, taskQueue, memo) : action,
    spec: {
      ...spec,
      ...(newTimes ? { calendars: [], ...toTimes(changes) } : {}),
      ...withoutUndefined({ timezone, jitter: jitterMs, startAt: start, endAt: end }),
    },
    policies: {
      ...policies,
      ...withoutUndefined({
        overlap: overlap && overlapToTemporal[overlap],
        catchupWindow: catchupWindowMs,
        pauseOnFailure,
      }),
    },
    state: { ...state, ...withoutUndefined({ paused: changes.paused, note: changes.note }) },
  };
}

export async function toScheduleInfo(name: string, description: ScheduleDescription): Promise<ScheduleInfo> {
  const { scheduleId, spec, action, policies, state, info } = description;
  return {
    name,
    scheduleId,
    taskQueue: action.taskQueue,
    ...(await workOf(action)),
    cron: (spec.calendars ?? []).map(({ comment }: CalendarSpecDescription) => comment || 'set by another program'),
    intervals: (spec.intervals ?? []).map(({ every, offset }) => ({ everyMs: every, offsetMs: offset ?? 0 })),
    timezone: spec.timezone || 'UTC',
    jitterMs: spec.jitter ?? 0,
    catchupWindowMs: policies.catchupWindow,
    overlap: overlapOf(policies.overlap),
    pauseOnFailure: policies.pauseOnFailure,
    startAt: spec.startAt,
    endAt: spec.endAt,
    note: state.note || undefined,
    paused: state.paused,
    createdAt: info.createdAt,
    updatedAt: info.lastUpdatedAt,
    nextAt: info.nextActionTimes,
    runsStarted: info.numActionsTaken,
    runsSkipped: info.numActionsSkippedOverlap,
    runsMissed: info.numActionsMissedCatchupWindow,
  };
}

async function workOf({ workflowType, args }: ScheduleDescription['action']): Promise<ScheduleWork> {
  const { syncRequestProblems, uploadRequestProblems } = await import('../../contracts/requests/problems.ts');
  // Another program, or a user of Temporal UI, can have written a request with which no run can start.
  const [request] = Array.isArray(args) ? (args as unknown[]) : [];
  if (workflowType === WorkflowName.syncSource && syncRequestProblems(request).length === 0)
    return { sync: request as SyncRequest };
  if (workflowType === WorkflowName.uploadFile && uploadRequestProblems(request).length === 0)
    return { upload: request as UploadRequest };
  return {};
}

/** Temporal UI offers a policy that Longhaul does not: it terminates runs. */
function overlapOf(policy: string | undefined): ScheduleOverlap {
  const found = Object.entries(overlapToTemporal).find(([, theirs]) => theirs === policy);
  return (found?.[0] as ScheduleOverlap | undefined) ?? 'cancel-other';
}
