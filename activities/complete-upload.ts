import { completeHeartbeat } from '../src/core/shape/heartbeats.ts';
import { ApplicationFailure } from '@temporalio/common';
import type { CompleteHeartbeat, CompleteUploadInput, ControlActivities } from '../src/contracts/activities.ts';
import { FailureType } from '../src/contracts/failures.ts';
import type { UploadedFile } from '../src/contracts/upload.ts';
import type { Destination } from '../src/destinations/port.ts';
import { completeSession } from './completion/complete-session.ts';
import { isEnded, lostSession, saysCompleted, saysEnded, uncertain } from './completion/words.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { findCompletedFile } from './completion/find-completed-file.ts';
import { runAttempt, type Attempt } from './attempt.ts';
import { isRejectedBeforeWork, toApplicationFailure } from './failures.ts';

/**
 * Completes an Upload. If an earlier attempt can have succeeded without a response, a second completion is safe, because
 * the service rejects it. The activity then searches the File in the files list. This does not apply to attempts that the
 * service rejected before any work, for example with 429.
 */
export function createCompleteUpload(dependencies: ActivityDependencies): ControlActivities['completeUpload'] {
  return (input) => {
    let rejected = 0;
    return runAttempt<UploadedFile, CompleteHeartbeat>(
      async (attempt) => {
        rejected = attempt.lastBeat?.rejected ?? 0;
        const isInDoubt = input.mayBeCompleted === true || attempt.attempt - 1 > rejected;
        try {
          return await complete(dependencies.destination(input.destination), input, attempt, isInDoubt);
        } catch (error) {
          if (isInDoubt || !isRejectedBeforeWork(error)) throw error;
          rejected++;
          attempt.beatNow();
          throw toApplicationFailure(error, { attempt: attempt.attempt, notDone: true });
        }
      },
      () => ({ rejected }),
      completeHeartbeat,
    );
  };
}

async function complete(
  client: Destination,
  input: CompleteUploadInput,
  attempt: Attempt<CompleteHeartbeat>,
  isInDoubt: boolean,
): Promise<UploadedFile> {
  const { uploadId, partIds, md5, bytes, filename, purpose, uploadCreatedAt: createdAt } = input;
  const fields = { partIds, file: { bytes, filename, purpose, createdAt }, md5: md5 || undefined };
  try {
    // Ignores a cancellation from here on, because the service can have completed the Upload.
    const { stopSignal: signal, timeoutMs } = attempt;
    return await completeSession(client, uploadId, fields, { signal, timeoutMs });
  } catch (error) {
    if (!isEnded(error)) throw error;
    const isCompleted = saysCompleted(error);
    const mayBeCompleted = isCompleted || isInDoubt;
    if (mayBeCompleted) {
      const file = await findCompletedFile(client, input, attempt);
      if (file) return file;
    }
    // A server that still reads the whole content for an earlier attempt can return it.
    if (error.details.status === 409 && !isCompleted && !saysEnded(error)) throw error;
    if (isCompleted || (mayBeCompleted && !saysEnded(error))) throw uncertain(uploadId, error, attempt.attempt);
    const { status } = error.details;
    throw (
      lostSession(error, attempt.attempt) ??
      ApplicationFailure.nonRetryable(error.message, FailureType.ApiRejected, { attempt: attempt.attempt, status })
    );
  }
}
