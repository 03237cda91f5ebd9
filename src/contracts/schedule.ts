/**
 * What happens when a run is due while the one before still runs. `skip`: nothing; `buffer-one`: one starts when that one
 * ends; `buffer-all`: all start, one after the other; `cancel-other`: that one is cancelled first; `allow-all`: both run.
 */
export const ScheduleOverlaps = ['skip', 'buffer-one', 'buffer-all', 'cancel-other', 'allow-all'] as const;
export type ScheduleOverlap = (typeof ScheduleOverlaps)[number];

/** When a schedule starts a run, and how. Give `cron`, `everyMs` or both. */
export interface ScheduleSettings {
  /**
   * Cron expressions as Temporal reads them: minute, hour, day of month, month, day of week; a year may follow, and seconds
   * may go before (seven fields then); or `@hourly`, `@daily`, `@weekly`, `@monthly`, `@yearly`. Day of month *and* day of
   * week must match.
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
  /** After an outage, runs that are late by no more than this are started; at least 10 s. @defaultValue 86,400,000 (24 h) */
  readonly catchupWindowMs?: number;
  /** @defaultValue `skip` */
  readonly overlap?: ScheduleOverlap;
  /** Pause when a run fails. A sync that brought over all but some files does not fail. @defaultValue false */
  readonly pauseOnFailure?: boolean;
  /** No run before. @defaultValue no bound */
  readonly startAt?: Date;
  /** No run after. @defaultValue no bound */
  readonly endAt?: Date;
  /** For people. */
  readonly note?: string;
}

/** How a run of a schedule ended, or that it has not. `problems`: it completed, but files failed. */
export type ScheduleRunOutcome = 'running' | 'succeeded' | 'problems' | 'failed' | 'cancelled' | 'terminated' | 'gone';

/** What `check` found. `new`: no run was due yet; `waiting`: one goes on only when a person has mended something. */
export type ScheduleHealth = 'ok' | 'new' | 'paused' | 'running' | 'waiting' | 'problems' | 'failed' | 'overdue';
