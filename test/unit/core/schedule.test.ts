import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ScheduleRunOutcome, ScheduleSettings } from '../../../src/contracts/schedule.ts';
import { parseDuration } from '../../../src/core/text/parse.ts';
import { scheduleSettingsProblems } from '../../../src/contracts/requests/problems.ts';
import { isScheduleName } from '../../../src/core/schedule/settings.ts';
import { scheduleVerdict } from '../../../src/core/schedule/verdict.ts';

const HOUR_MS = 3_600_000;

describe('parseDuration', () => {
  it.each([
    ['90s', 90_000],
    ['15m', 900_000],
    ['6h', 6 * HOUR_MS],
    ['1d', 24 * HOUR_MS],
    ['1h30m', 1.5 * HOUR_MS],
    ['1d2h3m4s5ms', 93_784_005],
    ['250ms', 250],
    [' 0s ', 0],
  ])('reads %j as %d ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it.each(['', ' ', '5', 's', '-1h', '1.5h', '30m1h', '1h 30m', '1H', '1w', '1h1h', `${'9'.repeat(20)}d`])(
    'rejects %j',
    (text) => {
      expect(parseDuration(text)).toBeUndefined();
    },
  );

  it('returns milliseconds or undefined for any text', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const ms = parseDuration(text);
        return ms === undefined || (Number.isSafeInteger(ms) && ms >= 0);
      }),
    );
  });
});

describe('scheduleSettingsProblems', () => {
  it.each<[string, ScheduleSettings]>([
    ['a cron expression', { cron: ['0 2 * * *'], timezone: 'Europe/Berlin' }],
    ['an interval with an offset', { everyMs: 6 * HOUR_MS, offsetMs: HOUR_MS }],
    [
      'everything',
      {
        cron: ['@daily'],
        everyMs: 1000,
        timezone: 'UTC',
        jitterMs: 5,
        catchupWindowMs: 10_000,
        overlap: 'buffer-one',
        pauseOnFailure: true,
        startAt: new Date(0),
        endAt: new Date(1),
        note: 'x',
      },
    ],
  ])('accepts %s', (_, settings) => {
    expect(scheduleSettingsProblems(settings, true)).toEqual([]);
  });

  it.each<[ScheduleSettings, RegExp]>([
    [{ everyMs: 500 }, /whole seconds, from 1s to 366d/],
    [{ everyMs: 1500 }, /whole seconds/],
    [{ offsetMs: 1000 }, /requires an interval/],
    [{ everyMs: 1000, offsetMs: 1000 }, /less than the interval/],
    [{ everyMs: 2000, offsetMs: 1 }, /whole seconds/],
    [{ timezone: 'Mars/X' }, /unknown time zone "Mars\/X"/],
    [{ timezone: '+02:00' }, /unknown time zone/],
    [{ jitterMs: -1 }, /jitter/],
    [{ catchupWindowMs: 9999 }, /10s to 366d/],
    [{ overlap: 'both' as never }, /unknown overlap policy "both"\. Use skip/],
    [{ startAt: new Date('x') }, /the start must be a time/],
    [{ endAt: new Date('x') }, /the end must be a time/],
    [{ startAt: new Date(1), endAt: new Date(1) }, /later than the start/],
    [{ cron: ['0 2 * * * # night'] }, /cron "0 2 \* \* \* # night": comments .* Use the note/],
  ])('reports the problem of %j', (settings, words) => {
    const problems = scheduleSettingsProblems(settings, false);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(words);
  });

  it('requires a time specification only in a new schedule', () => {
    expect(scheduleSettingsProblems({ cron: [] }, true)).toEqual([
      'a cron expression or an interval is required: set "cron" or "everyMs"',
    ]);
    expect(scheduleSettingsProblems({}, false)).toEqual([]);
  });

  it('accepts names that an ID can contain', () => {
    expect(['nightly', 'a', '2026.train_v-1', 'x'.repeat(64)].every(isScheduleName)).toBe(true);
    expect(['', '-a', '.a', 'a b', 'a/b', 'ä', 'x'.repeat(65), 5].some(isScheduleName)).toBe(false);
  });
});

describe('scheduleVerdict', () => {
  const nowMs = 100 * HOUR_MS;
  const run = (outcome: ScheduleRunOutcome, dueAtMs = 99 * HOUR_MS, detail?: string) => ({
    workflowId: `run-${outcome}`,
    dueAtMs,
    outcome,
    detail,
  });
  const verdict = (runs: ReturnType<typeof run>[], changes: { paused?: boolean; lastDueMs?: number } = {}) =>
    scheduleVerdict({ paused: false, lastDueMs: undefined, runs, nowMs, ...changes });

  it('accepts a successful last run, a first run that is not due, a current run and a pause', () => {
    expect(verdict([run('succeeded')], { lastDueMs: 99 * HOUR_MS })).toEqual({
      health: 'ok',
      healthy: true,
      reason: 'run-succeeded succeeded',
    });
    expect(verdict([])).toMatchObject({ health: 'new', healthy: true });
    expect(verdict([run('running'), run('succeeded', 0)], { lastDueMs: 99 * HOUR_MS })).toMatchObject({
      health: 'running',
      healthy: true,
    });
    expect(verdict([], { paused: true, lastDueMs: 1 })).toMatchObject({ health: 'paused', healthy: true });
    expect(verdict([run('gone')])).toMatchObject({
      health: 'ok',
      healthy: true,
      reason: expect.stringMatching(/no longer stored/),
    });
  });

  it.each(['failed', 'cancelled', 'terminated'] as const)(
    'reports that the last run %s, also while it is paused',
    (outcome) => {
      expect(verdict([run(outcome), run('succeeded')])).toMatchObject({
        health: 'failed',
        healthy: false,
        reason: `run-${outcome} ${outcome}`,
      });
      expect(verdict([run(outcome, 0, 'no key')], { paused: true })).toMatchObject({
        reason: `run-${outcome} ${outcome}: no key`,
      });
    },
  );

  it('reports a run that waits for an operator, also while it is paused', () => {
    const waiting = { ...run('running'), waitsFor: 'ApiRejected 401' };
    const told = {
      health: 'waiting',
      healthy: false,
      reason: 'run-running is waiting: ApiRejected 401',
    };
    expect(verdict([waiting, run('succeeded')])).toEqual(told);
    expect(verdict([waiting, run('failed')], { lastDueMs: 99.5 * HOUR_MS })).toEqual(told);
    expect(verdict([run('running'), waiting], { paused: true })).toEqual(told);
  });

  it('ignores the current run, and checks the last closed run', () => {
    expect(verdict([run('running'), run('problems', 0, '2 files failed')])).toMatchObject({
      health: 'problems',
      healthy: false,
      reason: 'run-problems: 2 files failed',
    });
    expect(verdict([run('succeeded'), run('failed', 0)])).toMatchObject({ health: 'ok' });
    expect(verdict([run('problems')])).toMatchObject({ reason: 'run-problems: files failed' });
  });

  it('reports a run that did not start, and a run that is longer than its interval', () => {
    expect(verdict([run('succeeded', 50 * HOUR_MS)], { lastDueMs: 98 * HOUR_MS })).toMatchObject({
      health: 'overdue',
      healthy: false,
      reason: expect.stringMatching(/due 2 h ago .*did not start/),
    });
    expect(verdict([], { lastDueMs: 98 * HOUR_MS })).toMatchObject({ health: 'overdue' });
    expect(verdict([run('running', 97 * HOUR_MS)], { lastDueMs: 98 * HOUR_MS })).toMatchObject({
      health: 'overdue',
      reason: expect.stringMatching(/run-running is still running/),
    });
  });
});
