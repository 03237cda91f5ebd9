import { CALM, type Call, type Plan, type When } from './plan.ts';

export const MiB = 1024 * 1024;
export const HOUR = 3_600_000;

export interface KnownFailure {
  /** What the upload does instead. */
  readonly name: string;
  /** The rule that the plan broke. */
  readonly rule: string;
  readonly plan: Plan;
}

export const ONE_PART: Plan = { ...CALM, sizeBytes: MiB, request: { partSizeBytes: MiB, concurrency: 1 } };
/** So that all answers arrive within one workflow task. */
const TOGETHER: Plan = { ...CALM, sizeBytes: 4 * MiB, partMs: [1000, 1000] };

/** One part is to wait for an hour, and the next one is too large: a session with smaller parts is opened immediately. */
const TOO_LARGE: Plan = {
  ...CALM,
  sizeBytes: 4 * MiB,
  request: { partSizeBytes: 2 * MiB, concurrency: 2, maxSessions: 1 },
  partMs: [1000, 1000],
  style: { ...CALM.style, endedStatus: 404 },
  faults: [
    { call: 'addPart', nth: 1, fault: { kind: 'status', status: 403, retryAfterMs: 3 * HOUR } },
    { call: 'addPart', nth: 2, fault: { kind: 'status', status: 413 } },
  ],
};

/** Failures of uploads that simulations found, each as the shortest plan that shows it. */
export const knownUploadFailures: readonly KnownFailure[] = [
  {
    name: 'retries if parts are rejected with 403 and 404 at the same time',
    rule: 'an upload does not wait forever',
    plan: {
      ...TOGETHER,
      faults: [
        { call: 'addPart', nth: 1, fault: { kind: 'status', status: 403 } },
        { call: 'addPart', nth: 2, fault: { kind: 'session-ends', status: 'expired' } },
      ],
      style: { ...CALM.style, endedStatus: 404 },
    },
  },
  {
    name: 'opens a new session if a stopped part arrived at a strict service, twice',
    rule: 'a new session is opened if it can help',
    plan: {
      ...ONE_PART,
      seed: 5,
      partMs: [2000, 2000],
      actions: [1, 3].flatMap((nth) => [
        {
          when: { call: 'addPart' as const, nth, plusMs: 500 },
          action: { kind: 'pause' as const, parts: 'stop' as const },
        },
        { when: { call: 'addPart' as const, nth, plusMs: 6000 }, action: { kind: 'resume' as const } },
      ]),
    },
  },
  {
    name: 'opens a new session if a part arrived, the service returned 503, and a pause stopped its next attempt, twice',
    rule: 'a new session is opened if it can help',
    plan: {
      ...ONE_PART,
      partMs: [2500, 2500],
      faults: [1, 3].map((nth) => ({ call: 'addPart', nth, fault: { kind: 'status', status: 503, arrives: true } })),
      actions: [1, 3].flatMap((nth) => [
        {
          when: { call: 'addPart' as const, nth, plusMs: 1700 },
          action: { kind: 'pause' as const, parts: 'stop' as const },
        },
        { when: { call: 'addPart' as const, nth, plusMs: 9000 }, action: { kind: 'resume' as const } },
      ]),
    },
  },
  {
    name: 'opens a new session if another client cancels two before their first part',
    rule: 'a new session is opened if it can help',
    plan: {
      ...ONE_PART,
      faults: [1, 2].map((nth) => ({ call: 'addPart', nth, fault: { kind: 'session-ends', status: 'cancelled' } })),
    },
  },
  {
    name: 'does not count a session that is lost while its completion waits',
    rule: 'a session that is lost while the upload waits does not count',
    plan: {
      ...ONE_PART,
      request: { ...ONE_PART.request, maxSessions: 1 },
      outages: [{ call: 'completeUpload', fromMs: 0, forMs: 2 * HOUR, fault: { kind: 'status', status: 403 } }],
    },
  },
  {
    name: 'cancels a replaced session although the upload is cancelled in the meantime',
    rule: 'no session is left open',
    plan: {
      ...ONE_PART,
      faults: [
        { call: 'addPart', nth: 1, fault: { kind: 'damaged' } },
        { call: 'cancelUpload', nth: 1, fault: { kind: 'unreachable' } },
      ],
      actions: [{ when: { call: 'cancelUpload', nth: 1, plusMs: 5 }, action: { kind: 'cancel' } }],
    },
  },
  {
    name: 'replaces a session with an incorrect MD5 after a rejected completion',
    rule: 'an uncertain completion has a cause',
    plan: {
      ...ONE_PART,
      faults: [
        { call: 'addPart', nth: 1, fault: { kind: 'damaged' } },
        { call: 'completeUpload', nth: 1, fault: { kind: 'status', status: 403 } },
      ],
    },
  },
  {
    name: 'replaces a session whose completion is rejected with 409 "expired"',
    rule: 'an outage that is shorter than the retry period is survived',
    plan: {
      ...ONE_PART,
      style: { ...CALM.style, endedStatus: 409 },
      faults: [{ call: 'completeUpload', nth: 1, fault: { kind: 'session-ends', status: 'expired' } }],
    },
  },
  {
    name: 'sends parts of more than a second with a heartbeat timeout of a second',
    rule: 'an upload without faults completes',
    plan: {
      ...ONE_PART,
      request: { ...ONE_PART.request, heartbeatTimeoutMs: 1000 },
      partMs: [1500, 2500],
    },
  },
  {
    name: 'continues as new while the create call waits',
    rule: 'a history stays short',
    plan: waitingFor('createUpload'),
  },
  {
    name: 'continues as new while the completion waits',
    rule: 'a history stays short',
    plan: waitingFor('completeUpload'),
  },
  {
    name: 'continues as new while the inspection of the source waits',
    rule: 'a history stays short',
    plan: hidden({ atMs: 0 }),
  },
  {
    name: 'continues as new while the MD5 waits',
    rule: 'a history stays short',
    plan: {
      ...hidden({ call: 'hashSource', nth: 1, plusMs: 6000 }),
      sizeBytes: 4 * MiB,
      request: { partSizeBytes: MiB, concurrency: 4 },
      partMs: [3000, 3000],
    },
  },
  {
    name: 'does not wait for the whole retry period for each of several calls',
    rule: 'the retry period of an upload is respected',
    plan: {
      ...ONE_PART,
      request: { ...ONE_PART.request, giveUpAfterMs: HOUR + 60_000 },
      outages: [{ call: '*', fromMs: 500, forMs: 5 * HOUR, fault: { kind: 'status', status: 403 } }],
      faults: [{ call: 'addPart', nth: 1, fault: { kind: 'status', status: 403 } }],
    },
  },
  {
    name: 'does not open more sessions if parts return 404 while the upload waits',
    rule: 'a session that is lost without a wait counts',
    plan: {
      ...ONE_PART,
      outages: [{ call: 'addPart', fromMs: 60_000, forMs: 26 * HOUR, fault: { kind: 'status', status: 404 } }],
      faults: [{ call: 'addPart', nth: 1, fault: { kind: 'status', status: 403 } }],
    },
  },
  {
    name: 'reports the File if the upload is cancelled after a lost completion response',
    rule: 'a File that exists is the result',
    plan: {
      ...ONE_PART,
      callMs: [200, 200],
      faults: [{ call: 'completeUpload', nth: 1, fault: { kind: 'lost' } }],
      actions: [{ when: { call: 'completeUpload', nth: 1, plusMs: 50 }, action: { kind: 'cancel' } }],
    },
  },
  {
    name: 'shows no reason to wait after the end',
    rule: 'nothing waits after the end',
    plan: {
      ...ONE_PART,
      outages: [{ call: 'completeUpload', fromMs: 0, forMs: 48 * HOUR, fault: { kind: 'status', status: 403 } }],
    },
  },
  {
    name: 'shows no next attempt in the past while the attempt runs',
    rule: 'the next attempt is not in the past',
    plan: {
      ...CALM,
      outages: [{ call: 'addPart', fromMs: 0, forMs: 100_000, fault: { kind: 'status', status: 403 } }],
    },
  },
  {
    name: 'counts an orphaned session if all attempts of the create call failed',
    rule: 'the result counts the orphaned sessions',
    plan: {
      ...ONE_PART,
      faults: [
        { call: 'createUpload', nth: 1, fault: { kind: 'lost' } },
        { call: 'createUpload', nth: 2, fault: { kind: 'status', status: 402 } },
      ],
    },
  },
  {
    name: 'follows the order of a resume and a pause that arrive before its first task',
    rule: 'nothing is sent during a pause',
    plan: {
      ...ONE_PART,
      seed: 410_288,
      actions: [
        { when: { atMs: 581 }, action: { kind: 'resume' } },
        { when: { atMs: 1796 }, action: { kind: 'pause', parts: 'stop' } },
      ],
    },
  },
  {
    name: 'omits a session from the count once if a part is too large while another waits',
    rule: 'a session that is lost without a wait counts',
    plan: {
      ...TOO_LARGE,
      faults: [...TOO_LARGE.faults, { call: 'addPart', nth: 3, fault: { kind: 'session-ends', status: 'cancelled' } }],
    },
  },
  {
    name: 'does not count a session that was opened during the wait and expires',
    rule: 'a session that is lost while the upload waits does not count',
    plan: { ...TOO_LARGE, callMs: [3000, 3000], partMs: [60_000, 60_000] },
  },
  {
    name: 'does not count a session that expires during a wait of the session before it, also if the upload is paused',
    rule: 'a session that is lost without a wait counts',
    plan: {
      ...CALM,
      seed: 1_048_731,
      request: { partSizeBytes: 3 * MiB, concurrency: 4, maxSessions: 1, giveUpAfterMs: HOUR },
      sizeBytes: 8_414_998,
      partMs: [100, 3000],
      callMs: [10, 60],
      faults: [{ call: 'addPart', nth: 2, fault: { kind: 'status', status: 404 } }],
      outages: [
        {
          call: 'addPart',
          fromMs: 903,
          forMs: 180_000,
          fault: { kind: 'status', status: 402, retryAfterMs: 3 * HOUR },
        },
      ],
      actions: [{ when: { atMs: 7590 }, action: { kind: 'pause', parts: 'stop' } }],
    },
  },
];

export function waitingFor(call: Call): Plan {
  const fault = { kind: 'status', status: 403 } as const;
  return { ...ONE_PART, suggestAfterEvents: 100, outages: [{ call, fromMs: 0, forMs: 8 * HOUR, fault }] };
}

/** The source cannot be read for a long time. */
export function hidden(when: When): Plan {
  const action = { kind: 'hide-source', problem: 'unreadable', forMs: 8 * HOUR } as const;
  return { ...ONE_PART, suggestAfterEvents: 100, actions: [{ when, action }] };
}
