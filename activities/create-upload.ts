import type { ControlActivities } from '../src/contracts/activities.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { runAttempt } from './run-attempt.ts';

/**
 * Opens an Upload, and does not break that off for a cancellation: a session that is known can be cancelled.
 * When the answer is lost the retry opens another one; the first expires by itself.
 */
export function createCreateUpload(dependencies: ActivityDependencies): ControlActivities['createUpload'] {
  return ({ destination, ...upload }) =>
    runAttempt(({ stopSignal: signal, timeoutMs }) =>
      dependencies.destination(destination).createUpload(upload, { signal, timeoutMs }),
    );
}
