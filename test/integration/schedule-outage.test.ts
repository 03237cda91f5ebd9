import { describe, expect, it } from 'vitest';
import { acquireEmbeddedTemporal } from '../../src/dev/server/join.ts';
import { withStateDir } from '../support/state-dir.ts';
import { standIn, withSchedules } from '../support/stand-in/with-schedules.ts';
import { temporalCliForTests } from '../support/temporal-cli.ts';
import { until } from '../support/until.ts';

describe('an outage of Temporal', () => {
  it('shorter than the catchup window: missed runs start after it', () =>
    withStateDir(async (stateDir) => {
      const startServer = () => acquireEmbeddedTemporal({ stateDir, cli: temporalCliForTests, lingerMs: 0 });
      const first = await startServer();
      let name = '';
      await withSchedules(async ({ schedules }) => {
        name = 'caught-up';
        await schedules.create({ name, everyMs: 1000, overlap: 'allow-all', sync: standIn() });
        await until(async () => (await schedules.get(name)).runsStarted >= 1, 'the schedule to fire');
      }, first.address);
      await first.release();
      const awayMs = Date.now();
      await until(() => Date.now() > awayMs + 3000, 'three runs to be due during the outage');
      const backMs = Date.now();
      const second = await startServer();
      try {
        await withSchedules(async ({ schedules, name: own }) => {
          await until(
            async () => (await schedules.show(name)).runs.some(({ dueAt }) => dueAt.getTime() > backMs),
            'a run that was due after the outage',
          );
          const { runs } = await schedules.show(name);
          const late = runs.filter(({ dueAt }) => dueAt.getTime() > awayMs && dueAt.getTime() < backMs);
          expect(late.length).toBeGreaterThanOrEqual(2);
          expect(late.every(({ startedAt }) => startedAt.getTime() >= backMs)).toBe(true);
          await schedules.delete(name);
          own(name);
        }, second.address);
      } finally {
        await second.release();
      }
    }));
});
