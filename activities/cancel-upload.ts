import type { ControlActivities } from '../src/contracts/activities.ts';
import { StrangeAnswerError } from '../src/errors.ts';
import { isEnded, saysCompleted } from './completion/words.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { findCompletedFile } from './completion/find-completed-file.ts';
import { runAttempt } from './attempt.ts';

/** Cancels an Upload. An Upload that is not open counts as cancelled, unless it has a File. */
export function createCancelUpload(dependencies: ActivityDependencies): ControlActivities['cancelUpload'] {
  return ({ destination, uploadId, completion }) =>
    runAttempt(async ({ signal, timeoutMs, attempt }) => {
      const client = dependencies.destination(destination);
      const end = await client.cancel(uploadId, { signal, timeoutMs }).then(
        // A lenient service accepts the cancellation of any Upload.
        ({ status }) => (status === 'completed' ? 'completed' : 'cancelled'),
        (error: unknown) => {
          if (!isEnded(error)) throw error;
          return saysCompleted(error) ? 'completed' : 'unknown';
        },
      );
      if (end === 'cancelled' || !completion) return undefined;
      const file = await findCompletedFile(client, { uploadId, ...completion }, { signal, attempt, timeoutMs });
      // The list can show a new File late, so the next attempt searches again.
      if (!file && end === 'completed')
        throw new StrangeAnswerError(`${uploadId} is completed, but its File is not listed`);
      return file;
    });
}
