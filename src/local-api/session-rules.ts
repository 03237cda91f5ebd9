import { ApiProblem, badRequest, notFound } from './errors.ts';
import type { LiveUpload, PartRecord, UploadRecord, UploadStatus } from './upload-record.ts';

/** What the rules need of an Upload. The simulation of `test/simulation` has such Uploads, too. */
export interface SessionState extends Pick<LiveUpload, 'receivedBytes' | 'busy'> {
  readonly record: Pick<UploadRecord, 'id' | 'bytes' | 'status' | 'expiresAt'>;
  readonly parts: ReadonlyMap<string, Pick<PartRecord, 'sizeBytes'>>;
}

/** Creation and end of a session in Unix seconds. */
export function sessionTimes(nowMs: number, lifeSeconds: number): Pick<UploadRecord, 'createdAt' | 'expiresAt'> {
  const createdAt = Math.floor(nowMs / 1000);
  return { createdAt, expiresAt: createdAt + lifeSeconds };
}

/** The status by the clock: a pending Upload whose time has passed is expired. */
export function statusAt({ record, busy }: Pick<SessionState, 'record' | 'busy'>, nowMs: number): UploadStatus {
  const isOver = record.status === 'pending' && !busy && nowMs >= record.expiresAt * 1000;
  return isOver ? 'expired' : record.status;
}

/**
 * Returns the Upload, which must be open. A completed or cancelled Upload is a wrong request (400), as "no Parts may be
 * added after an Upload is completed". An expired one is handled as one that no longer exists (404): the documentation
 * does not say, and servers return both. While a completion checks the content, other requests are rejected with 409.
 *
 * @throws ApiProblem if it is not open
 */
export function requirePending<Upload extends SessionState>(
  uploadId: string,
  upload: Upload | undefined,
  nowMs: number,
): Upload {
  if (upload === undefined) throw notFound(`No such Upload: '${uploadId}'.`, 'upload_not_found');
  const status = statusAt(upload, nowMs);
  if (status === 'expired') throw notFound(`Upload '${uploadId}' has expired.`, 'upload_expired');
  if (status !== 'pending') throw badRequest(`Upload '${uploadId}' is ${status}.`, undefined, `upload_${status}`);
  if (upload.busy) {
    throw new ApiProblem(409, `Upload '${uploadId}' is busy with another request; try again.`, { code: 'upload_busy' });
  }
  return upload;
}

/** "A Part can be at most 64 MB." @returns the rejection of a larger Part */
export function partTooLarge(maxPartBytes: number): ApiProblem {
  return new ApiProblem(413, `A Part can be at most ${maxPartBytes} bytes.`, { param: 'data', code: 'part_too_large' });
}

/** Bytes that a strict service accepts: it counts all that it has received, also of a Part that was sent twice. */
export function roomOf({ record, receivedBytes }: SessionState, isStrict: boolean): number {
  return isStrict ? record.bytes - receivedBytes : record.bytes;
}

/** "The bytes uploaded must match `bytes` of the create call": with this Part they never can. */
export function tooManyBytes({ record, receivedBytes }: SessionState): ApiProblem {
  const { id, bytes } = record;
  const message = `With this Part, Upload '${id}' would have more than its ${bytes} bytes (${receivedBytes} are here).`;
  return badRequest(message, 'data', 'bytes_exceeded');
}

/** @throws ApiProblem if no File can be made of these Parts in this order */
export function requireParts({ record, parts }: SessionState, partIds: readonly string[]): void {
  let sumBytes = 0;
  const seen = new Set<string>();
  for (const partId of partIds) {
    const part = parts.get(partId);
    if (part === undefined) {
      throw badRequest(`Upload '${record.id}' has no Part '${partId}'.`, 'part_ids', 'part_not_found');
    }
    if (seen.has(partId)) throw badRequest(`Part '${partId}' is named twice.`, 'part_ids', 'duplicate_part');
    seen.add(partId);
    sumBytes += part.sizeBytes;
  }
  // "The number of bytes uploaded upon completion must match the number of bytes initially specified."
  if (sumBytes !== record.bytes) {
    const expected = `the Upload was created with ${record.bytes}`;
    throw badRequest(`The named Parts have ${sumBytes} bytes, but ${expected}.`, 'part_ids', 'bytes_mismatch');
  }
}

/** The rejection of a completion. The Upload stays open: the caller can name the Parts in another order, or cancel. */
export function wrongMd5(actual: string, requested: string): ApiProblem {
  return badRequest(`The md5 of the named Parts is ${actual}, not ${requested}.`, 'md5', 'md5_mismatch');
}
