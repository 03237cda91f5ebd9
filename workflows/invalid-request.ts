import { ApplicationFailure } from '@temporalio/workflow';
import { FailureType } from '../src/contracts/failures.ts';
import { clipMessage } from '../src/core/clip.ts';

/** Rejects what a caller sent. Its own texts are in the message, so that is limited. */
export function invalidRequest(...problems: readonly string[]): ApplicationFailure {
  return ApplicationFailure.nonRetryable(clipMessage(problems.join('; ')), FailureType.InvalidRequest);
}
