import pMap from 'p-map';
import { JobCancelledError, SteeringRefusedError } from '../../../client/errors.ts';
import type { JobHandle } from '../../../client/job-handle.ts';
import { isSync } from '../../../client/lists/list-uploads.ts';
import type { RetuneInput } from '../../../contracts/names.ts';
import type { JobKind } from '../../../contracts/upload.ts';
import { ConfigError } from '../../../errors.ts';
import { queueServer, withBackend } from '../../backend.ts';
import type { CliContext } from '../../context.ts';
import { AlreadyReported, errorText, jsonErrorOf } from '../../errors.ts';
import { describeStatus } from '../status/view.ts';
import { filesOf } from '../upload/outcomes.ts';
import { checkSelection, select } from './selection.ts';
import { callSignal } from '../../../temporal/call-signal.ts';
import { isOpen, PAUSED_STATUS, pausedText } from '../../../temporal/workflow-status.ts';

export type SteerVerb = 'pause' | 'resume' | 'retry' | 'retune' | 'cancel';

interface SteerCommandOptions {
  readonly query?: string;
  readonly yes?: boolean;
  readonly json?: boolean;
  /** Of `pause`. */
  readonly stop?: boolean;
  /** The others of `retune`. */
  readonly concurrency?: number;
  readonly limit?: number;
  readonly partSize?: number;
  readonly ignoreInode?: boolean;
}

interface Steered {
  /** `ended`: it was already closed. */
  readonly outcome: 'done' | 'ended';
  /** Text for the terminal. */
  readonly line: string;
  /** Further properties of `--json`. */
  readonly details?: object;
}

const CONCURRENCY = 8;
/** A pause only waits for parts in flight. A low limit would delay the others, which continue to send. */
const PAUSES_AT_A_TIME = 64;

/**
 * Returns the command that controls uploads and syncs. With one ID, its error fails the command. With several, the command
 * prints one line for each, and fails if any failed.
 */
export const steerCommand =
  (verb: SteerVerb) =>
  async (context: CliContext, ids: readonly string[], options: SteerCommandOptions): Promise<void> => {
    const { note, signal } = context;
    const { query, json, yes } = options;
    const apply = actionOf(verb, options, signal);
    const isForUploads = verb === 'retune';
    const selection = { ids, query, yes };
    checkSelection(selection, verb, context.stdin.isTTY);
    await withBackend(context, {}, async (backend) => {
      const { client } = backend;
      const serve = queueServer(context, backend);
      const targets = await select(context, backend, selection, verb, !isForUploads);
      if (targets === undefined) {
        note('changed nothing');
        if (json) context.json({ outcomes: [] });
        return;
      }
      const isAlone = query === undefined && targets.length === 1 && !json;

      const steerOne = async (workflowId: string): Promise<Steered> => {
        const handle = client.getHandle<JobKind>(workflowId);
        const { status, taskQueue, workflowType } = await handle.describe();
        if (query !== undefined && !isOpen(status)) return hasEnded(workflowId, status);
        if (isOpen(status)) await serve(taskQueue);
        if (isForUploads && isSync({ type: workflowType })) {
          throw new ConfigError(`${workflowId} is a sync. Pass the ID of one of its uploads.`);
        }
        try {
          return await apply(handle);
        } catch (error) {
          if (query === undefined || !(error instanceof SteeringRefusedError)) throw error;
          const { status: now } = await handle.describe();
          if (isOpen(now)) throw error;
          return hasEnded(workflowId, now);
        }
      };
      /** Never rejects: the calls for the others would continue after the connection closes. */
      const outcomeOf = async (workflowId: string): Promise<{ readonly shown: object; readonly error?: unknown }> => {
        try {
          signal.throwIfAborted();
          // Ctrl-C aborts the call: a pause can wait a long time.
          const call = client.temporal.withAbortSignal(callSignal(signal), () => steerOne(workflowId));
          const { outcome, line, details } = await call;
          note(line);
          return { shown: { workflowId, outcome, ...details } };
        } catch (error) {
          if (!isAlone && !signal.aborted) note(`longhaul: ${workflowId}: ${errorText(error)}`);
          return { shown: { workflowId, outcome: 'failed', error: jsonErrorOf(error) }, error };
        }
      };
      const concurrency = verb === 'pause' ? PAUSES_AT_A_TIME : CONCURRENCY;
      const outcomes = await pMap(targets, outcomeOf, { concurrency });
      signal.throwIfAborted();
      if (isAlone && outcomes[0]?.error) throw outcomes[0].error;
      if (json) context.json({ outcomes: outcomes.map(({ shown }) => shown) });
      else if (targets.length === 0) note('no running upload or sync matches the query');
      if (outcomes.some(({ error }) => error !== undefined)) throw new AlreadyReported();
    });
  };

/** @throws ConfigError if `retune` has nothing to change */
function actionOf(
  verb: SteerVerb,
  options: SteerCommandOptions,
  signal: AbortSignal,
): (handle: JobHandle) => Promise<Steered> {
  if (verb === 'cancel') return (handle) => cancelAndWait(handle, signal);
  const { concurrency, limit, partSize, ignoreInode } = options;
  const input: RetuneInput = { concurrency, limitBytesPerSecond: limit, partSizeBytes: partSize, ignoreInode };
  if (verb === 'retune' && Object.values(input).every((value) => value === undefined)) {
    throw new ConfigError('nothing to change. Use --concurrency, --limit, --part-size or --ignore-inode.');
  }
  const send = (handle: JobHandle) => {
    if (verb === 'pause') return handle.pause({ parts: options.stop ? 'stop' : 'finish' });
    return verb === 'retune' ? handle.retune(input) : handle[verb]();
  };
  return async (handle) => {
    const progress = await send(handle);
    return { outcome: 'done', line: describeStatus(handle.workflowId, progress), details: { progress } };
  };
}

/** Returns after the job has closed and its sessions are cancelled. */
async function cancelAndWait(handle: JobHandle, signal: AbortSignal): Promise<Steered> {
  const { workflowId } = handle;
  const { status } = await handle.describe();
  if (!isOpen(status)) return hasEnded(workflowId, status);
  if (status === PAUSED_STATUS) throw new SteeringRefusedError(pausedText(workflowId));
  await handle.cancel();
  try {
    const result = await handle.result({ signal });
    const files = 'counts' in result ? [] : filesOf(result).map(({ id }) => id);
    const outcome = files.length > 0 ? `: ${files.join(', ')}` : '';
    const line = `${workflowId} completed before the cancellation${outcome}`;
    return { outcome: 'ended', line, details: { status: 'COMPLETED', files } };
  } catch (error) {
    if (!(error instanceof JobCancelledError)) throw error;
    return { outcome: 'done', line: `cancelled ${workflowId}` };
  }
}

function hasEnded(workflowId: string, status: string): Steered {
  return { outcome: 'ended', line: `${workflowId} is already closed (${status.toLowerCase()})`, details: { status } };
}
