import { Defaults, Limits } from '../../contracts/limits.ts';

/** The parts of a file: equal sizes, the last one shorter. Numbers start at 1. */
export interface PartPlan {
  readonly sizeBytes: number;
  readonly partSizeBytes: number;
  readonly partCount: number;
}

/** 1/128 of the file, from 8 MiB to 64 MiB: at most a few hundred parts, so that the history is short. */
export function automaticPartSizeBytes(sizeBytes: number): number {
  const ideal = Math.ceil(sizeBytes / Defaults.autoParts);
  return Math.min(Math.max(ideal, Defaults.minAutoPartSizeBytes), Limits.maxPartSizeBytes);
}

/** Half of a part that a gateway rejected as too large; undefined if the parts are as small as they can be. */
export function halvedPartSizeBytes(partSizeBytes: number): number | undefined {
  const half = Math.max(Math.ceil(partSizeBytes / 2), Limits.minPartSizeBytes);
  return half < partSizeBytes ? half : undefined;
}

/**
 * The part size with which the service completed an upload, if it was smaller than the planned one: the service rejects
 * larger parts, so that the next uploads use it from the start.
 */
export function acceptedPartSizeBytes(sizeBytes: number, planned: number | undefined, used: number | undefined) {
  const plannedBytes = Math.min(planned ?? automaticPartSizeBytes(sizeBytes), sizeBytes);
  return used !== undefined && used < plannedBytes ? used : undefined;
}

/** @throws RangeError for an empty file: the API rejects an empty Upload */
export function planParts(sizeBytes: number, partSizeBytes = automaticPartSizeBytes(sizeBytes)): PartPlan {
  if (sizeBytes < 1) throw new RangeError('an empty file has no parts');
  return { sizeBytes, partSizeBytes, partCount: Math.ceil(sizeBytes / partSizeBytes) };
}

/** The range of bytes of part `partNumber`. */
export function partRange(plan: PartPlan, partNumber: number): { offsetBytes: number; sizeBytes: number } {
  const offsetBytes = (partNumber - 1) * plan.partSizeBytes;
  return { offsetBytes, sizeBytes: Math.min(plan.partSizeBytes, plan.sizeBytes - offsetBytes) };
}
