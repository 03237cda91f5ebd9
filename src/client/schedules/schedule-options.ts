import type {
  ScheduleHealth,
  ScheduleOverlap,
  ScheduleRunOutcome,
  ScheduleSettings,
} from '../../contracts/schedule.ts';
import type { SyncRequest } from '../../contracts/sync.ts';
import type { UploadRequest } from '../../contracts/upload.ts';
import { isScheduleName, SCHEDULE_NAME_RULE } from '../../core/schedule/settings.ts';
import { ConfigError } from '../../errors.ts';

/** What each run does: one of the two, as plain JSON. */
export interface ScheduleWork {
  readonly sync?: SyncRequest;
  readonly upload?: UploadRequest;
}

export interface CreateScheduleOptions extends ScheduleSettings, ScheduleWork {
  readonly name: string;
  /** Nothing runs until it is resumed. @defaultValue false */
  readonly paused?: boolean;
}

/** What is left out stays. `cron` and `everyMs` replace all times that there were. */
export interface UpdateScheduleOptions extends ScheduleSettings, ScheduleWork {
  readonly paused?: boolean;
}

export interface BackfillOptions {
  /** Runs that were due from here on are started now … */
  readonly from: Date;
  /** … to here, both included. */
  readonly to: Date;
  /** @defaultValue `buffer-all`: all of them, one after the other */
  readonly overlap?: ScheduleOverlap;
}

export const ScheduleDefaults = {
  catchupWindowMs: 86_400_000,
  overlap: 'skip',
  timezone: 'UTC',
  backfillOverlap: 'buffer-all',
  checkGraceMs: 600_000,
} as const;

export interface ScheduleRun {
  readonly workflowId: string;
  /** When it was due, without jitter; of a triggered run: when it was triggered. */
  readonly dueAt: Date;
  readonly startedAt: Date;
  readonly endedAt: Date | undefined;
  readonly outcome: ScheduleRunOutcome;
  /** For a person: why it failed, or what went wrong in it. */
  readonly detail: string | undefined;
  /** Why a run that has not ended waits for a person, such as `ApiRejected 401`, as far as search attributes tell. */
  readonly waitsFor: string | undefined;
  /** Of a run that completed: `counts` of a sync's result. */
  readonly counts: Readonly<Record<string, unknown>> | undefined;
}

/** A schedule as Temporal has it. */
export interface ScheduleInfo extends ScheduleWork {
  readonly name: string;
  /** Id in Temporal; the ids of its runs begin with it. */
  readonly scheduleId: string;
  readonly taskQueue: string;
  readonly cron: readonly string[];
  readonly intervals: readonly { readonly everyMs: number; readonly offsetMs: number }[];
  readonly timezone: string;
  readonly jitterMs: number;
  readonly catchupWindowMs: number;
  readonly overlap: ScheduleOverlap;
  readonly pauseOnFailure: boolean;
  readonly startAt: Date | undefined;
  readonly endAt: Date | undefined;
  readonly note: string | undefined;
  readonly paused: boolean;
  readonly createdAt: Date;
  readonly updatedAt: Date | undefined;
  /** Up to ten; of a paused schedule: those it would have. */
  readonly nextAt: readonly Date[];
  readonly runsStarted: number;
  /** Runs that were left out because the one before still ran. */
  readonly runsSkipped: number;
  /** Runs that were left out because Temporal was away for longer than the catch-up window. */
  readonly runsMissed: number;
}

export interface ScheduleReport extends ScheduleInfo {
  /** The last ten, newest first. */
  readonly runs: readonly ScheduleRun[];
  /** Whether a worker polled the task queue lately. */
  readonly hasWorkers: boolean;
}

export interface ScheduleCheck {
  readonly name: string;
  readonly health: ScheduleHealth;
  readonly healthy: boolean;
  readonly reason: string;
}

/** @throws ConfigError with every problem */
export async function assertSchedule(
  name: string,
  options: ScheduleSettings & ScheduleWork,
  isWhole: boolean,
): Promise<void> {
  const problems = await scheduleProblems(name, options, isWhole);
  if (problems.length > 0) throw new ConfigError(`wrong schedule: ${problems.join('; ')}`);
}

async function scheduleProblems(
  name: string,
  options: ScheduleSettings & ScheduleWork,
  isWhole: boolean,
): Promise<string[]> {
  // Commands that create nothing load no schemas.
  const { scheduleSettingsProblems, syncRequestProblems, uploadRequestProblems } =
    await import('../../contracts/requests/problems.ts');
  const { sync, upload } = options;
  const problems = isScheduleName(name) ? [] : [`its name ${SCHEDULE_NAME_RULE}`];
  problems.push(...scheduleSettingsProblems(options, isWhole));
  if (sync && upload) problems.push('give either "sync" or "upload"');
  if (isWhole && !sync && !upload) problems.push('it does nothing: give "sync" or "upload"');
  if (sync) problems.push(...syncRequestProblems(sync).map((problem) => `sync: ${problem}`));
  if (upload) problems.push(...uploadRequestProblems(upload).map((problem) => `upload: ${problem}`));
  return problems;
}
