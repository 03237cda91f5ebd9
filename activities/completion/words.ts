import { ApplicationFailure } from '@temporalio/common';
import { FailureType } from '../../src/contracts/failures.ts';
import type { ApiError } from '../../src/errors.ts';

/** Statuses with which servers reject a call about an Upload that is completed, cancelled, expired or unknown. */
export const ENDED: readonly number[] = [400, 404, 409, 410];

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
  return ApplicationFailure.create({
    message:
      `it is unknown whether ${uploadId} is completed: the files list does not contain its File (${error.message}). ` +
      'Check the list, and upload again only if the File is missing.',
    type: FailureType.CompletionUncertain,
    nonRetryable: true,
    details: [{ attempt, status: error.details.status }],
  });
}

/** Failure after which another session can succeed. */
export function sessionLost(message: string, attempt: number, status?: number): ApplicationFailure {
  return ApplicationFailure.create({
    message,
    type: FailureType.SessionLost,
    nonRetryable: true,
    details: [{ attempt, status }],
  });
}
