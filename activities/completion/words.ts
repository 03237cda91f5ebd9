import { ApplicationFailure } from '@temporalio/common';
import { FailureType } from '../../src/contracts/failures.ts';
import type { ApiError } from '../../src/errors.ts';

/** Statuses with which servers reject a call for an Upload that has ended: completed, cancelled, expired or unknown. */
export const ENDED: readonly number[] = [400, 404, 409, 410];

/** The message contains Longhaul's word "completing" in addition to the server's message. */
export function saysCompleted(error: ApiError): boolean {
  return /completed/i.test(`${error.message} ${error.details.apiCode ?? ''}`);
}

/** Words of a server that ended the session itself; such an Upload was not completed. */
export function saysEnded(error: ApiError): boolean {
  return /expired|cancell?ed/i.test(`${error.message} ${error.details.apiCode ?? ''}`);
}

/** Beginning again could make a second File; a person can see what a program can't. */
export function uncertain(uploadId: string, error: ApiError, attempt: number): ApplicationFailure {
  return ApplicationFailure.create({
    message:
      `${uploadId} may be completed, but the files list does not show its File (${error.message}); ` +
      'look at the list, and upload again only when the File is missing',
    type: FailureType.CompletionUncertain,
    nonRetryable: true,
    details: [{ attempt, status: error.details.status }],
  });
}

/** Another session can help. */
export function sessionLost(message: string, attempt: number, status?: number): ApplicationFailure {
  return ApplicationFailure.create({
    message,
    type: FailureType.SessionLost,
    nonRetryable: true,
    details: [{ attempt, status }],
  });
}
