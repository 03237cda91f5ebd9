import type { TransferActivities } from '../src/contracts/activities.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { runAttempt } from './run-attempt.ts';

/** Size and fingerprint of the source, before anything is created. */
export function createInspectSource({ sources }: ActivityDependencies): TransferActivities['inspectSource'] {
  return ({ source }) =>
    runAttempt(async ({ signal }) => {
      const reader = await sources.open(source, { signal });
      try {
        return await reader.stat();
      } finally {
        await reader.close();
      }
    });
}
