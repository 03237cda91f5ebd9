import type { CalendarSpecDescription, ScheduleDescription } from '@temporalio/client';
import { WorkflowName } from '../../contracts/names.ts';
import type { ScheduleOverlap } from '../../contracts/schedule.ts';
import type { SyncRequest } from '../../contracts/sync.ts';
import type { UploadRequest } from '../../contracts/upload.ts';
import type { ScheduleInfo, ScheduleWork } from './schedule-options.ts';
import { overlapToTemporal } from './to-temporal.ts';

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
