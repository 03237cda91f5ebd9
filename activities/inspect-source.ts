import type { TransferActivities } from '../src/contracts/activities.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { changed } from './failures.ts';
import { runAttempt } from './attempt.ts';
import { scopedSourceError } from './source-scope.ts';

/** Size and fingerprint of the source, before anything is created. */
export function createInspectSource({ sources }: ActivityDependencies): TransferActivities['inspectSource'] {
  return ({ source, within, smallBytes = 0 }) =>
    runAttempt(async ({ signal, attempt }) => {
      try {
        const reader = await sources.open(source, { signal });
        try {
          const info = await reader.stat();
          return { ...info, isSmall: info.sizeBytes <= smallBytes ? true : undefined };
        } finally {
          await reader.close();
        }
      } catch (error) {
        // A sync has listed it as a file that can be uploaded.
        const now = within && changed(error);
        throw now ?? (await scopedSourceError(error, { within, failsQuickly: true }, { attempt }, { sources, signal }));
      }
    });
}
