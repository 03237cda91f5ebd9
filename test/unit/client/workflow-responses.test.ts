import { defaultPayloadConverter, type ScheduleDescription } from '@temporalio/client';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { describeSchedule } from '../../../src/cli/commands/schedule/view.ts';
import { describePieces, describeStatus, describeEnded } from '../../../src/cli/commands/status/view.ts';
import { rowOfProgress, describeRows } from '../../../src/cli/commands/top/view.ts';
import { partsUnderWay } from '../../../src/client/follow/pending.ts';
import { readProgress, readResult, type ReadAnswer } from '../../../src/client/follow/read-answers.ts';
import type { JobProgress, JobResult } from '../../../src/client/jobs.ts';
import { StrangeWorkflowError } from '../../../src/client/errors.ts';
import type { WorkflowSummary } from '../../../src/client/lists/list-uploads.ts';
import { queryText } from '../../../src/core/show/attributes.ts';
import { toScheduleInfo } from '../../../src/client/schedules/temporal-schedule.ts';
import { outcomeOfResult } from '../../../src/client/schedules/schedule-runs.ts';
import { RequestTurns } from '../../../src/pace/request-rate.ts';
import { UploadRates } from '../../../src/pace/upload-rates.ts';
import { generatedRuns, jsonText, mutated } from '../../support/mutated.ts';

const RUNS = { numRuns: generatedRuns(100) };

const waiting = { reason: 'x', failureType: 'ApiRejected', status: 401, sinceMs: 1, nextProbeAtMs: 2 };
const progress = {
  kind: 'upload',
  state: 'uploading',
  filename: 'a.jsonl',
  bytesTotal: 10,
  bytesDone: 5,
  partSizeBytes: 1,
  partsTotal: 10,
  partsDone: 5,
  partsInFlight: 1,
  concurrency: 4,
  limit: { bytesPerSecond: 200_000, revision: 1 },
  session: { uploadId: 'upload_1', createdAt: 1_790_000_000, expiresAt: 1_790_003_600 },
  sessionEndsTooEarly: false,
  waiting,
  sessionsOpened: 1,
  orphanedSessions: 0,
  md5: null,
  startedAtMs: 1_790_000_000_000,
};
const range = { offsetBytes: 0, sizeBytes: 5 };
const piece = { number: 1, filename: 'a-1.jsonl', workflowId: 'w-1', range, state: 'failed', message: 'm' };
const pieces = [piece, { ...piece, number: 2, state: 'completed', fileId: 'file_2' }];
const splitProgress = { ...progress, kind: 'split', pieces };
const amount = { files: 1, bytes: 2 };
const counts = {
  listed: amount,
  same: 1,
  knownContent: 0,
  toSend: amount,
  sent: amount,
  failed: 1,
  leftOut: 0,
  toDelete: 0,
  deleted: 0,
};
const syncProgress = {
  kind: 'sync',
  state: 'uploading',
  filename: 'data',
  bytesTotal: 2048,
  bytesDone: 1024,
  partsInFlight: 0,
  waiting,
  startedAtMs: 1,
  counts,
  uploading: ['a'],
};
const file = { id: 'file_1', bytes: 10, createdAt: 1, filename: 'a.jsonl', purpose: 'batch' };
const result = {
  workflowId: 'w',
  uploadId: 'upload_1',
  file,
  bytes: 10,
  md5: null,
  parts: 1,
  partsSent: 1,
  sessions: 1,
  orphanedSessions: 0,
  durationMs: 5,
};
const splitResult = { workflowId: 'w', files: [file], pieces: [result], bytes: 10, durationMs: 5 };
const problem = { path: 'a', failureType: 'SourceMissing', message: 'm' };
const decision = { action: 'upload', why: 'new', path: 'a', filename: 'a', bytes: 1 };
const syncResult = {
  workflowId: 'w',
  dryRun: true,
  counts,
  problems: [problem],
  leftOut: [problem],
  deletionsHeld: null,
  durationMs: 1,
  memory: null,
  decisions: [decision],
};

const summary = { workflowId: 'w', type: 'uploadFile', startedAt: new Date(0), filename: 'a' } as WorkflowSummary;

type Subject = readonly [unknown, ReadAnswer<never>, (answer: never) => readonly string[]];

const progressOf = (correct: unknown): Subject => [
  correct,
  readProgress as ReadAnswer<never>,
  (answer: JobProgress) => [
    describeStatus('w', answer),
    ...(answer.kind === 'split' ? describePieces(answer.pieces) : []),
    ...describeRows([
      rowOfProgress(summary, { type: 'progress', progress: answer, bytesSent: answer.bytesDone }, 1, 1),
    ]),
  ],
];

const resultOf = (correct: unknown): Subject => [
  correct,
  readResult as ReadAnswer<never>,
  (answer: JobResult) => [
    ...describeEnded({ workflowId: 'w', status: 'COMPLETED', result: answer }),
    ...('counts' in answer ? [...answer.problems, ...(answer.decisions ?? [])].map(({ path }) => path) : []),
  ],
];

/** Output of commands for a response. */
const subjects: Readonly<Record<string, Subject>> = {
  'the progress of an upload': progressOf(progress),
  'the progress of a split upload': progressOf(splitProgress),
  'the progress of a sync': progressOf(syncProgress),
  'the result of an upload': resultOf(result),
  'the result of a split upload': resultOf(splitResult),
  'the result of a sync': resultOf(syncResult),
};

describe('the response of a workflow', () => {
  it.each(Object.keys(subjects))('is parsed without changes if it is %s', (name) => {
    const [correct, read, shown] = subjects[name] as (typeof subjects)[string];
    const answer = read(correct, 'w');
    expect(answer).toEqual(correct);
    expect(shown(answer).join()).not.toBe('');
  });

  it.each(Object.keys(subjects))('can be shown or is rejected if it varies from %s', (name) => {
    const [correct, read, shown] = subjects[name] as (typeof subjects)[string];
    const outcomeOf = (variation: unknown): string => {
      const response: unknown = JSON.parse(jsonText(variation));
      try {
        for (const text of shown(read(response, 'w'))) expect(typeof text).toBe('string');
        return 'shown';
      } catch (error) {
        if (!(error instanceof StrangeWorkflowError)) throw error;
        return 'rejected';
      }
    };
    fc.assert(
      fc.property(mutated(correct), (variation) => void outcomeOf(variation)),
      RUNS,
    );
    // The same values in each run: of few random ones, all can be shown.
    const outcomes = fc.sample(mutated(correct), { seed: 1, numRuns: 100 }).map(outcomeOf);
    expect(new Set(outcomes)).toEqual(new Set(['shown', 'rejected']));
  });

  it.each([null, undefined, 5, 'text', [], {}, { state: 5 }])('is rejected if it is %j', (answer) => {
    for (const [, read] of Object.values(subjects)) expect(() => read(answer, 'w')).toThrow(StrangeWorkflowError);
  });
});

describe('heartbeats of parts', () => {
  const pending = (payload: object) => [
    {
      activityType: { name: 'uploadPart' },
      attempt: 2,
      lastFailure: { message: `x\u0000${'y'.repeat(100_000)}` },
      heartbeatDetails: { payloads: [payload] },
    },
  ];

  it('count only possible numbers of bytes', () => {
    fc.assert(
      fc.property(mutated({ bytesSent: 5 }), (details) => {
        const payload = defaultPayloadConverter.toPayload(JSON.parse(jsonText(details)));
        const { bytesUnderWay, trouble } = partsUnderWay(pending(payload));
        expect(bytesUnderWay).toBeGreaterThanOrEqual(0);
        expect(bytesUnderWay).toBeLessThanOrEqual(1024 ** 3);
        expect(trouble?.message.length).toBeLessThanOrEqual(2000);
      }),
      RUNS,
    );
  });

  it.each(['binary/encrypted', 'json/plain', 'json/protobuf', ''])(
    'with invalid data in encoding %j are not counted',
    (text) => {
      const payload = { metadata: { encoding: Buffer.from(text) }, data: Buffer.from('{"a') };
      expect(partsUnderWay(pending(payload)).bytesUnderWay).toBe(0);
    },
  );
});

describe('schedules of other programs', () => {
  const sync = { source: { type: 'folder', path: '/data' }, purpose: 'batch' };
  const described = (workflowType: string, request: unknown) =>
    ({
      scheduleId: 'longhaul-schedule-a',
      spec: {},
      action: { type: 'startWorkflow', workflowType, taskQueue: 'q', args: [request] },
      policies: { catchupWindow: 60_000, pauseOnFailure: false },
      state: { paused: false },
      info: { createdAt: new Date(0), nextActionTimes: [], numActionsTaken: 1 },
    }) as unknown as ScheduleDescription;

  it('are listed with any request and any results of their runs', async () => {
    const type = fc.constantFrom('syncSource', 'uploadFile', 'x');
    await fc.assert(
      fc.asyncProperty(type, mutated(sync), mutated(syncResult), async (workflowType, request, ranTo) => {
        const told = (value: unknown): unknown => JSON.parse(jsonText(value));
        const run = {
          workflowId: 'w',
          dueAt: new Date(0),
          startedAt: new Date(0),
          endedAt: undefined,
          waitsFor: undefined,
        };
        const runs = [{ ...run, ...outcomeOfResult(told(ranTo)) }];
        const info = await toScheduleInfo('a', described(workflowType, told(request)));
        expect(describeSchedule({ ...info, runs, hasWorkers: true })).not.toEqual([]);
      }),
      RUNS,
    );
  });

  it('keep a valid request', async () => {
    expect((await toScheduleInfo('a', described('syncSource', sync))).sync).toEqual(sync);
  });
});

describe('responses of workflows to the queries of a worker', () => {
  it('do not stop requests if they are invalid', async () => {
    await fc.assert(
      fc.asyncProperty(mutated([0, 0]), async (answer) => {
        // A wait of hours is valid.
        const told: unknown = JSON.parse(jsonText(answer));
        const isLong = [told].flat().some((waitMs) => typeof waitMs === 'number' && waitMs > 5 && waitMs <= 7_200_000);
        const reserve = async () => told as number[];
        const turns = new RequestTurns({ reserve, onFault: () => {}, faultPauseMs: 0 });
        if (!isLong) await turns.take();
        await turns.take(AbortSignal.abort()).catch(() => {});
      }),
      RUNS,
    );
  });

  it.each([null, 'fast', NaN, -1, 1e-300, [], {}])('do not set the limit %j', (bytesPerSecond) => {
    const rates = new UploadRates();
    const part = rates.enter('w', { bytesPerSecond, revision: 1 } as never, async () => null);
    expect(part.pace(1_000_000_000)).toBeUndefined();
    part.leave();
  });
});

it('quotes an ID in a list query', () => {
  expect(queryText('a" OR "b\\')).toBe('"a\\" OR \\"b\\\\"');
});
