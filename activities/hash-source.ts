import { AbortedError } from '../src/errors.ts';
import type { HashCheckpoint, TransferActivities } from '../src/contracts/activities.ts';
import { hashSource as hash } from '../src/sources/hash-source.ts';
import { changed } from './changed.ts';
import { runAttempt } from './run-attempt.ts';

/** md5 of the whole source. An attempt that ends early leaves a checkpoint in its heartbeat, and the next goes on from it. */
export const hashSource: TransferActivities['hashSource'] = (input) => {
  let checkpoint: HashCheckpoint | undefined = input.resumeFrom;
  return runAttempt(
    async ({ signal, lastBeat, isWorkerStopping }) => {
      checkpoint = lastBeat ?? checkpoint;
      const { source, fingerprint, sizeBytes } = input;
      const outcome = await hash({
        source,
        fingerprint,
        sizeBytes,
        ...(checkpoint ? { resumeFrom: checkpoint } : {}),
        signal,
        onAbort: 'checkpoint',
        onCheckpoint: (reached) => {
          checkpoint = reached;
        },
      }).catch((error: unknown) => {
        throw changed(error) ?? error;
      });
      if (!('checkpoint' in outcome)) return outcome;
      checkpoint = outcome.checkpoint;
      if (isWorkerStopping()) throw new AbortedError('this worker is shutting down');
      // The workflow asked for a stop: it takes the checkpoint along when it continues as new.
      return outcome;
    },
    () => checkpoint,
  );
};
