import { Limits, PayloadLimits, TextLimits } from '../../contracts/limits.ts';
import type { WaitingInfo } from '../../contracts/upload.ts';
import { textUpTo } from '../text/check.ts';
import { isPlainObject } from '../payload.ts';
import { isCount, isFlag, isString, isText, isTime, listOf, optional, orNull, shaped, type Is } from './checks.ts';
import { amount, fileFailure, leftFile, limits, planned, problems, session, unmatchedGlobs, waiting } from './parts.ts';
import { fullSync, inspected } from './requests.ts';

const hasPlannedParts: Is = (value) => {
  const { sizeBytes, partSizeBytes, partIds } = value as Record<'sizeBytes' | 'partSizeBytes', number> & {
    readonly partIds: readonly unknown[];
  };
  return sizeBytes > 0 && partSizeBytes > 0 && partIds.length === Math.ceil(sizeBytes / partSizeBytes);
};

const sessionShape = shaped({
  info: session,
  openedAtMs: isTime,
  resent: isFlag,
  sizeBytes: isCount,
  partSizeBytes: isCount,
  partIds: listOf(orNull(isText), Limits.maxParts),
});

const uploadShape = shaped({
  source: optional(inspected),
  session: optional((value) => sessionShape(value) && hasPlannedParts(value)),
  partsSent: isCount,
  paused: isFlag,
  waiting: orNull(waiting),
  otherWaits: optional(
    shaped({
      call: optional(waiting),
      hash: optional(waiting),
      completionSinceMs: optional(isTime),
      partFailedAtMs: optional(isTime),
      callFailedAtMs: optional(isTime),
    }),
  ),
  mayBeCompleted: optional(isFlag),
  startedAtMs: isTime,
  sessionsOpened: isCount,
  sessionsExcused: isCount,
  orphanedSessions: isCount,
  md5: orNull(isText),
  hashCheckpoint: orNull(isPlainObject),
  isChecked: optional(isFlag),
  warnings: optional(listOf(isText, 10)),
  concurrency: optional(
    (value) => isCount(value) && (value as number) >= 1 && (value as number) <= Limits.maxConcurrency,
  ),
  nextPartSizeBytes: optional(isCount),
  limit: optional(shaped({ bytesPerSecond: isCount, revision: isCount })),
  ignoreInode: optional(isFlag),
  otherInode: optional(isFlag),
});

const splitShape = shaped({
  waiting: orNull(waiting),
  settings: shaped({
    concurrency: optional(isCount),
    partSizeBytes: optional(isCount),
    limitBytesPerSecond: optional(isCount),
  }),
  paused: isFlag,
  startedAtMs: isTime,
});

const openFile = shaped({
  planned,
  session: optional(session),
  endsAtMs: isTime,
  left: leftFile,
  sessionsLeft: isCount,
  wasRejected: isFlag,
  settles: isFlag,
  failure: optional(fileFailure),
});

const syncShape = shaped({
  planId: isText,
  isFirst: optional(isFlag),
  waits: optional(shaped({ lists: optional(waiting), batches: optional(waiting) })),
  batches: optional(listOf(listOf(openFile, 1000), 1000)),
  sentUpTo: orNull(isString),
  planned: optional(listOf(planned, 1000)),
  uploadsDone: isFlag,
  counts: shaped({
    listed: amount,
    same: isCount,
    knownContent: isCount,
    toSend: amount,
    sent: amount,
    failed: isCount,
    leftOut: isCount,
    postponed: optional(isCount),
    toDelete: isCount,
    deleted: isCount,
  }),
  problems,
  leftOut: problems,
  postponed: optional(problems),
  unmatchedGlobs: optional(unmatchedGlobs),
  uploadsFailed: isCount,
  paused: isFlag,
  startedAtMs: isTime,
  request: optional(fullSync),
  hasAttributes: optional(isFlag),
  limits: optional(limits),
  memoryProblem: optional((value) => textUpTo(TextLimits.filename)(value) === undefined),
  lists: optional(
    shaped({
      generation: isCount,
      atLeast: isCount,
      planned: optional((value) => isString(value) && (value as string).length <= PayloadLimits.planned),
    }),
  ),
});

/** Problems of the second argument of `uploadFile`, which only the execution before this one can pass. */
export function carriedUploadProblems(carried: unknown): string[] {
  if (isLeftOut(carried)) return [];
  const isSound = uploadShape(carried) && (!('session' in (carried as object)) || 'source' in (carried as object));
  return isSound ? [] : [WRONG];
}

/** The same of `uploadSplitFile`. */
export function carriedSplitProblems(carried: unknown): string[] {
  return isLeftOut(carried) || splitShape(carried) ? [] : [WRONG];
}

/** The same of `syncSource`. The memory of the run before is checked where it is unpacked. */
export function handoverProblems(handover: unknown): string[] {
  if (isLeftOut(handover)) return [];
  const run = isPlainObject(handover) ? handover['run'] : null;
  if (run === undefined) return [];
  const { request, limits: known, isFirst } = (run ?? {}) as Record<string, unknown>;
  const isAdmitted = request !== undefined && known !== undefined;
  return syncShape(run) && (isAdmitted || isFirst === true) ? [] : [WRONG];
}

/** The same of the only argument of `requestRate`. */
export function carriedRateProblems(carried: unknown): string[] {
  return isLeftOut(carried) || shaped({ nextMs: isTime })(carried) ? [] : [WRONG];
}

const WRONG = 'the second argument of the workflow is invalid. Omit it: only Longhaul passes it';

/** The wait in a report, which any caller can send as a signal; undefined for another value. */
export function reportedWait(value: unknown): WaitingInfo | undefined {
  return waiting(value) ? (value as WaitingInfo) : undefined;
}

function isLeftOut(argument: unknown): boolean {
  return argument === undefined || argument === null;
}
