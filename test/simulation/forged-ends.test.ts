import { describe, expect, it } from 'vitest';
import { FailureType } from '../../src/contracts/failures.ts';
import { drawForgedPlan, forgeable, type ForgedWorkflow } from './draw-forged-plan.ts';
import type { SyncResult } from '../../src/contracts/sync.ts';
import { fullUpload } from '../support/full-request.ts';
import { CALM, type ForgedEnd, type Plan } from './plan.ts';
import { valueOf } from './payloads.ts';
import { MiB } from './scenario.ts';
import type { Progress } from './rules.ts';
import { simulate, START_MS } from './simulate.ts';

/** Seeds of each activity. `npm run simulate -- --forged` runs any number. */
const SEEDS = Number(process.env['LONGHAUL_SIMULATION_SEEDS'] ?? 4);

const options = { uploadFile: '', uploadSplitFile: ' --split', syncSource: ' --sync' };

describe.each(Object.keys(forgeable) as ForgedWorkflow[])('%s whose activities another client ends', (workflow) => {
  const activities = forgeable[workflow];
  const seeds = SEEDS * activities.length;

  it(`keeps every rule with each of ${seeds} seeds`, { timeout: 120_000 + seeds * 1000 }, async () => {
    const ended = new Set<string>();
    for (let seed = 1; seed <= seeds; seed++) {
      const { violations, trace, forged } = await simulate(drawForgedPlan(workflow, seed));
      const command = `npm run simulate -- --forged${options[workflow]} --seed ${seed}`;
      expect(violations, `${command}\n${trace.join('\n')}`).toEqual([]);
      for (const activity of forged) ended.add(activity);
    }
    expect(ended).toEqual(new Set(activities));
  });
});

const instead = (activity: string, change: object): Plan => ({
  ...CALM,
  forgedEnds: [endOf(activity, 'mutated', change)],
});
const endOf = (activity: string, end: ForgedEnd['end'], change?: object): ForgedEnd => ({
  activity,
  nth: 1,
  moment: 'instead',
  end,
  seed: 1,
  ...(change ? { change } : {}),
});
const folder = {
  files: [1, 2].map((sizeBytes) => ({ path: `f${sizeBytes}`, sizeBytes })),
  deletes: false,
  maxConcurrentUploads: 1,
  batchFiles: 200,
};

/** Activities whose results a workflow checks. */
const checked: readonly (readonly [ForgedWorkflow, string, Partial<Plan>])[] = [
  ...['inspectSource', 'createUpload', 'uploadPart', 'hashSource', 'completeUpload'].map(
    (activity) => ['uploadFile', activity, {}] as const,
  ),
  ['uploadSplitFile', 'planSplit', { pieces: 2 }],
  ['syncSource', 'planSync', { folder }],
  ['syncSource', 'openBatch', { folder }],
  ['syncSource', 'sendBatch', { folder }],
  ['syncSource', 'packSyncMemory', { folder }],
  ['syncSource', 'recallSync', { folder }],
];

/** Replaces a property of each of their results, or adds it. */
const invalid = { sizeBytes: '', uploadId: 7, partId: 7, md5: 7, id: 7, pieces: 7, type: 7, outcomes: 7, data: 7 };

describe('a workflow that receives an invalid activity result', () => {
  it.each(checked)('waits or fails with ResultInvalid: %s after %s', async (_workflow, activity, plan) => {
    const types = new Set<string | null | undefined>();
    const forgedEnds = [endOf(activity, 'mutated', invalid)];
    const { violations, trace, close } = await simulate({ ...CALM, ...plan, forgedEnds }, ({ waiting }) => {
      types.add(waiting?.failureType);
    });
    expect(violations, trace.join('\n')).toEqual([]);
    if (close?.status === 'failed') types.add(close.failure.applicationFailureInfo?.type);
    expect([...types], trace.join('\n')).toContain(FailureType.ResultInvalid);
  });
});

describe('a workflow whose first activity never has a valid result', () => {
  it.each([
    ['inspectSource', {}],
    ['planSplit', { pieces: 2 }],
    ['planSync', { folder }],
  ] as const)('fails after the retry period of its request: %s', async (activity, plan) => {
    const forgedEnds = [1, 2, 3, 4].map((nth) => ({ ...endOf(activity, 'mutated', invalid), nth }));
    const request = { ...CALM.request, giveUpAfterMs: 10 * 60_000 };
    const { trace, close } = await simulate({ ...CALM, ...plan, request, forgedEnds });
    const failure = close?.status === 'failed' ? close.failure : undefined;
    expect(failure?.applicationFailureInfo?.type, trace.join('\n')).toBe(FailureType.ResultInvalid);
  });
});

/** Ends with which a workflow once broke a rule. */
const once: readonly { readonly name: string; readonly plan: Plan }[] = [
  {
    name: 'waits after a hash with an invalid MD5 and a checkpoint',
    plan: {
      ...instead('hashSource', { md5: [''], checkpoint: { offsetBytes: 1, state: '' } }),
      suggestAfterEvents: 20,
    },
  },
  {
    name: 'waits after a hash without the SHA-256 of the request',
    plan: { ...instead('hashSource', { sha256: undefined }), request: { ...CALM.request, sha256: true } },
  },
  {
    name: 'waits after a batch of small files with a pause of many years',
    plan: { ...instead('sendBatch', { outcomes: [{ left: {} }, { left: {} }], pauseMs: 8e15 }), folder },
  },
  {
    name: 'counts the session of a create call that another client cancelled',
    plan: { ...CALM, forgedEnds: [endOf('createUpload', 'cancelled')] },
  },
  {
    name: 'does not send the whole file in place of a piece',
    plan: {
      ...instead('inspectSource', {
        sizeBytes: 2 * MiB,
        request: fullUpload({ source: { type: 'file', path: '/data/train.jsonl' }, purpose: 'assistants' }),
      }),
      sizeBytes: 2 * MiB,
      pieces: 2,
    },
  },
  {
    name: 'fails with a failure that a client can read',
    plan: { ...CALM, forgedEnds: [endOf('createUpload', 'failure', { type: 'Other' })] },
  },
  {
    name: 'fails with a readable failure without a source',
    plan: { ...CALM, forgedEnds: [endOf('inspectSource', 'failure', { type: 'SourceMissing' })] },
  },
  {
    name: 'repeats an activity after a heartbeat that is not JSON',
    plan: { ...CALM, folder, forgedEnds: [endOf('recallSync', 'timeout', {})] },
  },
  {
    name: 'reports files of a batch that failed with a long type',
    plan: { ...CALM, folder, forgedEnds: [endOf('openBatch', 'failure', { type: 'x'.repeat(150_000) })] },
  },
];

describe('a workflow with an activity that another client ends', () => {
  it.each(once.map(({ name, plan }) => [name, plan] as const))('%s', async (_, plan) => {
    const { violations, trace, forged } = await simulate(plan);
    expect(violations, trace.join('\n')).toEqual([]);
    expect(forged, trace.join('\n')).not.toEqual([]);
  });
});

describe('a sync whose memory another client ends', () => {
  const activities = [
    ['recallSync', { folder: { ...folder, runs: 2 } }, 2],
    ['packSyncMemory', { folder: { ...folder, runs: 2 } }, 2],
    // Its memory is in the manifest.
    ['recordSync', { folder: { ...folder, runs: 2, hasManifest: true } }, undefined],
  ] as const;
  const ends = [
    ['a failure of another type', 'failure', { type: 'Other' }, 'MemoryUnavailable'],
    ['a timeout', 'timeout', {}, undefined],
    ['a cancellation', 'cancelled', undefined, 'ResultInvalid'],
  ] as const;
  const cases = activities.flatMap(([activity, plan, entries]) =>
    ends.map(([name, end, change, waitsFor]) => [name, activity, { plan, entries, end, change, waitsFor }] as const),
  );

  it.each(cases)('sends all files and passes the memory on after %s of %s', async (_, activity, one) => {
    const { plan, entries, end, change, waitsFor } = one;
    const waits = new Set<string | undefined>();
    const forgedEnds = [endOf(activity, end, change)];
    const onProgress = ({ waiting }: Progress) => waits.add(waiting?.failureType);
    const { violations, trace, close, forged, service } = await simulate({ ...CALM, ...plan, forgedEnds }, onProgress);
    const text = trace.join('\n');
    expect(violations, text).toEqual([]);
    expect(forged).toEqual([activity]);
    expect([...waits].filter((type) => type !== undefined)).toEqual(waitsFor === undefined ? [] : [waitsFor]);
    const result = valueOf(close?.status === 'completed' ? close.result : undefined) as SyncResult | undefined;
    expect(result?.counts, text).toMatchObject({ sent: { files: 2 }, failed: 0 });
    expect(result?.memoryProblem).toBeUndefined();
    expect(result?.memory?.entries).toBe(entries);
    // The second run sends nothing.
    expect(service.files.size).toBe(2);
  });

  it('continues as new while it waits for the memory of the last run, and then reads it', async () => {
    const failures = [1, 2, 3].map((nth) => ({ ...endOf('recallSync', 'failure', { type: 'Other' }), nth }));
    const plan = { folder: { ...folder, runs: 2 }, suggestAfterEvents: 12, forgedEnds: failures };
    let lastWaitAtMs = 0;
    const watch = ({ waiting }: Progress, nowMs: number) => {
      if (waiting) lastWaitAtMs = nowMs - START_MS;
    };
    const { violations, trace, close, executions, service } = await simulate({ ...CALM, ...plan }, watch);
    const text = trace.join('\n');
    expect(violations, text).toEqual([]);
    expect(text).toMatch(/continued/);
    expect(executions).toBeGreaterThan(1);
    const result = valueOf(close?.status === 'completed' ? close.result : undefined) as SyncResult | undefined;
    expect(result?.counts, text).toMatchObject({ sent: { files: 2 }, failed: 0 });
    const recalls = trace.filter((line) => line.includes('recallSync') && line.includes('ended: completed'));
    expect(recalls).toHaveLength(2);
    expect(lastWaitAtMs, text).toBeLessThanOrEqual(Number.parseFloat(recalls[0] as string) * 1000);
    expect(service.files.size).toBe(2);
  });

  it('fails after the retry period of the request with the cause and the fix', async () => {
    const failures = [1, 2, 3, 4].map((nth) => ({ ...endOf('recallSync', 'failure', { type: 'Other' }), nth }));
    const request = { ...CALM.request, giveUpAfterMs: 10 * 60_000 };
    const { trace, close } = await simulate({ ...CALM, folder, request, forgedEnds: failures });
    const failure = close?.status === 'failed' ? close.failure : undefined;
    expect(failure?.message, trace.join('\n')).toBe(
      'cannot read the memory of the last run: by hand. Check the Temporal server and the log of the workers.',
    );
    expect(failure?.applicationFailureInfo?.type).toBe(FailureType.MemoryUnavailable);
  });
});
