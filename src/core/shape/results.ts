import { Limits, PayloadLimits } from '../../contracts/limits.ts';
import { checkMemory } from '../sync/memory-shape.ts';
import { isPlainObject } from '../payload.ts';
import {
  hex,
  isCount,
  isFlag,
  isPositive,
  isString,
  isText,
  isTime,
  listOf,
  oneOf,
  optional,
  orNull,
  isMoment,
  shaped,
  type Is,
} from './checks.ts';
import { amount, planned, problems, range, session, unmatchedGlobs } from './parts.ts';
import { checkpoint } from './heartbeats.ts';
import { fileOutcome, openOutcome } from './outcomes.ts';
import { admitted, fullSync, inspected, split } from './requests.ts';

/** Entries of a list that one payload can contain. */
const MANY = PayloadLimits.payload;

const file = shaped({
  id: isText,
  bytes: isCount,
  createdAt: isTime,
  expiresAt: optional(isTime),
  filename: isString,
  purpose: isString,
  status: optional(isString),
});

const warnings = optional(listOf(isString, 100));
const sha256 = optional(hex(64));

const part = shaped({
  partId: isText,
  attempt: isPositive,
  md5: optional(hex(32)),
  sha256,
  warnings,
  fingerprint: optional(isText),
});

const isHashed = shaped({
  // Empty if only the content was checked.
  md5: (value) => value === '' || hex(32)(value),
  sha256,
  warnings,
  fingerprint: optional(isText),
});

const isStopped = shaped({ checkpoint });

/** An `UploadResult`. */
export const uploadResult = shaped({
  uploadId: isText,
  file,
  bytes: isCount,
  md5: orNull(hex(32)),
  parts: isPositive,
  partSizeBytes: optional(isPositive),
  partsSent: isCount,
  sessions: isCount,
  orphanedSessions: optional(isCount),
});

const pieces = listOf(
  (value) => range(value) && shaped({ receipt: optional(uploadResult), isReplaced: optional(isFlag) })(value),
  Limits.maxPieces,
);
const splitShape = shaped({ ...split, pieces });

/** A plan whose pieces cover the source, in order. Otherwise bytes would be missing without an error. */
const plannedSplit: Is = (value) => {
  if (!splitShape(value)) return false;
  const { sizeBytes, pieces: list } = value as {
    readonly sizeBytes: number;
    readonly pieces: readonly { readonly offsetBytes: number; readonly sizeBytes: number }[];
  };
  let end = 0;
  for (const { offsetBytes, sizeBytes: bytes } of list) {
    if (offsetBytes !== end) return false;
    end += bytes;
  }
  return end === sizeBytes;
};

const remembered = shaped({
  path: isString,
  sizeBytes: isCount,
  version: isString,
  fileId: isString,
  md5: orNull(isString),
  createdAt: optional(isTime),
  change: optional(isString),
  mtimeMs: optional(isMoment),
});
const recognised = listOf(remembered, MANY);

const deletion = shaped({
  path: isString,
  fileId: isText,
  expected: optional(shaped({ filename: isString, bytes: isCount, createdAt: isTime })),
});

const reported = {
  problems,
  problemCount: isCount,
  leftOut: problems,
  leftOutCount: isCount,
  postponed: optional(problems),
  postponedCount: optional(isCount),
  same: isCount,
  knownContent: isCount,
};

const batch = shaped({
  totals: shaped({
    ...reported,
    listed: amount,
    toSend: amount,
    unreadableRows: optional(isCount),
    unmatchedGlobs: optional(unmatchedGlobs),
    memoryProblem: optional(isText),
  }),
  uploads: listOf(planned, 1000),
  recognised,
  deletions: listOf(deletion, MANY),
  hasDeletions: isFlag,
  deletionCount: isCount,
  deletionsHeld: orNull(isString),
  decisions: listOf(isPlainObject, MANY),
  decisionsOmitted: isCount,
  forget: optional(listOf(isString, MANY)),
  next: orNull(isString),
  planned: optional((value) => isString(value) && (value as string).length <= PayloadLimits.planned),
  relisted: optional(shaped({ ...reported, added: amount, dropped: amount })),
  generation: optional(isCount),
  packsEarly: optional(isFlag),
});

const answers: Readonly<Record<string, Is>> = {
  batch,
  reading: shaped({ recognised, left: isCount }),
  'memory-needed': shaped({ packFirst: optional(isFlag) }),
};
const ofSync = shaped({
  type: oneOf(...Object.keys(answers)),
  admitted: optional(shaped({ ...admitted, request: fullSync })),
});

/** Milliseconds that a sync sleeps without a reason for operators: more than a worker returns. */
const MAX_PAUSE_MS = 3_600_000;

const isPause: Is = (value) => isTime(value) && (value as number) <= MAX_PAUSE_MS;
const outcomes = (outcome: Is) => shaped({ outcomes: listOf(outcome, 1000), pauseMs: optional(isPause) });

/**
 * The results of activities by their names. Any client of Temporal can complete an activity, also with the result of
 * another one, so a workflow checks each result before it uses it.
 */
export const resultShapes = {
  inspectSource: inspected,
  createUpload: (value) => session(value) && shaped({ unanswered: optional(isCount) })(value),
  uploadPart: part,
  hashSource: (value) => (isPlainObject(value) && 'md5' in value ? isHashed(value) : isStopped(value)),
  completeUpload: file,
  // Without a File, it has no result.
  cancelUpload: (value) => value === undefined || value === null || file(value),
  planSplit: plannedSplit,
  planSync: (value) => ofSync(value) && answers[(value as { readonly type: string }).type]?.(value) === true,
  // A memory that is unreadable in Temporal is a stand-in.
  recallSync: (value) => value === null || (isPlainObject(value) && checkMemory(value).memory !== null),
  packSyncMemory: (value) => isPlainObject(value) && checkMemory(value).memory !== null,
  openBatch: outcomes(openOutcome),
  sendBatch: outcomes(fileOutcome),
} as const satisfies Readonly<Record<string, Is>>;
