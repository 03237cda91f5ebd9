import { ActivityFailure, ApplicationFailure } from '@temporalio/workflow';
import type { SourceInfo } from '../../src/contracts/activities.ts';
import { FailureType } from '../../src/contracts/failures.ts';
import { withoutInode } from '../../src/core/upload/fingerprint.ts';
import type { UploadTuning } from '../../src/core/upload/tuning.ts';
import { failureIn } from '../shell/failures.ts';
import type { Unchecked } from '../shell/results.ts';

/** The source that the calls of an upload expect: with its inode, or with any inode after `ignoreInode` was set. */
export class ExpectedSource {
  readonly #tuning: UploadTuning;
  #isOther: boolean;

  constructor(tuning: UploadTuning, isOther = false) {
    this.#tuning = tuning;
    this.#isOther = isOther;
  }

  /** Whether a call found another inode than the inspection. */
  get isOther(): boolean {
    return this.#isOther;
  }

  /** Makes a call, and repeats it if it expected the inode and `ignoreInode` was set in the meantime. */
  readonly call = async <Result extends object>(
    source: SourceInfo,
    call: (expected: SourceInfo) => Promise<Unchecked<Result>>,
    checked: (result: Unchecked<Result>) => Result,
  ): Promise<Result> => {
    for (;;) {
      const { ignoreInode } = this.#tuning;
      try {
        const { fingerprint } = source;
        const result = checked(
          await call(ignoreInode ? { ...source, fingerprint: withoutInode(fingerprint) } : source),
        );
        const seen = 'fingerprint' in result ? result.fingerprint : source.fingerprint;
        this.#isOther ||= seen !== source.fingerprint;
        return result;
      } catch (error) {
        const isChanged = failureIn(error)?.type === FailureType.SourceChanged;
        if (ignoreInode || !this.#tuning.ignoreInode || !isChanged) throw error;
      }
    }
  };
}

/** Failure of a completion that was rejected because of the MD5, after parts were read from files with two inodes. */
export function otherContent(error: unknown): ApplicationFailure {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return ApplicationFailure.nonRetryable(
    `the MD5 of the file does not match its parts: its inode and its content changed during the upload (${reason}). ` +
      'No File was created. Start a new upload.',
    FailureType.SourceChanged,
  );
}
