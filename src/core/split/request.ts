import { Limits } from '../../contracts/limits.ts';
import { isPlainObject } from '../payload.ts';
import { uploadRequestProblems } from '../upload/request.ts';
import { SPLIT_IGNORES_NO_INODE } from '../upload/tuning.ts';

/** Every problem of a request to upload a split file, in words; none for a good one. */
export function splitRequestProblems(request: unknown): string[] {
  if (!isPlainObject(request)) return uploadRequestProblems(request);
  const { pieceSizeBytes, again, ...upload } = request;
  const problems = uploadRequestProblems(upload);
  if (pieceSizeBytes !== undefined && !isPieceSize(pieceSizeBytes))
    problems.push(`"pieceSizeBytes" must be a whole number from 1 to ${Limits.maxFileBytes}`);
  if (again !== undefined && typeof again !== 'boolean') problems.push('"again" must be true or false');
  if (upload['ignoreInode'] === true) problems.push(SPLIT_IGNORES_NO_INODE);
  return problems;
}

function isPieceSize(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 1 && (value as number) <= Limits.maxFileBytes;
}
