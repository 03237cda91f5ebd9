import type { LeftFiles } from '../../contracts/batch.ts';
import type { FailureDetails } from '../../contracts/failures.ts';
import { TextLimits } from '../../contracts/limits.ts';
import { isPlainObject } from '../payload.ts';
import { textUpTo } from '../text/check.ts';
import { isCount, isFlag, isPositive, isString, isTime, listOf, oneOf, shaped, whole, type Is } from './checks.ts';
import { leftFile, sentPart } from './parts.ts';
import { isPeriodMs } from './requests.ts';

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
  retryAfterMs: isPeriodMs,
  notDone: oneOf(true),
  unanswered: whole(0, MANY),
  sourceScope: oneOf('file', 'container'),
  hasAttributes: isFlag,
  subject: shaped({ filename: isName, purpose: isName, destination: isName }),
  giveUpAfterMs: isPeriodMs,
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
