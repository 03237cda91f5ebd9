import { LonghaulError } from '../errors.ts';

/** The command did its work but for some files, which it has named. */
export class FilesFailedError extends LonghaulError {
  readonly code = 'FILES_FAILED';
  readonly retryable = false;
}
