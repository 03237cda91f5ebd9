import type { ControlActivities } from '../src/contracts/activities.ts';
import { ApiError } from '../src/errors.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { runAttempt } from './run-attempt.ts';

/** Statuses with which servers say that there is no such File. */
const GONE = [404, 410];

/** Deletes a File; one that is gone already counts as deleted. */
export function createDeleteFile(dependencies: ActivityDependencies): ControlActivities['deleteFile'] {
  return ({ destination, fileId }) =>
    runAttempt(async ({ signal, timeoutMs }) => {
      try {
        await dependencies.destination(destination).deleteFile(fileId, { signal, timeoutMs });
      } catch (error) {
        if (!(error instanceof ApiError && GONE.includes(error.details.status))) throw error;
      }
    });
}
