import { Limits, TextLimits } from '../../contracts/limits.ts';
import { isPlainObject } from '../payload.ts';
import { taskQueueProblem } from '../task-queue.ts';
import { textUpTo } from '../text/check.ts';
import { partSizeWithin } from '../upload/plan.ts';
import {
  isCount,
  isFlag,
  isPositive,
  isString,
  isText,
  listOf,
  oneOf,
  optional,
  shaped,
  whole,
  type Is,
} from './checks.ts';
import { limits, range } from './parts.ts';

/*
 * Requests with their defaults, as the first activity returns them. A workflow uses them for commands, which Temporal
 * rejects repeatedly if a value is invalid. Properties of later versions are optional, for results of earlier workers.
 */

/** A year. */
const MAX_PERIOD_MS = 365 * 86_400_000;

export const isPeriodMs = whole(0, MAX_PERIOD_MS);

/** Only workers read the rest of a source. */
const source = shaped({ type: oneOf('file', 's3', 'http'), range: optional(range) });
const container = shaped({ type: oneOf('folder', 's3') });

const settings = {
  partSizeBytes: optional(isPositive),
  concurrency: whole(1, Limits.maxConcurrency),
  maxSessions: isPositive,
  giveUpAfterMs: isPeriodMs,
  md5: isFlag,
  check: optional(isString),
  ignoreInode: optional(isFlag),
  mimeType: optional(isText),
  fileExpiresAfterSeconds: optional(isCount),
  priority: optional(whole(1, Limits.lastPriority)),
  fairnessKey: optional((value) => textUpTo(Limits.maxFairnessKeyBytes)(value) === undefined),
  fairnessWeight: optional(
    (value) => typeof value === 'number' && value >= Limits.minFairnessWeight && value <= Limits.maxFairnessWeight,
  ),
};

const upload = {
  ...settings,
  source,
  purpose: isText,
  filename: isText,
  destination: isText,
  within: optional(container),
  limitBytesPerSecond: optional(isCount),
  sharedLimit: optional(shaped({ key: isText, bytesPerSecond: isPositive })),
  sha256: optional(isFlag),
  expectedFingerprint: optional(isText),
  transferTaskQueue: optional((value) => taskQueueProblem(value) === undefined),
  heartbeatTimeoutMs: whole(1000, 600_000),
};

/** A `FullSyncRequest`. */
export const fullSync = shaped({
  source: container,
  purpose: isText,
  destination: isText,
  prefix: isString,
  include: listOf(isString, TextLimits.globs),
  exclude: listOf(isString, TextLimits.globs),
  minAgeMs: optional(isCount),
  checksum: optional(isFlag),
  manifest: optional(isPlainObject),
  delete: isFlag,
  maxFiles: optional(isCount),
  maxConcurrentUploads: whole(1, Limits.maxConcurrentUploads),
  limitBytesPerSecond: optional(isCount),
  dryRun: isFlag,
  upload: shaped(settings),
});

/** Properties that the first activities of all workflows return. */
export const admitted = { hasAttributes: isFlag, limits };

const ofSource = { ...admitted, sizeBytes: whole(1, Number.MAX_SAFE_INTEGER), fingerprint: isText };

const inspectedShape = shaped({ ...ofSource, request: shaped(upload), isSmall: optional(isFlag) });

/** An `InspectSourceResult`, whose parts fit into an Upload. */
export const inspected: Is = (value) => {
  if (!inspectedShape(value)) return false;
  const {
    limits: known,
    sizeBytes,
    request,
  } = value as {
    readonly limits: Parameters<typeof partSizeWithin>[0];
    readonly sizeBytes: number;
    readonly request: { readonly partSizeBytes?: number };
  };
  return sizeBytes / partSizeWithin(known, sizeBytes, request.partSizeBytes) <= Limits.maxParts;
};

/** A `PlanSplitResult` without its pieces. */
export const split = { ...ofSource, request: shaped({ ...upload, pieceSizeBytes: optional(isPositive) }) };
