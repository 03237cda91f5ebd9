import {
  hex,
  isCount,
  isMoment,
  isPositive,
  isSeconds,
  isString,
  isText,
  isTime,
  listOf,
  oneOf,
  optional,
  orNull,
  shaped,
} from './checks.ts';

/** A `WaitingInfo`. */
export const waiting = shaped({
  reason: isString,
  failureType: isString,
  status: optional(isCount),
  sinceMs: isTime,
  retryAtMs: optional(isTime),
  nextProbeAtMs: isTime,
});

export const session = shaped({ uploadId: isText, createdAt: isSeconds, expiresAt: isSeconds });

export const limits = shaped({
  maxFileBytes: isCount,
  minPartSizeBytes: isPositive,
  maxPartSizeBytes: isPositive,
  maxParts: isPositive,
  sessionSeconds: isCount,
  maxLines: optional(isCount),
  extensions: optional(listOf(isString, 1000)),
});

export const amount = shaped({ files: isCount, bytes: isCount });
export const problems = listOf(shaped({ path: isString, failureType: isString, message: isString }), 1000);

export const planned = shaped({
  path: isText,
  filename: isText,
  sizeBytes: isCount,
  fingerprint: isString,
  version: isString,
  change: optional(isString),
  mtimeMs: optional(isMoment),
  key: isText,
});

export const range = shaped({ offsetBytes: isCount, sizeBytes: isPositive });

export const unmatchedGlobs = listOf(shaped({ list: isString, glob: isString }), 100);

/** A `SentPart`. */
export const sentPart = shaped({ partId: isText, md5: orNull(hex(32)) });

/** A `LeftFile`. */
export const leftFile = shaped({
  sentPart: optional(sentPart),
  inDoubt: optional(oneOf('response', 'worker')),
  mayHavePart: optional(oneOf(true)),
});

/** A `FileFailure`. */
export const fileFailure = shaped({ type: isString, message: isString });
