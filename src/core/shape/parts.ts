import { isCount, isPositive, isSeconds, isString, isText, isTime, listOf, optional, shaped } from './checks.ts';

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
  mtimeMs: optional(isTime),
  key: isText,
});
