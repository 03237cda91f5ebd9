import { ApplicationFailure } from '@temporalio/common';
import type { ControlActivities } from '../src/contracts/activities.ts';
import { FailureType } from '../src/contracts/failures.ts';
import { ApiError } from '../src/errors.ts';
import { saysCompleted, saysEnded, uncertain } from './completion-words.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { findCompletedFile } from './find-completed-file.ts';
import { runAttempt } from './run-attempt.ts';

/** "Completing again is an error on every server seen (400, 404, 409 or 410)." */
const MAYBE_COMPLETED = [400, 404, 409, 410];

/**
 * Completes an Upload. When an earlier attempt may have got through without its answer, completing once more is safe
 * (it is refused), and a refusal is then checked against the files list before it is believed.
 */
export function createCompleteUpload(dependencies: ActivityDependencies): ControlActivities['completeUpload'] {
  return (input) =>
    runAttempt(async (attempt) => {
      const client = dependencies.destination(input.destination);
      const { partIds, md5 } = input;
      try {
        // A cancellation that comes now comes too late: the service may be done already.
        const { stopSignal: signal, timeoutMs } = attempt;
        return await client.completeUpload(input.uploadId, { partIds, ...(md5 ? { md5 } : {}) }, { signal, timeoutMs });
      } catch (error) {
        if (!(error instanceof ApiError) || !MAYBE_COMPLETED.includes(error.details.status)) throw error;
        const isCompleted = saysCompleted(error);
        const mayBeCompleted = isCompleted || input.mayBeCompleted === true || attempt.attempt > 1;
        if (mayBeCompleted) {
          const file = await findCompletedFile(client, input, attempt);
          if (file) return file;
        }
        // It may come from a server that still reads the whole content for an earlier attempt.
        if (error.details.status === 409 && !isCompleted) throw error;
        if (isCompleted || (mayBeCompleted && !saysEnded(error)))
          throw uncertain(input.uploadId, error, attempt.attempt);
        throw refusal(error, attempt.attempt);
      }
    });
}

function refusal(error: ApiError, attempt: number): ApplicationFailure {
  const { status } = error.details;
  return ApplicationFailure.create({
    message: error.message,
    type: status === 404 || status === 410 || saysEnded(error) ? FailureType.SessionLost : FailureType.ApiRejected,
    nonRetryable: true,
    details: [{ attempt, status }],
  });
}
