import { HOUR, hidden, MiB, ONE_PART, type KnownFailure } from './known-upload-failures.ts';
import { CALM, type Action } from './plan.ts';

const PAUSE: Action = { kind: 'pause', parts: 'finish' };

/** Failures of split uploads that simulations found, each as the shortest plan that shows it. */
export const knownSplitFailures: readonly KnownFailure[] = [
  {
    name: 'continues as new while the plan of a split upload waits',
    rule: 'a history stays short',
    plan: { ...hidden({ atMs: 0 }), sizeBytes: 4 * MiB, pieces: 2 },
  },
  {
    name: 'ends as cancelled if a split upload is cancelled while its piece fails',
    rule: 'a failure has a type',
    plan: {
      ...CALM,
      pieces: 2,
      faults: [{ call: 'addPart', nth: 1, fault: { kind: 'status', status: 422 } }],
      actions: [{ when: { call: 'cancelUpload', nth: 1, plusMs: 50 }, action: { kind: 'cancel' } }],
    },
  },
  {
    name: 'sends no part in a new session if a pause arrived while its piece completed',
    rule: 'nothing is sent during a pause',
    plan: {
      ...CALM,
      pieces: 2,
      callMs: [1000, 1000],
      faults: [{ call: 'completeUpload', nth: 1, fault: { kind: 'session-ends', status: 'expired' } }],
      actions: [
        { when: { call: 'completeUpload', nth: 1, plusMs: 10 }, action: { kind: 'pause', parts: 'finish' } },
        { when: { atMs: 600_000 }, action: { kind: 'resume' } },
      ],
    },
  },
  {
    name: 'counts a session that is lost without a wait in the next execution of an upload that waits',
    rule: 'a session that is lost without a wait counts',
    plan: {
      ...ONE_PART,
      seed: 60_356,
      pieces: 3,
      request: { partSizeBytes: 3 * MiB, concurrency: 5, md5: false, heartbeatTimeoutMs: 2000 },
      sizeBytes: 3 * MiB,
      style: { ...CALM.style, endedStatus: 404 },
      partMs: [100, 3000],
      callMs: [10, 60],
      suggestAfterEvents: 76,
      faults: [
        { call: 'createUpload', nth: 1, fault: { kind: 'status', status: 429, retryAfterMs: 3 * HOUR } },
        { call: 'addPart', nth: 2, fault: { kind: 'status', status: 403 } },
      ],
      outages: [
        { call: 'addPart', fromMs: 255_496, forMs: HOUR, fault: { kind: 'status', status: 404, retryAfterMs: 2000 } },
      ],
      actions: [{ when: { atMs: 251_444 }, action: { kind: 'retry' }, isOnPiece: true }],
    },
  },
  {
    name: 'keeps a pause that arrives while a piece of a split upload continues as new',
    rule: 'nothing is sent during a pause',
    plan: {
      ...CALM,
      seed: 403_121,
      request: { partSizeBytes: 4 * MiB, concurrency: 8, maxSessions: 4, giveUpAfterMs: 0 },
      sizeBytes: 36_727_473,
      partMs: [1000, 60_000],
      callMs: [10, 60],
      suggestAfterEvents: 54,
      pieces: 2,
      faults: [
        { call: 'completeUpload', nth: 2, fault: { kind: 'status', status: 429, apiCode: 'insufficient_quota' } },
      ],
      outages: [{ call: 'completeUpload', fromMs: 7737, forMs: 2 * HOUR, fault: { kind: 'unreachable' } }],
      actions: [{ when: { call: 'completeUpload', nth: 2, plusMs: 1640 }, action: { kind: 'pause', parts: 'finish' } }],
    },
  },
  {
    name: 'sends parts of a piece whose resume arrives after a later pause of the upload',
    rule: 'nothing is sent during a pause',
    plan: {
      ...CALM,
      seed: 1_062_089,
      request: { partSizeBytes: 3 * MiB },
      sizeBytes: 3 * MiB,
      callMs: [100, 5000],
      pieces: 3,
      actions: [
        { when: { atMs: 5427 }, action: { kind: 'resume' }, isOnPiece: true },
        { when: { atMs: 5836 }, action: PAUSE },
      ],
    },
  },
  {
    name: 'sends parts of a piece that was resumed, and rejected a pause while it completed',
    rule: 'nothing is sent during a pause',
    plan: {
      ...CALM,
      seed: 1_153_316,
      request: { partSizeBytes: MiB, concurrency: 1, maxSessions: 1, giveUpAfterMs: HOUR },
      sizeBytes: 819_563,
      style: { ...CALM.style, isStrict: false, endedStatus: 409 },
      partMs: [60_000, 285_000],
      callMs: [20, 500],
      pieces: 3,
      faults: [
        { call: 'completeUpload', nth: 1, fault: { kind: 'status', status: 401 } },
        { call: 'completeUpload', nth: 2, fault: { kind: 'session-ends', status: 'expired' } },
      ],
      actions: [
        { when: { atMs: 1626 }, action: PAUSE },
        { when: { atMs: 3572 }, action: { kind: 'resume' }, isOnPiece: true },
        { when: { call: 'completeUpload', nth: 2, plusMs: 1034 }, action: PAUSE, isOnPiece: true },
      ],
    },
  },
  {
    name: 'counts a session of which a part failed only while it was aborted, although the MD5 waits',
    rule: 'a session that is lost while the upload waits does not count',
    plan: {
      ...CALM,
      seed: 1_180_591,
      pieces: 2,
      request: { partSizeBytes: 2 * MiB, concurrency: 1, maxSessions: 1, sha256: true },
      sizeBytes: 6 * MiB,
      style: { ...CALM.style, endedStatus: 410 },
      partMs: [100, 3000],
      callMs: [100, 5000],
      outages: [{ call: 'addPart', fromMs: 2653, forMs: 4_200_000, fault: { kind: 'status', status: 404 } }],
      actions: [
        { when: { atMs: 4972 }, action: { kind: 'retune', input: { concurrency: 11 } } },
        { when: { atMs: 8717 }, action: { kind: 'hide-source', problem: 'missing', forMs: 600_000 } },
        { when: { call: 'addPart', nth: 1, plusMs: 266 }, action: { kind: 'kill-worker', worker: 0 } },
      ],
    },
  },
  {
    name: 'waits for a resume of a piece whose pause arrives after a later resume',
    rule: 'an upload does not wait forever',
    plan: {
      ...CALM,
      seed: 1_314_453,
      pieces: 2,
      request: { partSizeBytes: 4 * MiB, concurrency: 5, sha256: true, heartbeatTimeoutMs: 60_000 },
      sizeBytes: 4 * MiB,
      style: { ...CALM.style, endedStatus: 404 },
      partMs: [100, 3000],
      callMs: [100, 5000],
      actions: [
        { when: { atMs: 5822 }, action: { kind: 'pause', parts: 'stop' }, isOnPiece: true },
        { when: { atMs: 7467 }, action: { kind: 'resume' } },
      ],
    },
  },
];
