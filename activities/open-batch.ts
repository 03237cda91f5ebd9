import pMap from 'p-map';
import type {
  OpenBatchFile,
  OpenBatchHeartbeat,
  OpenBatchInput,
  OpenBatchResult,
  OpenOutcome,
} from '../src/contracts/batch.ts';
import type { ControlActivities } from '../src/contracts/activities.ts';
import { openHeartbeat } from '../src/core/shape/heartbeats.ts';
import { mimeTypeFields } from '../src/core/upload/mime-type.ts';
import type { Destination } from '../src/destinations/port.ts';
import { runAttempt, type Attempt } from './attempt.ts';
import { rotated, Troubles } from './batch/failures.ts';
import { mimeTypeOf } from './create-upload.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { toApplicationFailure } from './failures.ts';

/**
 * Opens the sessions of small files, whose IDs are in history before anything is sent. An attempt that opened a session
 * returns, and the caller repeats the call for the remaining files. A cancellation does not abort calls, because only a
 * session with a known ID can be cancelled.
 */
export function createOpenBatch(dependencies: ActivityDependencies): ControlActivities['openBatch'] {
  return (input) => {
    const opened = new Map<number, OpenOutcome>();
    const beat = (): OpenBatchHeartbeat => {
      const sessions = [...opened].flatMap(([index, one]) => ('session' in one ? [[index, one.session] as const] : []));
      return { sessions: Object.fromEntries(sessions) };
    };
    const run = async (attempt: Attempt<OpenBatchHeartbeat>) => {
      for (const [index, session] of Object.entries(attempt.lastBeat?.sessions ?? {})) {
        opened.set(Number(index), { session });
      }
      const client = dependencies.destination(input.destination);
      return openAll(client, input, attempt, opened);
    };
    return runAttempt<OpenBatchResult, OpenBatchHeartbeat>(run, beat, openHeartbeat);
  };
}

async function openAll(
  client: Destination,
  input: OpenBatchInput,
  { signal, stopSignal, attempt, timeoutMs, isWorkerStopping }: Attempt<OpenBatchHeartbeat>,
  opened: Map<number, OpenOutcome>,
): Promise<OpenBatchResult> {
  const troubles = new Troubles();
  const open = async (index: number) => {
    try {
      const fields = fieldsOf(input, input.files[index] as OpenBatchFile);
      opened.set(index, { session: await client.open(fields, { signal: stopSignal, timeoutMs }) });
      troubles.succeeded();
    } catch (error) {
      if (stopSignal.aborted) return;
      const failure = troubles.add(toApplicationFailure(error, { attempt }));
      if (failure) opened.set(index, { failure });
    }
  };
  const left = rotated(
    [...input.files.keys()].filter((index) => !opened.has(index)),
    attempt,
  );
  const openNext = async (index: number) => {
    if (!signal.aborted && !troubles.areEverywhere) await open(index);
  };
  await pMap(left, openNext, { concurrency: input.concurrency });
  if (opened.size === 0 && isWorkerStopping()) signal.throwIfAborted();
  if (opened.size === 0 && !signal.aborted) throw troubles.failure();
  const outcomes = [...input.files.keys()].map((index): OpenOutcome => opened.get(index) ?? { left: true });
  return { outcomes, pauseMs: opened.size < outcomes.length ? troubles.pauseMs : undefined };
}

function fieldsOf(
  { purpose, mimeType: requested, fileExpiresAfterSeconds }: OpenBatchInput,
  { filename, bytes }: OpenBatchFile,
) {
  const { mimeType, mimeTypeByName } = mimeTypeFields(filename, requested);
  const type = mimeTypeByName ? mimeTypeOf(filename, mimeType) : mimeType;
  return { filename, purpose, bytes, mimeType: type, fileExpiresAfterSeconds };
}
