import type { TransferActivities } from '../src/contracts/activities.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { runAttempt } from './run-attempt.ts';

/** Size and fingerprint of the source, before anything is created. */
export function createInspectSource({ sources }: ActivityDependencies): TransferActivities['inspectSource'] {
  return ({ source, smallBytes = 0 }) =>
    runAttempt(async ({ signal }) => {
      const reader = await sources.open(source, { signal });
      try {
        const info = await reader.stat();
        return { ...info, ...(info.sizeBytes <= smallBytes ? { isSmall: true } : {}) };
      } finally {
        await reader.close();
      }
    });
}
