import { ActivityFailure, ApplicationFailure, isCancellation } from '@temporalio/workflow';
import { FailureType } from '../src/contracts/failures.ts';

/** The type of what a workflow ends with, as `failureOf` made it. */
export function failureTypeOf(failure: unknown): string {
  return (failure instanceof ApplicationFailure ? failure.type : undefined) ?? 'Unknown';
}

/** The activity's own failure rather than its wrapping, so that every client finds the type at the same depth. */
export function failureOf(error: unknown): unknown {
  if (!(error instanceof ActivityFailure) || isCancellation(error)) return error;
  const { cause } = error;
  if (!(cause instanceof ApplicationFailure)) return error;
  return ApplicationFailure.create({
    message: cause.message,
    type: cause.type ?? FailureType.ApiRejected,
    nonRetryable: true,
    details: cause.details ?? [],
    cause: error,
  });
}
