import { LonghaulClient } from 'longhaul';
import { ScheduleBusyError, ScheduleExistsError, ScheduleNotFoundError } from 'longhaul/errors';
import type { ScheduleWork, UpdateScheduleOptions } from 'longhaul/types';
import { describe, expect, it } from 'vitest';
import { Priorities } from '../../src/contracts/limits.ts';
import { standIn, withSchedules } from '../support/stand-in/with-schedules.ts';
import { until } from '../support/until.ts';

const HOUR_MS = 3_600_000;

// Most of the time they wait for the clock, so they wait together.
describe.concurrent('a schedule', () => {
  it('does not overlap runs that take longer than its interval', () =>
    withSchedules(async ({ schedules, name, startWorker, spans }) => {
      await startWorker();
      const slow = name('slow');
      await schedules.create({ name: slow, everyMs: 1000, sync: standIn('takes-1700') });
      await until(async () => (await spans(slow)).filter(({ isRunning }) => !isRunning).length >= 3, 'three runs');
      const runs = await spans(slow);
      for (const [index, run] of runs.entries()) {
        expect(run.startMs).toBeGreaterThanOrEqual(runs[index - 1]?.endMs ?? 0);
      }
      const { runsSkipped, runsStarted } = await schedules.get(slow);
      expect(runsSkipped).toBeGreaterThanOrEqual(2);
      expect(runsStarted).toBeGreaterThanOrEqual(3);
    }));

  it('starts nothing while it is paused, and continues when it is resumed', () =>
    withSchedules(async ({ schedules, name, startWorker }) => {
      await startWorker();
      const paused = name('paused');
      const other = name('other');
      await schedules.create({ name: paused, everyMs: 1000, sync: standIn(), paused: true, note: 'not yet' });
      await schedules.create({ name: other, everyMs: 1000, sync: standIn() });
      const started = async (which: string) => (await schedules.get(which)).runsStarted;
      await until(async () => (await started(other)) >= 2, 'the other schedule to fire');
      expect(await started(paused)).toBe(0);

      expect(await schedules.resume(paused)).toMatchObject({ paused: false, note: 'not yet' });
      await until(async () => (await started(paused)) >= 2, 'the resumed schedule to fire');
      expect(await schedules.pause(paused, 'enough')).toMatchObject({ paused: true, note: 'enough' });
      const [before, otherBefore] = [await started(paused), await started(other)];
      await until(async () => (await started(other)) >= otherBefore + 3, 'the other schedule to fire');
      // One can have started before the pause took effect.
      expect(await started(paused)).toBeLessThanOrEqual(before + 1);
    }));

  it('runs immediately when it is triggered, but not in parallel with a running sync', () =>
    withSchedules(async ({ client, schedules, name, startWorker }) => {
      await startWorker();
      const daily = name('daily');
      await schedules.create({ name: daily, cron: ['0 2 * * *'], sync: standIn('takes-60000'), paused: true });
      const workflowId = (await schedules.trigger(daily)) as string;
      expect(workflowId).toMatch(new RegExp(`^longhaul-schedule-${daily}-\\d{4}-`));
      await expect(schedules.trigger(daily)).rejects.toThrow(ScheduleBusyError);
      await expect(schedules.trigger(daily)).rejects.toThrow(workflowId);
      await client.temporal.workflow.getHandle(workflowId).terminate();
      expect((await schedules.get(daily)).runsStarted).toBe(1);
    }));

  it('starts syncs with a lower priority than uploads of users, unless its request has another one', () =>
    withSchedules(async ({ client, schedules, name }) => {
      const priorityOf = async (prefix: string, work: ScheduleWork, changes: UpdateScheduleOptions = {}) => {
        const which = name(prefix);
        await schedules.create({ name: which, cron: ['0 2 * * *'], ...work });
        await schedules.update(which, { note: 'changed', ...changes });
        const workflowId = (await schedules.trigger(which)) as string;
        return (await client.temporal.workflow.getHandle(workflowId).describe()).priority?.priorityKey;
      };
      const upload = { source: { type: 'file', path: '/data/x' }, purpose: 'assistants' } as const;
      const found = await Promise.all([
        priorityOf('sync', { sync: standIn() }),
        priorityOf('changed', { sync: standIn() }, { sync: standIn('other') }),
        priorityOf('upload', { upload: { ...upload, priority: undefined } }),
        priorityOf('urgent', { upload: { ...upload, priority: Priorities.interactive } }),
      ]);
      expect(found).toEqual([Priorities.bulk, Priorities.bulk, Priorities.bulk, Priorities.interactive]);
    }));

  it('backfills exactly the requested runs, one after the other', () =>
    withSchedules(async ({ schedules, name, startWorker, spans }) => {
      await startWorker();
      const hourly = name('hourly');
      await schedules.create({ name: hourly, everyMs: HOUR_MS, sync: standIn('takes-200'), paused: true });
      const lastHour = Math.floor(Date.now() / HOUR_MS) * HOUR_MS;
      const [from, to] = [new Date(lastHour - 5 * HOUR_MS), new Date(lastHour - HOUR_MS)];
      await schedules.backfill(hourly, { from, to });
      const ended = async () => (await spans(hourly)).filter(({ isRunning }) => !isRunning);
      await until(async () => (await ended()).length === 5, 'five runs');
      const { runs, runsStarted } = await schedules.show(hourly);
      expect(runsStarted).toBe(5);
      expect(runs.map(({ outcome }) => outcome)).toEqual(Array(5).fill('succeeded'));
      const due = [1, 2, 3, 4, 5].map((hours) => lastHour - hours * HOUR_MS);
      expect(runs.map(({ dueAt }) => dueAt.getTime()).toSorted((a, b) => b - a)).toEqual(due);
      const times = await ended();
      for (const [index, run] of times.entries()) {
        expect(run.startMs).toBeGreaterThanOrEqual(times[index - 1]?.endMs ?? 0);
      }
    }));

  it('passes the result of a run to the next', () =>
    withSchedules(async ({ client, schedules, name, startWorker, spans }) => {
      await startWorker();
      const chain = name('chain');
      await schedules.create({ name: chain, everyMs: 1000, sync: standIn() });
      await until(async () => (await spans(chain)).filter(({ isRunning }) => !isRunning).length >= 3, 'three runs');
      const oldestFirst = (await schedules.show(chain)).runs.toReversed().slice(0, 3);
      const results = await Promise.all(
        oldestFirst.map(({ workflowId }) => client.temporal.workflow.getHandle(workflowId).result()),
      );
      expect(results.map(({ memory }) => memory.runs)).toEqual([1, 2, 3]);
    }));

  it('changes the given settings, and keeps the others', () =>
    withSchedules(async ({ client, schedules, name, temporalAddress }) => {
      const nightly = name('nightly');
      const created = await schedules.create({
        name: nightly,
        cron: ['0 2 * * *', '30 14 * * mon-fri'],
        timezone: 'Europe/Berlin',
        jitterMs: 60_000,
        pauseOnFailure: true,
        note: 'training data',
        endAt: new Date('2099-01-01T00:00:00Z'),
        sync: standIn('first'),
      });
      expect(created).toMatchObject({
        cron: ['0 2 * * *', '30 14 * * mon-fri'],
        timezone: 'Europe/Berlin',
        jitterMs: 60_000,
        overlap: 'skip',
        catchupWindowMs: 24 * HOUR_MS,
        pauseOnFailure: true,
        note: 'training data',
        paused: false,
        sync: standIn('first'),
        taskQueue: client.taskQueue,
      });
      const hoursOf = (dates: readonly Date[]) =>
        new Set(
          dates.map((date) =>
            new Intl.DateTimeFormat('en', { timeZone: 'Europe/Berlin', hour: 'numeric', hour12: false }).format(date),
          ),
        );
      expect(hoursOf(created.nextAt)).toEqual(new Set(['02', '14']));

      const changed = await schedules.update(nightly, { cron: ['15 5 * * *'], overlap: 'buffer-one' });
      expect(hoursOf(changed.nextAt)).toEqual(new Set(['05']));
      const { nextAt: _next, updatedAt: _updated, ...kept } = created;
      expect(changed).toMatchObject({ ...kept, cron: ['15 5 * * *'], overlap: 'buffer-one' });

      // Work that stays stays on its queue; new work goes to the queue of the client that gives it.
      const elsewhere = await LonghaulClient.connect({
        connection: { address: temporalAddress },
        taskQueue: 'elsewhere',
      });
      expect(await elsewhere.schedules.update(nightly, { note: '' })).toMatchObject({
        taskQueue: client.taskQueue,
        note: undefined,
      });
      const moved = await elsewhere.schedules.update(nightly, {
        everyMs: 6 * HOUR_MS,
        offsetMs: HOUR_MS,
        sync: standIn('second'),
      });
      await elsewhere.close();
      expect(moved).toMatchObject({
        cron: [],
        intervals: [{ everyMs: 6 * HOUR_MS, offsetMs: HOUR_MS }],
        taskQueue: 'elsewhere',
        sync: standIn('second'),
      });
      expect(moved.nextAt.every((date) => date.getUTCHours() % 6 === 1)).toBe(true);
    }));

  it('is listed only with other schedules of Longhaul, and is no longer listed after it is deleted', () =>
    withSchedules(async ({ client, schedules, name }) => {
      const kept = name('kept');
      const deleted = name('deleted');
      await schedules.create({ name: kept, everyMs: HOUR_MS, sync: standIn() });
      await schedules.create({ name: deleted, everyMs: HOUR_MS, sync: standIn() });
      const foreign = await client.temporal.schedule.create({
        scheduleId: name('foreign'),
        spec: { intervals: [{ every: HOUR_MS }] },
        action: { type: 'startWorkflow', workflowType: 'other', taskQueue: client.taskQueue },
      });
      const listed = async () => (await schedules.list()).map((schedule) => schedule.name);
      const inTemporal = async () => {
        const ids: string[] = [];
        for await (const { scheduleId } of client.temporal.schedule.list()) ids.push(scheduleId);
        return ids;
      };
      await until(
        async () => (await inTemporal()).includes(foreign.scheduleId),
        'Temporal to list the foreign schedule',
      );
      await until(
        async () => (await listed()).includes(deleted) && (await listed()).includes(kept),
        'both in the list',
      );
      expect(await listed()).not.toContain(foreign.scheduleId);
      await schedules.delete(deleted);
      expect(await listed()).toContain(kept);
      expect(await listed()).not.toContain(deleted);
      await expect(schedules.get(deleted)).rejects.toThrow(ScheduleNotFoundError);
      await expect(schedules.delete(foreign.scheduleId)).rejects.toThrow(ScheduleNotFoundError);
      await foreign.delete();
    }));

  it('is not created with invalid settings, and the error lists all of them', () =>
    withSchedules(async ({ schedules, name }) => {
      const wrong = name('wrong');
      const attempt = schedules.create({
        name: wrong,
        cron: ['0 2 * * * # night'],
        timezone: 'Mars/Olympus',
        catchupWindowMs: 1,
        sync: { ...standIn(), purpos: 'x' } as never,
      });
      await expect(attempt).rejects.toThrow(/Use the note.*Mars\/Olympus.*10s to 366d.*"purpos" is not a property/);
      await expect(schedules.create({ name: wrong, cron: ['0 25 * * *'], sync: standIn() })).rejects.toThrow(
        'Temporal rejected the schedule: Hour is not in range [0-23] (cron "0 25 * * *"). Change the value that it names.',
      );
      await expect(schedules.get(wrong)).rejects.toThrow(ScheduleNotFoundError);
      await schedules.create({ name: wrong, everyMs: HOUR_MS, sync: standIn() });
      await expect(schedules.create({ name: wrong, everyMs: HOUR_MS, sync: standIn() })).rejects.toThrow(
        ScheduleExistsError,
      );
    }));
});

describe.concurrent('the check of a schedule', () => {
  it('distinguishes a run without problems, a run with problems, a failed run and no run', () =>
    withSchedules(async ({ client, schedules, name, startWorker }) => {
      await startWorker();
      const runOnce = async (prefix: string) => {
        const which = name(prefix || 'good');
        await schedules.create({ name: which, cron: ['0 2 * * *'], sync: standIn(prefix) });
        expect(await schedules.check(which)).toMatchObject({ health: 'new', healthy: true });
        const workflowId = (await schedules.trigger(which)) as string;
        await client.temporal.workflow
          .getHandle(workflowId)
          .result()
          .catch(() => {});
        return { check: await schedules.check(which), run: (await schedules.show(which)).runs[0] };
      };
      const [good, problems, failed] = await Promise.all([runOnce(''), runOnce('problems'), runOnce('fails')]);
      expect(good.check).toMatchObject({ health: 'ok', healthy: true });
      expect(good.run).toMatchObject({
        outcome: 'succeeded',
        counts: { sent: { files: 1 } },
        endedAt: expect.any(Date),
      });
      expect(problems.check).toMatchObject({
        health: 'problems',
        healthy: false,
        reason: expect.stringMatching(/1 file failed, such as a\.jsonl: it changed/),
      });
      expect(problems.run).toMatchObject({ outcome: 'problems' });
      expect(failed.check).toMatchObject({
        health: 'failed',
        healthy: false,
        reason: expect.stringMatching(/the bucket is gone/),
      });
      expect(failed.run).toMatchObject({ outcome: 'failed', detail: 'the bucket is gone' });
    }));

  it('distinguishes two runs of the same time', () =>
    withSchedules(async ({ schedules, name, startWorker }) => {
      await startWorker();
      const twice = name('twice');
      const lastHour = Math.floor(Date.now() / HOUR_MS) * HOUR_MS;
      const span = { from: new Date(lastHour - 1000), to: new Date(lastHour) };
      const outcomes = async () => (await schedules.show(twice)).runs.map(({ outcome }) => outcome);
      await schedules.create({ name: twice, everyMs: HOUR_MS, sync: standIn('fails'), paused: true });
      await schedules.backfill(twice, span);
      await until(async () => (await outcomes())[0] === 'failed', 'the first run to fail');
      await schedules.update(twice, { sync: standIn() });
      await schedules.backfill(twice, span);
      await until(async () => (await outcomes())[0] === 'succeeded', 'the second run to succeed');
      expect(await outcomes()).toEqual(['succeeded', 'failed']);
    }));

  it('reports a run that no worker starts, as soon as the next run is due', () =>
    withSchedules(async ({ schedules, name }) => {
      const stuck = name('stuck');
      await schedules.create({ name: stuck, everyMs: 1000, sync: standIn() });
      expect((await schedules.check(stuck)).healthy).toBe(true);
      await until(
        async () => (await schedules.check(stuck, { graceMs: 1500 })).health === 'overdue',
        'the run to be overdue',
      );
      expect(await schedules.check(stuck, { graceMs: 1500 })).toMatchObject({
        reason: expect.stringMatching(/is still running.*Check that a worker is running/),
      });
      expect(await schedules.show(stuck)).toMatchObject({ hasWorkers: false });
    }));
});
