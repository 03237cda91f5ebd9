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
