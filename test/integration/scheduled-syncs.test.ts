import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ScheduleSettings } from 'longhaul/types';
import { expect, it } from 'vitest';
import { filesAt, manyFiles } from '../support/sync-folder.ts';
import { withSystem, type System } from '../support/system.ts';
import { until } from '../support/until.ts';
import { writeFiles } from '../support/temp-dir.ts';

const FILES = 5;
const EVERY_MS = 1000;
/** Of each answer; the shortest sync asks once. */
const LATENCY_MS = 1300;

interface Run {
  readonly startMs: number;
  readonly endMs: number;
}

/** The runs of a schedule that have ended, as Temporal lists them, in the order of their start. */
async function runsOf({ client }: System, name: string): Promise<Run[]> {
  const runs: Run[] = [];
  const query = `WorkflowId STARTS_WITH "longhaul-schedule-${name}-"`;
  for await (const { startTime, closeTime } of client.temporal.workflow.list({ query })) {
    if (closeTime) runs.push({ startMs: startTime.getTime(), endMs: closeTime.getTime() });
  }
  return runs.toSorted((a, b) => a.startMs - b.startMs);
}

function expectNoOverlap(runs: readonly Run[]): void {
  for (const [index, { startMs }] of runs.entries()) {
    expect(startMs).toBeGreaterThanOrEqual(runs[index - 1]?.endMs ?? 0);
  }
}

it('syncs longer than their interval do not overlap, paused ones do not start, and a backfill runs those', () =>
  withSystem(async (system) => {
    const { client, api, directory, taskQueue } = system;
    const { schedules } = client;
    const create = async (name: string, prefix: string, settings: ScheduleSettings & { readonly paused?: boolean }) => {
      const path = join(directory, prefix);
      await mkdir(path);
      await writeFiles(path, manyFiles(FILES));
      const source = { type: 'folder', path, host: client.host } as const;
      return schedules.create({ name, ...settings, sync: { source, purpose: 'assistants', prefix } });
    };
    const [slow, paused] = [`slow-${taskQueue}`, `paused-${taskQueue}`];
    await system.startWorker();
    api.configure({ latencyMs: LATENCY_MS });
    try {
      const firstDueMs = Math.ceil(Date.now() / EVERY_MS) * EVERY_MS;
      await create(paused, 'paused', { everyMs: EVERY_MS, paused: true });
      await create(slow, 'slow', { everyMs: EVERY_MS });
      await until(async () => (await runsOf(system, slow)).length >= 3, 'three runs');
      await schedules.pause(slow);
      const runs = await runsOf(system, slow);
      expectNoOverlap(runs);
      for (const { startMs, endMs } of runs) expect(endMs - startMs).toBeGreaterThan(EVERY_MS);
      expect((await schedules.get(slow)).runsSkipped).toBeGreaterThanOrEqual(2);

      expect(await schedules.get(paused)).toMatchObject({ paused: true, runsStarted: 0 });
      expect(await runsOf(system, paused)).toEqual([]);
      api.configure({ latencyMs: 0 });
      const due = [0, 1, 2].map((count) => firstDueMs + count * EVERY_MS);
      await schedules.backfill(paused, { from: new Date(due[0] as number), to: new Date(due[2] as number) });
      await until(async () => (await runsOf(system, paused)).length >= 3, 'three runs of the backfill');
      const { runs: shown, runsStarted } = await schedules.show(paused);
      expect(runsStarted).toBe(3);
      expect(shown.map(({ dueAt }) => dueAt.getTime()).toReversed()).toEqual(due);
      const sent = shown.map(({ counts }) => counts?.['sent']).toReversed();
      expect(sent, 'what the first one sent the others know').toMatchObject([
        { files: FILES },
        { files: 0 },
        { files: 0 },
      ]);
      expectNoOverlap(await runsOf(system, paused));
      const files = await filesAt(system);
      expect(files.size).toBe(2 * FILES);
      expect([...files.values()].filter((ids) => ids.length !== 1)).toEqual([]);
    } finally {
      for (const name of [slow, paused]) await schedules.delete(name).catch(() => {});
    }
  }));
