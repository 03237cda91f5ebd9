/**
 * Policies for a run that is due while the previous run is running. `skip` skips it. `buffer-one` starts one run after the
 * previous run. `buffer-all` starts all, one after the other. `cancel-other` cancels the previous run. `allow-all` runs both.
 */
export const ScheduleOverlaps = ['skip', 'buffer-one', 'buffer-all', 'cancel-other', 'allow-all'] as const;
export type ScheduleOverlap = (typeof ScheduleOverlaps)[number];

/** Times and policies of a schedule. Set `cron`, `everyMs` or both. */
export interface ScheduleSettings {
  /**
   * Cron expressions of Temporal: minute, hour, day of month, month, day of week, and optionally year, or with seven fields
   * also seconds at the start. Also `@hourly`, `@daily`, `@weekly`, `@monthly` and `@yearly`. Day of month *and* day of week
   * must match.
   */
  readonly cron?: readonly string[];
  /** Whole seconds, counted from 1970-01-01T00:00:00Z. */
  readonly everyMs?: number;
  /** Moves the times of `everyMs`. Whole seconds, less than `everyMs`. @defaultValue 0 */
  readonly offsetMs?: number;
  /** IANA name in which cron expressions are read. @defaultValue UTC */
  readonly timezone?: string;
  /** Maximum random delay of each run, in milliseconds. @defaultValue 0 */
  readonly jitterMs?: number;
  /** Maximum age of a missed run that still starts after an outage, at least 10 s. @defaultValue 86,400,000 (24 h) */
  readonly catchupWindowMs?: number;
  /** @defaultValue `skip` */
  readonly overlap?: ScheduleOverlap;
  /** Whether to pause if a run fails. A sync in which only some files failed has not failed. @defaultValue false */
  readonly pauseOnFailure?: boolean;
  /** Time of the first possible run. @defaultValue no limit */
  readonly startAt?: Date;
  /** Time of the last possible run. @defaultValue no limit */
  readonly endAt?: Date;
  /** Note for operators. */
  readonly note?: string;
}

/** Outcome of a run of a schedule. `problems`: it completed, but files failed. */
export type ScheduleRunOutcome = 'running' | 'succeeded' | 'problems' | 'failed' | 'cancelled' | 'terminated' | 'gone';

/** Result of `check`. `new`: no run was due yet. `waiting`: a run waits for an operator. */
export type ScheduleHealth = 'ok' | 'new' | 'paused' | 'running' | 'waiting' | 'problems' | 'failed' | 'overdue';
