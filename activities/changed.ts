import { SourceChangedError, SourceUnusableError } from '../src/errors.ts';

/** A source that was good when the upload began, and is empty or a directory now, was changed. */
export function changed(error: unknown): SourceChangedError | undefined {
  if (!(error instanceof SourceUnusableError)) return undefined;
  return new SourceChangedError(`the source was changed: ${error.message}`, { cause: error });
}
