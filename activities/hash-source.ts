import { AbortedError } from '../src/errors.ts';
import type {
  HashCheckpoint,
  HashSourceInput,
  HashSourceResult,
  TransferActivities,
} from '../src/contracts/activities.ts';
import { assertUnchanged } from '../src/sources/assert-unchanged.ts';
import { hashFile } from '../src/sources/hash-file.ts';
import { hashReader } from '../src/sources/hash-reader.ts';
import type { Sources } from '../src/sources/sources.ts';
import { changed } from './changed.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { runAttempt } from './run-attempt.ts';

const CHECKPOINT_EVERY_MS = 1000;
/** Small, as it is hashed on the event loop: half a millisecond each. */
const REMOTE_CHUNK_BYTES = 256 * 1024;

/** md5 of the whole source. An attempt that ends early leaves a checkpoint in its heartbeat, and the next goes on from it. */
export function createHashSource({ sources }: ActivityDependencies): TransferActivities['hashSource'] {
  return (input) => {
    let checkpoint: HashCheckpoint | undefined = input.resumeFrom;
    return runAttempt(
      async ({ signal, lastBeat, isWorkerStopping }) => {
        checkpoint = lastBeat ?? checkpoint;
        const pass: Pass = {
          ...input,
          ...(checkpoint ? { resumeFrom: checkpoint } : {}),
          signal,
          onCheckpoint: (reached) => {
            checkpoint = reached;
          },
        };
        const outcome = await hash(sources, pass).catch((error: unknown) => {
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
}

interface Pass extends HashSourceInput {
  readonly signal: AbortSignal;
  readonly onCheckpoint: (checkpoint: HashCheckpoint) => void;
}

/** A file is hashed in a thread of its own. What comes over the network is slower than the md5 of it anyway. */
async function hash(sources: Sources, pass: Pass): Promise<HashSourceResult> {
  const { source, fingerprint, signal } = pass;
  const reader = await sources.open(source);
  try {
    if (source.type === 'file') return await hashFile({ ...pass, source, onAbort: 'checkpoint' });
    await assertUnchanged(reader, fingerprint);
    const md5 = reader.storedMd5?.();
    if (md5 !== undefined) return { md5 };
    const settings = { chunkBytes: REMOTE_CHUNK_BYTES, checkpointEveryMs: CHECKPOINT_EVERY_MS };
    return await hashReader(reader, { ...pass, ...settings, isStopping: () => signal.aborted });
  } finally {
    await reader.close();
  }
}
