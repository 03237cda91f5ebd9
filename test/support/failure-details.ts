import type { LeftFile } from '../../src/contracts/batch.ts';
import type { FailureDetails } from '../../src/contracts/failures.ts';

/** Details of a failed activity, as activities write them. */
export function failureDetails(nowMs: number): FailureDetails {
  return {
    attempt: 1,
    status: 401,
    retryAtMs: nowMs + 100_000,
    retryAfterMs: 100_000,
    unanswered: 1,
    sourceScope: 'container',
    hasAttributes: true,
    subject: { filename: 'a', purpose: 'p', destination: 'd' },
    giveUpAfterMs: 1000,
    notDone: true,
    sentPart: { partId: 'p', md5: null },
  };
}

/** What a failed `sendBatch` leaves of a file. */
export const leftFile: LeftFile = { inDoubt: 'worker', sentPart: { partId: 'p', md5: null } };
