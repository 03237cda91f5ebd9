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

/** The work of each run: one of the two, as plain JSON. */
export interface ScheduleWork {
  readonly sync?: SyncRequest;
  readonly upload?: UploadRequest;
}

/**
 * A schedule to create: its name, its times (`cron` or `everyMs`), and the request of each run: `upload` or `sync`.
 *
 * @example
 * const sync = { source: { type: 'folder', path: '/data' }, purpose: 'batch' } as const;
 * await longhaul.schedules.create({ name: 'nightly', cron: ['0 2 * * *'], sync });
 */
export interface CreateScheduleOptions extends ScheduleSettings, ScheduleWork {
  /** Name of the schedule, unique in the namespace. */
  readonly name: string;
  /** Whether to create the schedule paused. @defaultValue false */
  readonly paused?: boolean;
}

/** Changes of a schedule. Omitted properties do not change. `cron` and `everyMs` replace all earlier times. */
export interface UpdateScheduleOptions extends ScheduleSettings, ScheduleWork {
  readonly paused?: boolean;
}

export interface BackfillOptions {
  /** Start of the period, inclusive. */
  readonly from: Date;
  /** End of the period, inclusive. */
  readonly to: Date;
  /** @defaultValue `buffer-all`: all runs, one after the other */
  readonly overlap?: ScheduleOverlap;
}

const namesOfUpdate: Readonly<Record<keyof UpdateScheduleOptions, true>> = {
  cron: true,
  everyMs: true,
  offsetMs: true,
  timezone: true,
  jitterMs: true,
  catchupWindowMs: true,
  overlap: true,
  pauseOnFailure: true,
  startAt: true,
  endAt: true,
  note: true,
  sync: true,
  upload: true,
  paused: true,
};
const namesOfBackfill: Readonly<Record<keyof BackfillOptions, true>> = { from: true, to: true, overlap: true };

/** Names of the options of each method. */
export const ScheduleOptionNames = {
  create: ['name', ...Object.keys(namesOfUpdate)],
  update: Object.keys(namesOfUpdate),
  backfill: Object.keys(namesOfBackfill),
} as const;

export const ScheduleDefaults = {
  catchupWindowMs: 86_400_000,
  overlap: 'skip',
  timezone: 'UTC',
  backfillOverlap: 'buffer-all',
  checkGraceMs: 600_000,
} as const;

export interface ScheduleRun {
  readonly workflowId: string;
  /** Time at which it was due, without jitter; for a triggered run, the time of the trigger. */
  readonly dueAt: Date;
  readonly startedAt: Date;
  readonly endedAt: Date | undefined;
  readonly outcome: ScheduleRunOutcome;
  /** Text with the reason of the failure, or the problems of the run. */
  readonly detail: string | undefined;
  /** Reason for which a running run waits for an operator, such as `ApiRejected 401`, if search attributes contain it. */
  readonly waitsFor: string | undefined;
  /** `counts` in the result of a completed sync. */
  readonly counts: Readonly<Record<string, unknown>> | undefined;
}

/** A schedule in Temporal. */
export interface ScheduleInfo extends ScheduleWork {
  readonly name: string;
  /** ID in Temporal. The IDs of its runs start with it. */
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
  /** Up to ten next times; for a paused schedule, those after a resume. */
  readonly nextAt: readonly Date[];
  readonly runsStarted: number;
  /** Number of runs that were skipped because the previous run was still running. */
  readonly runsSkipped: number;
  /** Number of runs that were missed because an outage of Temporal was longer than the catchup window. */
  readonly runsMissed: number;
}

export interface ScheduleReport extends ScheduleInfo {
  /** The last ten runs, newest first. */
  readonly runs: readonly ScheduleRun[];
  /** Whether a worker polls the task queue. */
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
  // Loaded here, so that commands that create no schedule do not load the schemas.
  const { scheduleSettingsProblems, syncRequestProblems, uploadRequestProblems } =
    await import('../../contracts/requests/problems.ts');
  const { sync, upload } = options;
  const problems = isScheduleName(name) ? [] : [`its name ${SCHEDULE_NAME_RULE}`];
  problems.push(...scheduleSettingsProblems(options, isWhole));
  if (sync && upload) problems.push('set either "sync" or "upload"');
  if (isWhole && !sync && !upload) problems.push('"sync" or "upload" is missing');
  if (sync) problems.push(...syncRequestProblems(sync).map((problem) => `sync: ${problem}`));
  if (upload) problems.push(...uploadRequestProblems(upload).map((problem) => `upload: ${problem}`));
  if (problems.length > 0) throw new ConfigError(`invalid schedule: ${problems.join('; ')}`);
}
