import { HOUR, MiB, waitingFor, type KnownFailure } from './known-upload-failures.ts';
import { CALM, type Action, type PlannedAction, type When } from './plan.ts';

const SMALL_FILES = {
  files: ['a', 'b', 'c'].map((path) => ({ path, sizeBytes: 10 })),
  deletes: false,
  maxConcurrentUploads: 2,
  batchFiles: 2,
};

const PAUSE: Action = { kind: 'pause', parts: 'finish' };

/** Failures of syncs that simulations found, each as the shortest plan that shows it. */
export const knownSyncFailures: readonly KnownFailure[] = [
  {
    name: 'continues as new while the first lists of a sync wait',
    rule: 'a history stays short',
    plan: { ...waitingFor('listFiles'), folder: SMALL_FILES },
  },
  {
    name: 'continues as new while the small files of a sync wait, and completes them',
    rule: 'a history stays short',
    plan: { ...waitingFor('addPart'), folder: SMALL_FILES },
  },
  {
    name: 'starts a new attempt at a retry if the large file of a sync continues as new',
    rule: 'retry starts a new attempt',
    plan: {
      ...CALM,
      seed: 914_034,
      request: { concurrency: 5, maxSessions: 2, giveUpAfterMs: HOUR },
      style: { ...CALM.style, isStrict: false, endedStatus: 409 },
      partMs: [100, 3000],
      callMs: [20, 500],
      suggestAfterEvents: 42,
      outages: [
        {
          call: 'addPart',
          fromMs: 3596,
          forMs: 4_200_000,
          fault: { kind: 'status', status: 429, retryAfterMs: 3 * HOUR, apiCode: 'insufficient_quota' },
        },
      ],
      actions: [{ when: { atMs: 310_898 }, action: { kind: 'retry' } }],
      folder: {
        ...SMALL_FILES,
        files: [
          { path: 'f6.jsonl', sizeBytes: 5 },
          { path: 'a/f7.jsonl', sizeBytes: 26 },
          { path: 'z/f8.jsonl', sizeBytes: 12_998_305 },
          { path: 'f9.jsonl', sizeBytes: 4 },
        ],
        maxConcurrentUploads: 4,
        batchFiles: 3,
      },
    },
  },
  {
    name: 'reports a file of a sync that is deleted before the source is listed again',
    rule: 'the numbers of a sync add up',
    plan: {
      ...CALM,
      request: {},
      folder: {
        files: ['a', 'b', 'c', 'd'].map((path) => ({ path, sizeBytes: 10 })),
        deletes: false,
        maxConcurrentUploads: 1,
        batchFiles: 2,
      },
      actions: [
        { when: { call: 'addPart', nth: 1, plusMs: 0 }, action: { kind: 'edit-folder', edit: 'remove', path: 'd' } },
        ...[0, 1].map((worker) => ({
          when: { call: 'addPart' as const, nth: 1, plusMs: 10 },
          action: { kind: 'stop-worker' as const, worker },
        })),
      ],
    },
  },
  {
    name: 'shows no reason to wait after the end of a sync',
    rule: 'nothing waits after the end',
    plan: {
      ...CALM,
      request: { giveUpAfterMs: HOUR },
      folder: {
        files: [{ path: 'a', sizeBytes: 10 }],
        deletes: false,
        maxConcurrentUploads: 1,
        batchFiles: 200,
      },
      outages: [{ call: 'addPart', fromMs: 0, forMs: 5 * HOUR, fault: { kind: 'status', status: 403 } }],
    },
  },
  {
    name: 'is not completed while the manifest cannot be written',
    rule: 'a completed sync has its manifest',
    plan: {
      ...CALM,
      request: { giveUpAfterMs: HOUR },
      folder: {
        files: [{ path: 'a', sizeBytes: 10 }],
        deletes: false,
        maxConcurrentUploads: 1,
        batchFiles: 200,
        hasManifest: true,
      },
      outages: [{ call: 'manifest', fromMs: 100, forMs: 600_000, fault: { kind: 'status', status: 403 } }],
    },
  },
  {
    name: 'reports a file of a batch whose session ends while the sync is paused',
    rule: 'each file that stays is sent or reported',
    plan: {
      ...CALM,
      seed: 1211,
      request: { maxSessions: 1, giveUpAfterMs: 600_000 },
      style: { ...CALM.style, isStrict: false, endedStatus: 409 },
      partMs: [100, 3000],
      callMs: [20, 500],
      folder: {
        files: [
          { path: 'f2.jsonl', sizeBytes: 33 },
          { path: 'f3.jsonl', sizeBytes: 8 },
          { path: 'z/f4.jsonl', sizeBytes: 33 },
        ],
        deletes: false,
        maxConcurrentUploads: 3,
        batchFiles: 200,
      },
      faults: [{ call: 'listFiles', nth: 1, fault: { kind: 'status', status: 429 } }],
      outages: [{ call: '*', fromMs: 7874, forMs: 10_000, fault: { kind: 'unreachable' } }],
      actions: [{ when: { call: 'completeUpload', nth: 2, plusMs: 757 }, action: { kind: 'pause', parts: 'finish' } }],
    },
  },
  {
    name: 'writes the manifest although the plan that needs it waits',
    rule: 'an upload does not wait forever',
    plan: {
      ...CALM,
      seed: 870,
      request: { concurrency: 3, maxSessions: 3, giveUpAfterMs: 0, md5: false },
      style: { ...CALM.style, endedStatus: 410 },
      partMs: [100, 3000],
      callMs: [100, 5000],
      folder: {
        files: [
          { path: 'f1.jsonl', sizeBytes: 13_555_803 },
          { path: 'a/f2.jsonl', sizeBytes: 13_763_407 },
          { path: 'a/f3.jsonl', sizeBytes: 11 },
        ],
        deletes: true,
        maxConcurrentUploads: 5,
        batchFiles: 2,
        hasManifest: true,
      },
      faults: [{ call: 'addPart', nth: 1, fault: { kind: 'lost' } }],
      outages: [{ call: 'manifest', fromMs: 9511, forMs: 10_000, fault: { kind: 'status', status: 403 } }],
    },
  },
  {
    name: 'sends a small file of a sync once if the lookup of its File is rejected with 404',
    rule: 'no second File exists',
    plan: {
      ...CALM,
      request: {},
      style: { ...CALM.style, endedStatus: 404 },
      folder: { ...SMALL_FILES, files: [{ path: 'a', sizeBytes: 10 }] },
      faults: [
        // The File exists, and the response does not say so.
        { call: 'completeUpload', nth: 1, fault: { kind: 'status', status: 408, arrives: true } },
        { call: 'listFiles', nth: 2, fault: { kind: 'status', status: 404 } },
      ],
    },
  },
  {
    name: 'starts a new attempt at a retry before the large file continues as new',
    rule: 'retry starts a new attempt',
    plan: {
      ...CALM,
      seed: 1_014_047,
      request: { concurrency: 5, maxSessions: 4, giveUpAfterMs: 600_000, check: 'jsonl' },
      style: { ...CALM.style, isStrict: false },
      partMs: [100, 3000],
      callMs: [10, 60],
      suggestAfterEvents: 42,
      faults: [
        { call: 'completeUpload', nth: 2, fault: { kind: 'status', status: 500 } },
        { call: 'addPart', nth: 1, fault: { kind: 'unreachable' } },
        { call: 'addPart', nth: 6, fault: { kind: 'status', status: 402, retryAfterMs: 600_000 } },
      ],
      actions: [{ when: { atMs: 61_889 }, action: { kind: 'retry' } }],
      folder: {
        ...SMALL_FILES,
        files: [
          { path: 'a/f0.jsonl', sizeBytes: 39 },
          { path: 'f1.jsonl', sizeBytes: 6_307_500 },
          { path: 'f2.jsonl', sizeBytes: 20 },
          { path: 'f3.jsonl', sizeBytes: 8_535_794 },
        ],
        maxConcurrentUploads: 1,
        invalidContents: ['v2', 'v8'],
      },
    },
  },
  {
    name: 'receives a report of its last upload before the first task of the next execution',
    rule: 'no workflow task fails',
    plan: {
      ...CALM,
      seed: 4,
      request: {},
      partMs: [10, 10],
      callMs: [10, 10],
      suggestAfterEvents: 12,
      folder: {
        ...SMALL_FILES,
        files: [
          { path: 'large', sizeBytes: 2 * MiB },
          { path: 'small', sizeBytes: 10 },
        ],
        maxConcurrentUploads: 1,
      },
      faults: [{ call: 'completeUpload', nth: 1, fault: { kind: 'status', status: 403 } }],
    },
  },
  {
    name: 'sends no small file if a pause follows a resume in the same workflow task',
    rule: 'a paused sync sends and deletes nothing',
    plan: {
      ...CALM,
      request: {},
      partMs: [100, 100],
      callMs: [100, 100],
      folder: SMALL_FILES,
      actions: [{ when: { atMs: 310 }, action: PAUSE }, ...resumedAndPaused({ atMs: 5000 })],
    },
  },
  {
    name: 'starts no upload if a pause follows a resume in the same workflow task, twice',
    rule: 'nothing is sent during a pause',
    plan: {
      ...CALM,
      request: {},
      partMs: [100, 100],
      callMs: [100, 100],
      folder: {
        ...SMALL_FILES,
        files: [
          { path: 'a', sizeBytes: 2 * MiB },
          { path: 'b', sizeBytes: 3 * MiB },
        ],
        maxConcurrentUploads: 1,
      },
      actions: [
        { when: { call: 'addPart', nth: 1, plusMs: 10 }, action: PAUSE },
        ...resumedAndPaused({ call: 'addPart', nth: 1, plusMs: 10_000 }),
        ...resumedAndPaused({ call: 'addPart', nth: 1, plusMs: 20_000 }),
      ],
    },
  },
];

/** Both arrive at the same moment, so that one workflow task handles them. */
function resumedAndPaused(when: When): PlannedAction[] {
  return [
    { when, action: { kind: 'resume' } },
    { when, action: PAUSE },
  ];
}
