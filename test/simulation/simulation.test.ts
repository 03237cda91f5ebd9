import { describe, expect, it } from 'vitest';
import { drawPlan, drawSplitPlan, drawSyncPlan } from './draw-plan.ts';
import { knownSplitFailures } from './known-split-failures.ts';
import { knownSyncFailures } from './known-sync-failures.ts';
import { knownUploadFailures } from './known-upload-failures.ts';
import { CALM } from './plan.ts';
import { simulate } from './simulate.ts';

/** Number of seeds of uploads. `npm run simulate` runs any number. */
const SEEDS = Number(process.env['LONGHAUL_SIMULATION_SEEDS'] ?? 300);
/** Those of splits and of syncs, which break a rule much sooner if a safeguard is missing (`mutation-list.ts`). */
const FLEET_SEEDS = Math.ceil(SEEDS / 3);

describe('uploadFile in a simulation', () => {
  it(`keeps every rule with each of ${SEEDS} seeds`, { timeout: 120_000 + SEEDS * 1000 }, async () => {
    const ends = new Set<string>();
    for (let seed = 1; seed <= SEEDS; seed++) {
      const { violations, trace, close, executions } = await simulate(drawPlan(seed));
      expect(violations, `npm run simulate -- --seed ${seed}\n${trace.join('\n')}`).toEqual([]);
      ends.add(close?.status ?? 'open').add(executions > 1 ? 'handed over' : 'in one execution');
    }
    // The plans lead to every kind of end.
    expect([...ends]).toEqual(
      expect.arrayContaining(['completed', 'failed', 'cancelled', 'handed over', 'in one execution']),
    );
  });

  it('has the same trace for the same seed', async () => {
    for (const plan of [drawPlan(7), drawPlan(14), drawPlan(21), drawSplitPlan(1), drawSyncPlan(3)]) {
      const first = await simulate(plan);
      expect((await simulate(plan)).trace).toEqual(first.trace);
    }
  });
});

describe('uploadSplitFile in a simulation', () => {
  it(`keeps every rule with each of ${FLEET_SEEDS} seeds`, { timeout: 120_000 + FLEET_SEEDS * 2000 }, async () => {
    const ends = new Set<string>();
    for (let seed = 1; seed <= FLEET_SEEDS; seed++) {
      const { violations, trace, close } = await simulate(drawSplitPlan(seed));
      expect(violations, `npm run simulate -- --split --seed ${seed}\n${trace.join('\n')}`).toEqual([]);
      ends.add(close?.status ?? 'open');
    }
    expect([...ends]).toEqual(expect.arrayContaining(['completed', 'failed', 'cancelled']));
  });
});

describe('syncSource in a simulation', () => {
  it(`keeps every rule with each of ${FLEET_SEEDS} seeds`, { timeout: 120_000 + FLEET_SEEDS * 2000 }, async () => {
    const ends = new Set<string>();
    for (let seed = 1; seed <= FLEET_SEEDS; seed++) {
      const { violations, trace, close } = await simulate(drawSyncPlan(seed));
      expect(violations, `npm run simulate -- --sync --seed ${seed}\n${trace.join('\n')}`).toEqual([]);
      ends.add(close?.status ?? 'open');
    }
    expect([...ends]).toEqual(expect.arrayContaining(['completed', 'cancelled']));
  });
});

describe('a sync with deletions', () => {
  it('keeps the File of a file that is moved to another path after it was sent', async () => {
    const when = { call: 'completeUpload', nth: 2, plusMs: 60 } as const;
    const { trace, violations } = await simulate({
      ...CALM,
      request: { md5: false },
      folder: {
        files: [
          { path: 'a', sizeBytes: 10 },
          { path: 'c', sizeBytes: 11 },
        ],
        deletes: true,
        maxConcurrentUploads: 1,
        batchFiles: 200,
      },
      callMs: [50, 50],
      actions: [
        { when, action: { kind: 'edit-folder', edit: 'move', path: 'a', to: 'b' } },
        ...[0, 1].map((worker) => ({ when, action: { kind: 'stop-worker', worker } as const })),
      ],
    });
    expect(violations, trace.join('\n')).toEqual([]);
    const firstRun = trace.slice(
      0,
      trace.findIndex((line) => line.endsWith('run 2')),
    );
    // For the uploads and, on a worker without those lists, for the deletions.
    expect(firstRun.filter((line) => line.includes('listSource')).length, trace.join('\n')).toBeGreaterThan(1);
    expect(
      firstRun.filter((line) => line.includes('deleteFile')),
      trace.join('\n'),
    ).toEqual([]);
  });
});

describe('a workflow that once broke a rule', () => {
  const failures = [...knownUploadFailures, ...knownSplitFailures, ...knownSyncFailures];
  it.each(failures.map((failure) => [failure.name, failure] as const))('%s', async (_, { plan, rule }) => {
    const { violations, trace } = await simulate(plan);
    expect(
      violations.filter((violation) => violation.rule === rule),
      trace.join('\n'),
    ).toEqual([]);
  });
});
