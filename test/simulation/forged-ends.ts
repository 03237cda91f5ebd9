import fc from 'fast-check';
import { FailureType } from '../../src/contracts/failures.ts';
import { TextLimits } from '../../src/contracts/limits.ts';
import { isPlainObject } from '../../src/core/payload.ts';
import { clip } from '../../src/core/text/clip.ts';
import { failureDetails, leftFile } from '../support/failure-details.ts';
import { jsonText, mutated, strangeTexts, strangeValues } from '../support/mutated.ts';
import type { Forgery } from './activity-task.ts';
import { Dice } from './dice.ts';
import { payloadOf, RetryState } from './payloads.ts';
import type { ForgedEnd } from './plan.ts';
import type { Failure, Payload } from './run.ts';

/** The server rejects larger payloads. */
const MAX_PAYLOAD_BYTES = 2 * 1024 * 1024;
const MAX_RUNNING_MS = 1500;

const session = { uploadId: 'upload_9', createdAt: 1_799_053_200, expiresAt: 1_799_056_800 };

/** As activities write them. */
const details = failureDetails(1_799_053_200_000);
const beats = {
  attempt: 1,
  refused: 1,
  rejected: 1,
  offsetBytes: 1024,
  state: 'x',
  sessions: { 0: session },
  outcomes: { 0: { sent: { fileId: 'file-9', createdAt: 1, md5: null } } },
  left: { 1: leftFile },
  fingerprint: 'v1',
  lines: { offsetBytes: 1024, states: ['x'] },
  digests: [{ path: 'f0.jsonl', checkpoint: { offsetBytes: 1, state: 'x' } }],
};

/** Properties that correct results have only in some cases. */
const rare: Readonly<Record<string, object>> = {
  inspectSource: { isSmall: true },
  createUpload: { unanswered: 1 },
  uploadPart: { md5: '0'.repeat(32), sha256: '0'.repeat(64), warnings: ['w'], fingerprint: 'v1.1' },
  hashSource: { warnings: ['w'], fingerprint: 'v1.1', checkpoint: { offsetBytes: 1, state: 'x' } },
  completeUpload: { expiresAt: 1_799_056_800 },
  planSync: { generation: 1, packsEarly: true, packFirst: true, left: 1, forget: ['f0.jsonl'], next: 'f0.jsonl' },
  openBatch: { pauseMs: 1000 },
  sendBatch: { pauseMs: 1000 },
};

const unreadable: readonly Payload[] = [
  { metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from('{"partId":') },
  { metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.alloc(0) },
  { metadata: { encoding: Buffer.from('binary/encrypted') }, data: Buffer.from([1, 2, 3]) },
  { metadata: { encoding: Buffer.from('binary/plain') }, data: Buffer.from([1, 2, 3]) },
  { metadata: { encoding: Buffer.from('binary/null') }, data: Buffer.from('1') },
  { metadata: {}, data: Buffer.from('{}') },
  {},
];

const failureTypes = [...Object.values(FailureType), 'Other', '', '__proto__', 'CancelledFailure', 'x'.repeat(150_000)];
/** The same as a workflow fails with them. */
export const forgedTypes = failureTypes.map((type) => clip(type, TextLimits.name));
const timeoutTypes = { startToClose: 1, scheduleToStart: 2, scheduleToClose: 3, heartbeat: 4 } as const;

/**
 * Returns the end of an activity with the values of its seed.
 *
 * @param others correct results of other activities @param onEnd receives its payload or failure, for the trace
 */
export function forgeryOf(
  { activity, end, moment, seed, change }: ForgedEnd,
  others: () => readonly unknown[],
  onEnd: (forged: object) => void,
): Forgery {
  const dice = new Dice(seed);
  return {
    moment,
    afterMs: dice.whole('after', 1, MAX_RUNNING_MS),
    endOf: (result, beat) => {
      const correct = dice.chance('rare', 0.4) && isPlainObject(result) ? { ...result, ...rare[activity] } : result;
      const forged = change
        ? changedEnd(end, change, result)
        : draws[end](dice, { result: correct, beat, others: others() });
      onEnd(forged);
      return forged;
    },
  };
}

function changedEnd(end: ForgedEnd['end'], change: object, result: unknown): ReturnType<Forgery['endOf']> {
  if (end === 'timeout') {
    const lastHeartbeatDetails = { payloads: [unreadable[0] as Payload] };
    const timeoutFailureInfo = { timeoutType: timeoutTypes.heartbeat, lastHeartbeatDetails, ...change };
    return { failure: { message: 'by hand', timeoutFailureInfo }, retryState: RetryState.TIMEOUT };
  }
  if (end !== 'failure') return { result: jsonPayload({ ...(result as object), ...change }) };
  const applicationFailureInfo = { nonRetryable: true, details: { payloads: [...unreadable] }, ...change };
  return { failure: { message: 'by hand', applicationFailureInfo }, retryState: RetryState.NON_RETRYABLE_FAILURE };
}

interface Known {
  readonly result: unknown;
  readonly beat: unknown;
  readonly others: readonly unknown[];
}

const draws: Readonly<Record<ForgedEnd['end'], (dice: Dice, known: Known) => ReturnType<Forgery['endOf']>>> = {
  strange: (dice) => ({ result: jsonPayload(draw(dice, 'value', strangeValues)) }),
  other: (dice, { others }) => ({ result: jsonPayload(others.length > 0 ? dice.one('other', others) : {}) }),
  mutated: (dice, { result }) => ({ result: jsonPayload(draw(dice, 'value', mutated(asJson(result)))) }),
  unreadable: (dice) => ({ result: dice.one('payload', unreadable) }),
  none: () => ({ result: null }),
  failure: (dice) => ({ failure: strangeFailure(dice), retryState: drawRetryState(dice) }),
  timeout: (dice, { beat }) => ({ failure: strangeTimeout(dice, beat), retryState: drawRetryState(dice) }),
  cancelled: (dice) => ({
    failure: { message: 'by hand', canceledFailureInfo: {} },
    retryState: drawRetryState(dice),
  }),
};

function strangeFailure(dice: Dice): Failure {
  const { notDone: _, ...clear } = details;
  const written = dice.chance('not-done', 0.3) ? details : clear;
  const list = draw(dice, 'details', mutated([written, [leftFile, leftFile]]));
  const payloads = (Array.isArray(list) ? list : [list]).slice(0, 10).map(jsonPayload);
  if (dice.chance('unreadable', 0.1)) payloads.unshift(dice.one('payload', unreadable));
  const type = dice.one('type', failureTypes);
  const message = dice.chance('strange-message', 0.3)
    ? draw(dice, 'message', strangeTexts)
    : dice.one('message', ['by hand', '', 'the service returned 400: the Upload is completed', 'x'.repeat(150_000)]);
  const info = { type, nonRetryable: true, details: { payloads } };
  return dice.weighted<Failure>('info', [
    [12, { message, applicationFailureInfo: info }],
    [1, { message, applicationFailureInfo: info, cause: { message, canceledFailureInfo: {} } }],
    [1, { message, applicationFailureInfo: { nonRetryable: true } }],
    [1, { message, serverFailureInfo: { nonRetryable: true } }],
    [1, { message, terminatedFailureInfo: {} }],
    [1, { message, resetWorkflowFailureInfo: {} }],
    [1, { message }],
    [1, {}],
  ]);
}

function strangeTimeout(dice: Dice, beat: unknown): Failure {
  const isOfWorker = beat !== undefined && dice.chance('of-worker', 0.5);
  const isStrange = dice.chance('strange-beat', 0.3);
  const value = draw(dice, 'beat', isStrange ? strangeValues : mutated(isOfWorker ? asJson(beat) : beats));
  const payload = dice.chance('unreadable', 0.1) ? dice.one('payload', unreadable) : jsonPayload(value);
  const lastHeartbeatDetails = dice.chance('no-beat', 0.1) ? null : { payloads: [payload] };
  const timeoutType = dice.one('timeout', Object.values(timeoutTypes));
  return { message: 'by hand', timeoutFailureInfo: { timeoutType, lastHeartbeatDetails } };
}

function drawRetryState(dice: Dice): number {
  return dice.one('retry-state', [
    RetryState.NON_RETRYABLE_FAILURE,
    RetryState.MAXIMUM_ATTEMPTS_REACHED,
    RetryState.TIMEOUT,
  ]);
}

/** With numbers that JSON cannot contain. */
function jsonPayload(value: unknown): Payload {
  const data = Buffer.from(jsonText(value));
  if (data.length > MAX_PAYLOAD_BYTES) return payloadOf('a value that is too large');
  return { metadata: { encoding: Buffer.from('json/plain') }, data };
}

function asJson(value: unknown): unknown {
  return value === undefined ? null : JSON.parse(JSON.stringify(value));
}

function draw<T>(dice: Dice, key: string, values: fc.Arbitrary<T>): T {
  return fc.sample(values, { numRuns: 1, seed: dice.whole(key, 0, 2 ** 31) })[0] as T;
}
