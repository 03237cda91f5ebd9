import { Defaults, type DestinationLimits } from '../../contracts/limits.ts';

/** The parts of a file: equal sizes, the last one shorter. Numbers start at 1. */
export interface PartPlan {
  readonly sizeBytes: number;
  readonly partSizeBytes: number;
  readonly partCount: number;
}

export type PartLimits = Pick<DestinationLimits, 'minPartSizeBytes' | 'maxPartSizeBytes' | 'maxParts'>;

/**
 * The size of the parts of a file. Without a requested size, it is 1/128 of the file, but at least 8 MiB: at most a few
 * hundred parts, so that the history is short. If that makes too many parts, they are larger.
 */
export function partSizeWithin(limits: PartLimits, sizeBytes: number, requested?: number): number {
  const ideal = requested ?? Math.max(Math.ceil(sizeBytes / Defaults.autoParts), Defaults.minAutoPartSizeBytes);
  const least = Math.max(limits.minPartSizeBytes, Math.ceil(sizeBytes / limits.maxParts));
  return Math.min(Math.max(ideal, least), limits.maxPartSizeBytes);
}

/** Why parts of this size cannot be sent; undefined if they can be. */
export function partSizeProblem(limits: PartLimits, partSizeBytes: number | undefined): string | undefined {
  const { minPartSizeBytes: least, maxPartSizeBytes: most } = limits;
  if (partSizeBytes === undefined || (partSizeBytes >= least && partSizeBytes <= most)) return undefined;
  return `"partSizeBytes" must be from ${least} to ${most} for this destination and purpose`;
}

/** Half of a part that a gateway rejected as too large; undefined if the parts are as small as they can be. */
export function halvedPartSizeBytes(limits: PartLimits, sizeBytes: number, partSizeBytes: number): number | undefined {
  const half = partSizeWithin(limits, sizeBytes, Math.ceil(partSizeBytes / 2));
  return half < partSizeBytes ? half : undefined;
}

/**
 * The part size with which the service completed an upload, if it was smaller than the planned one: the service rejects
 * larger parts, so that the next uploads use it from the start.
 */
export function acceptedPartSizeBytes(
  limits: PartLimits,
  sizeBytes: number,
  planned: number | undefined,
  used: number | undefined,
): number | undefined {
  const plannedBytes = Math.min(partSizeWithin(limits, sizeBytes, planned), sizeBytes);
  return used !== undefined && used < plannedBytes ? used : undefined;
}

/** @throws RangeError for an empty file: the API rejects an empty Upload */
export function planParts(sizeBytes: number, partSizeBytes: number): PartPlan {
  if (sizeBytes < 1) throw new RangeError('an empty file has no parts');
  return { sizeBytes, partSizeBytes, partCount: Math.ceil(sizeBytes / partSizeBytes) };
}

export function partRange(plan: PartPlan, partNumber: number): { offsetBytes: number; sizeBytes: number } {
  const offsetBytes = (partNumber - 1) * plan.partSizeBytes;
  return { offsetBytes, sizeBytes: Math.min(plan.partSizeBytes, plan.sizeBytes - offsetBytes) };
}

/** Minimum rate of a usable link. A slower attempt is retried. */
const SLOWEST_BYTES_PER_SECOND = 64 * 1024;

/** Sufficient for a slow link. Missing heartbeats detect a dead worker. */
export function partTimeoutMs(sizeBytes: number): number {
  return Math.max(300_000, Math.ceil((sizeBytes / SLOWEST_BYTES_PER_SECOND) * 1000));
}

/** A server can read the whole content again before it responds to a completion, at this rate or faster. */
const SLOWEST_CHECK_BYTES_PER_SECOND = 32 * 1024 * 1024;

/** Timeout after which a completion without a response is repeated. */
export function completeTimeoutMs(bytes: number): number {
  return 120_000 + Math.ceil((bytes / SLOWEST_CHECK_BYTES_PER_SECOND) * 1000);
}
