import { ApplicationFailure } from '@temporalio/common';
import { FailureType } from '../../src/contracts/failures.ts';
import { ApiError } from '../../src/errors.ts';

/** Statuses with which servers reject a call about an Upload that is completed, cancelled, expired or unknown. */
const ENDED: readonly number[] = [400, 404, 409, 410];

/** Whether a server rejected a call because of the state of the Upload. */
export function isEnded(error: unknown): error is ApiError {
  return error instanceof ApiError && ENDED.includes(error.details.status);
}

/** Checks a message, which contains Longhaul's word "completing" in addition to the server's message. */
export function saysCompleted(error: ApiError): boolean {
  return /completed/i.test(`${error.message} ${error.details.apiCode ?? ''}`);
}

/** Words in the message of a server whose session expired or was cancelled. Such an Upload was not completed. */
export function saysEnded(error: ApiError): boolean {
  return /expired|cancell?ed/i.test(`${error.message} ${error.details.apiCode ?? ''}`);
}

/** Failure that requires an operator, because another upload could create a second File. */
export function uncertain(uploadId: string, error: ApiError, attempt: number): ApplicationFailure {
  const message =
    `it is unknown whether ${uploadId} is completed: the files list does not contain its File (${error.message}). ` +
    'Check the list, and upload again only if the File is missing.';
  const { status } = error.details;
  return ApplicationFailure.nonRetryable(message, FailureType.CompletionUncertain, { attempt, status });
}

/** Failure after which another session can succeed. */
export function sessionLost(message: string, attempt: number, status?: number): ApplicationFailure {
  return ApplicationFailure.nonRetryable(message, FailureType.SessionLost, { attempt, status });
}

/** Returns the failure of a call whose session is lost; undefined for another failure. */
export function lostSession(error: unknown, attempt: number): ApplicationFailure | undefined {
  if (!isEnded(error)) return undefined;
  const { status } = error.details;
  const isLost = status === 404 || status === 410 || saysEnded(error);
  return isLost ? sessionLost(error.message, attempt, status) : undefined;
}
