import type {
  ScheduleDescriptionAction,
  ScheduleOptions,
  ScheduleOptionsStartWorkflowAction,
  ScheduleOverlapPolicy,
  ScheduleSpec,
} from '@temporalio/client';
import type { Workflow } from '@temporalio/common';
import { Defaults, Priorities } from '../../contracts/limits.ts';
import { WorkflowName } from '../../contracts/names.ts';
import type { ScheduleOverlap, ScheduleSettings } from '../../contracts/schedule.ts';
import { requestPriority } from '../../core/upload/priority.ts';
import { nameOfContainer, nameOfSource } from '../../core/source/names.ts';
import { inlineCode, summaryOf } from '../../core/text/markdown.ts';
import { ScheduleDefaults, type ScheduleWork } from './schedule-options.ts';

const ID_PREFIX = 'longhaul-schedule-';

/** Only schedules with such ids are Longhaul's; no other is listed or touched. */
export function scheduleIdOf(name: string): string {
  return `${ID_PREFIX}${name}`;
}

/** Undefined for a schedule that is not Longhaul's. */
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

/** A killed worker's workflow task would hold a run up for Temporal's default of 10 s. */
const WORKFLOW_TASK_TIMEOUT_MS = 5000;

/** The SDK sends the priority and tells it, only its type of what is given lacks it. */
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
    // Temporal adds the time at which each run is due.
    workflowId: scheduleIdOf(name),
    taskQueue,
    args: [request],
    memo: { longhaulSchedule: name, ...memo },
    workflowTaskTimeout: WORKFLOW_TASK_TIMEOUT_MS,
    // Nobody waits for it; its activities inherit that.
    priority: requestPriority({ ...settings, priority: settings?.priority ?? Priorities.bulk }),
    staticSummary: `${inlineCode(name, 50)}: ${summaryOf(from, request.purpose, request.destination ?? Defaults.destination)}`,
  };
}

/** Temporal keeps the fields of a cron expression and forgets its text, but for a comment. */
export function toTimes({
  cron,
  everyMs,
  offsetMs,
}: ScheduleSettings): Pick<ScheduleSpec, 'cronExpressions' | 'intervals'> {
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
