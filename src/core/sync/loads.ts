import type { PlannedUpload } from '../../contracts/batch.ts';
import { BatchLimits, Defaults } from '../../contracts/limits.ts';
import { jsonBytes } from '../payload.ts';

/** Of a file of a batch, without its texts: IDs of its session and of its Part, numbers and property names. */
const ROW_BYTES = 400;

/** Files that a sync sends together, or one file that is a separate upload. */
export type Load = readonly [PlannedUpload, ...PlannedUpload[]];

/** Sorts files into loads: small files into batches of about the same size, each other file separately. */
export function loadsOf(uploads: readonly PlannedUpload[]): Load[] {
  const small = uploads.filter(isSmall);
  const loads = uploads.filter((one) => !isSmall(one)).map((one): Load => [one]);
  const bytes = small.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const batches = Math.max(Math.ceil(small.length / BatchLimits.files), Math.ceil(bytes / BatchLimits.sizeBytes));
  const files = Math.ceil(small.length / batches);
  let batch: PlannedUpload[] = [];
  let [sizeBytes, inputBytes] = [0, 0];
  for (const one of small) {
    const rowBytes = batchRowBytes(one);
    const isFull =
      batch.length >= files ||
      sizeBytes + one.sizeBytes > BatchLimits.sizeBytes ||
      inputBytes + rowBytes > BatchLimits.inputBytes;
    if (isFull) {
      loads.push(batch as unknown as Load);
      batch = [];
      [sizeBytes, inputBytes] = [0, 0];
    }
    batch.push(one);
    sizeBytes += one.sizeBytes;
    inputBytes += rowBytes;
  }
  if (batch.length > 0) loads.push(batch as unknown as Load);
  return loads.toSorted(([a], [b]) => uploads.indexOf(a) - uploads.indexOf(b));
}

/** Whether a sync sends a file in a batch. */
export function isSmall({ sizeBytes }: PlannedUpload): boolean {
  return sizeBytes <= Defaults.smallFileBytes;
}

/** About the bytes of a file in the input of `sendBatch`. */
export function batchRowBytes({ path, filename, fingerprint }: PlannedUpload): number {
  return jsonBytes([path, filename, fingerprint]) + ROW_BYTES;
}
