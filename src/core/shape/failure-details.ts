import type { CreateHeartbeat } from '../../contracts/activities.ts';
import type { LeftFiles, OpenBatchHeartbeat, SendBatchHeartbeat } from '../../contracts/batch.ts';
import type { FailureDetails } from '../../contracts/failures.ts';
import { TextLimits } from '../../contracts/limits.ts';
import { isPlainObject } from '../payload.ts';
import { textUpTo } from '../text/check.ts';
import {
  isCount,
  isFlag,
  isPositive,
  isString,
  isTime,
  listOf,
  oneOf,
  recordOf,
  shaped,
  whole,
  type Is,
} from './checks.ts';
import { fileOutcome } from './outcomes.ts';
import { leftFile, sentPart, session } from './parts.ts';
import { givesUpAfterMs } from './requests.ts';

/*
 * Data in the failures of activities. Any client of Temporal can fail an activity, and write the heartbeat that a timeout
 * returns. Invalid data is ignored.
 */

/** Files of a batch, or attempts of a call: more than either has. */
const MANY = 1000;

const isName: Is = (value) => textUpTo(TextLimits.url)(value) === undefined;

const shapes: { readonly [Name in keyof Required<FailureDetails>]: Is } = {
  attempt: isPositive,
  status: whole(0, 999),
  requestId: isString,
  apiCode: isString,
  retryAtMs: isTime,
  // A sum with the current time is a time, too.
  retryAfterMs: whole(0, 365 * 86_400_000),
  notDone: oneOf(true),
  unanswered: whole(0, MANY),
  sourceScope: oneOf('file', 'container'),
  hasAttributes: isFlag,
  subject: shaped({ filename: isName, purpose: isName, destination: isName }),
  giveUpAfterMs: givesUpAfterMs,
  content: shaped({ invalid: isCount, problems: listOf(shaped({ line: isCount, reason: isString }), MANY) }),
  sentPart,
};

/** Returns the valid properties of the details of a failure; undefined if it has none. */
export function knownDetails(details: unknown): FailureDetails | undefined {
  if (!isPlainObject(details)) return undefined;
  return Object.fromEntries(
    Object.entries(shapes).flatMap(([name, is]) => (is(details[name]) ? [[name, details[name]]] : [])),
  );
}

const areLeft = listOf(leftFile, MANY);

/** Returns the files that a failed `sendBatch` left. */
export function leftFiles(value: unknown): LeftFiles | undefined {
  return areLeft(value) ? (value as LeftFiles) : undefined;
}

const isCreateBeat = shaped({ refused: whole(0, MANY) });
const isOpenBeat = shaped({ sessions: recordOf(session, MANY) });
const isSendBeat = shaped({
  attempt: isPositive,
  outcomes: recordOf(fileOutcome, MANY),
  left: recordOf(leftFile, MANY),
});

/** Returns the heartbeat of `createUpload`. */
export function createHeartbeat(value: unknown): CreateHeartbeat | undefined {
  return isCreateBeat(value) ? (value as CreateHeartbeat) : undefined;
}

/** Returns the heartbeat of `openBatch`. */
export function openHeartbeat(value: unknown): OpenBatchHeartbeat | undefined {
  return isOpenBeat(value) ? (value as OpenBatchHeartbeat) : undefined;
}

/** Returns the heartbeat of `sendBatch`. */
export function sendHeartbeat(value: unknown): SendBatchHeartbeat | undefined {
  return isSendBeat(value) ? (value as SendBatchHeartbeat) : undefined;
}
