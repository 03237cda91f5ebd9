import { AbortedError } from '../src/errors.ts';
import type { TransferActivities } from '../src/contracts/activities.ts';
import type { HashCheckpoint } from '../src/contracts/content.ts';
import { hashSource } from '../src/sources/digest/digest-source.ts';
import { hashHeartbeat } from '../src/core/shape/heartbeats.ts';
import { changed } from './failures.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { runAttempt } from './attempt.ts';
import { scopedSourceError } from './source-scope.ts';

/**
 * Computes the digests of the whole source, and checks its content. The last heartbeat of an attempt has a checkpoint, from
 * which the next attempt resumes.
 */
export function createHashSource({ sources }: ActivityDependencies): TransferActivities['hashSource'] {
  return (input) => {
    let checkpoint: HashCheckpoint | undefined = input.resumeFrom;
    return runAttempt(
      async ({ signal, attempt, lastBeat, isWorkerStopping }) => {
        checkpoint = lastBeat ?? checkpoint;
        const onCheckpoint = (reached: HashCheckpoint) => void (checkpoint = reached);
        const pass = { ...input, resumeFrom: checkpoint, signal, onCheckpoint };
        const outcome = await hashSource(sources, pass).catch(async (error: unknown) => {
          throw changed(error) ?? (await scopedSourceError(error, input, { attempt }, { sources, signal }));
        });
        if (!('checkpoint' in outcome)) return outcome;
        checkpoint = outcome.checkpoint;
        if (isWorkerStopping()) throw new AbortedError('this worker is shutting down');
        // The workflow stopped this activity, and passes the checkpoint on when it continues as new.
        return outcome;
      },
      () => checkpoint,
      hashHeartbeat,
    );
  };
}
