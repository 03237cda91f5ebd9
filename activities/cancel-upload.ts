import type { ControlActivities } from '../src/contracts/activities.ts';
import { ApiError } from '../src/errors.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { runAttempt } from './run-attempt.ts';

/** Statuses with which servers say that there is nothing left to cancel. */
const ALREADY_OVER = [400, 404, 409, 410];

/** Cancels an Upload; one that has ended already counts as cancelled. */
export function createCancelUpload(dependencies: ActivityDependencies): ControlActivities['cancelUpload'] {
  return ({ destination, uploadId }) =>
    runAttempt(async ({ signal, timeoutMs }) => {
      try {
        await dependencies.destination(destination).cancelUpload(uploadId, { signal, timeoutMs });
      } catch (error) {
        if (!(error instanceof ApiError && ALREADY_OVER.includes(error.details.status))) throw error;
      }
    });
}
