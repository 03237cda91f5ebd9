import type { ScheduleHealth, ScheduleRunOutcome } from '../../contracts/schedule.ts';
import { formatDuration } from '../text/format.ts';

export interface ScheduleFacts {
  readonly paused: boolean;
  /** Newest first. */
  readonly runs: readonly {
    readonly workflowId: string;
    readonly dueAtMs: number;
    readonly outcome: ScheduleRunOutcome;
    readonly detail?: string;
    /** Of a run that has not ended. */
    readonly waitsFor?: string;
  }[];
  /** The latest time, long enough ago, at which a run had to start; undefined: none since the schedule was made or changed. */
  readonly lastDueMs: number | undefined;
  readonly nowMs: number;
}

export interface ScheduleVerdict {
  readonly health: ScheduleHealth;
  /** Whether no operator action is needed. */
  readonly healthy: boolean;
  /** For a person. */
  readonly reason: string;
}

/** Decides whether a schedule is healthy: its last run succeeded, no run waits for an operator, and no due run is missing. */
export function scheduleVerdict({ paused, runs, lastDueMs, nowMs }: ScheduleFacts): ScheduleVerdict {
  const waiting = runs.find(({ waitsFor }) => waitsFor !== undefined);
  // First, because an operator can fix it now. The outcome of the last run is reported after this one closes.
  if (waiting) return bad('waiting', `${waiting.workflowId} is waiting: ${waiting.waitsFor}`);
  const running = runs.find(({ outcome }) => outcome === 'running');
  const ended = runs.find(({ outcome }) => outcome !== 'running');
  if (ended?.outcome === 'problems') return bad('problems', `${ended.workflowId}: ${ended.detail ?? 'files failed'}`);
  if (ended && ended.outcome !== 'succeeded' && ended.outcome !== 'gone') {
    return bad('failed', `${ended.workflowId} ${ended.outcome}${ended.detail ? `: ${ended.detail}` : ''}`);
  }
  if (paused) return good('paused', 'no run starts until it is resumed');
  if (lastDueMs !== undefined) {
    const late = formatDuration(nowMs - lastDueMs);
    if (running && running.dueAtMs < lastDueMs) {
      return bad(
        'overdue',
        `${running.workflowId} is still running, and the next run was due ${late} ago. Check that a worker is running.`,
      );
    }
    if (!runs.some(({ dueAtMs }) => dueAtMs >= lastDueMs)) {
      return bad(
        'overdue',
        `the run that was due ${late} ago (${new Date(lastDueMs).toISOString()}) did not start. Run "longhaul doctor".`,
      );
    }
  }
  if (running) return good('running', `${running.workflowId} is running`);
  if (!ended) return good('new', 'no run was due yet');
  return good(
    'ok',
    `${ended.workflowId} ${ended.outcome === 'gone' ? 'is no longer stored in Temporal' : 'succeeded'}`,
  );
}

function good(health: ScheduleHealth, reason: string): ScheduleVerdict {
  return { health, healthy: true, reason };
}

function bad(health: ScheduleHealth, reason: string): ScheduleVerdict {
  return { health, healthy: false, reason };
}
