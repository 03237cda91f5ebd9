import { ActivityFailure, ApplicationFailure, isCancellation } from '@temporalio/workflow';
import { FailureType, type FailureDetails } from '../src/contracts/failures.ts';
import { reasonLabel } from '../src/core/attribute-values.ts';

/** What a workflow ends with, as `failureOf` made it: its type, and the status of a refusal behind it. */
export function reasonOfFailure(failure: unknown): string {
  if (!(failure instanceof ApplicationFailure)) return 'Unknown';
  const details = failure.details?.[0] as FailureDetails | undefined;
  return reasonLabel(failure.type ?? 'Unknown', details?.status);
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

/** Whether the service did no work for any attempt of an activity that failed. */
export function isNotDone(error: unknown): boolean {
  return detailsOf(error)?.notDone === true;
}

/** What an activity that failed knows of its last attempt. */
export function detailsOf(error: unknown): FailureDetails | undefined {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  return cause instanceof ApplicationFailure ? (cause.details?.[0] as FailureDetails | undefined) : undefined;
}
