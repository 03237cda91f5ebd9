import type { TransferActivities } from '../src/contracts/activities.ts';
import { openSource } from '../src/sources/open-source.ts';
import { runAttempt } from './run-attempt.ts';

/** Size and fingerprint of the source, before anything is created. */
export const inspectSource: TransferActivities['inspectSource'] = ({ source }) =>
  runAttempt(async () => {
    const reader = await openSource(source);
    try {
      return await reader.stat();
    } finally {
      await reader.close();
    }
  });
