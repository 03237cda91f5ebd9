import type {
  ScheduleDescription,
  ScheduleOptionsStartWorkflowAction,
  ScheduleUpdateOptions,
} from '@temporalio/client';
import type { Workflow } from '@temporalio/common';
import { ConfigError } from '../../errors.ts';
import type { UpdateScheduleOptions } from './schedule-options.ts';
import { overlapToTemporal, toAction, toTimes } from './to-temporal.ts';

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
      ...(timezone === undefined ? {} : { timezone }),
      ...(jitterMs === undefined ? {} : { jitter: jitterMs }),
      ...(start ? { startAt: start } : {}),
      ...(end ? { endAt: end } : {}),
    },
    policies: {
      ...policies,
      ...(overlap === undefined ? {} : { overlap: overlapToTemporal[overlap] }),
      ...(catchupWindowMs === undefined ? {} : { catchupWindow: catchupWindowMs }),
      ...(pauseOnFailure === undefined ? {} : { pauseOnFailure }),
    },
    state: {
      ...state,
      ...(changes.paused === undefined ? {} : { paused: changes.paused }),
      ...(changes.note === undefined ? {} : { note: changes.note }),
    },
  };
}
