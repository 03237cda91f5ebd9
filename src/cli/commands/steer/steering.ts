import { setMaxListeners } from 'node:events';
import pMap from 'p-map';
import type { JobHandle } from '../../../client/job-handle.ts';
import { SteeringRefusedError } from '../../../client/errors.ts';
import type { JobKind } from '../../../contracts/upload.ts';
import { isSync } from '../../../client/lists/list-uploads.ts';
import { ConfigError } from '../../../errors.ts';
import { withBackend, type Backend } from '../../backend.ts';
import type { CliContext } from '../../context.ts';
import { errorText, AlreadyReported, jsonErrorOf } from '../../errors.ts';
import { queueServer } from '../../workers/serve-queues.ts';
import { checkSelection, select, type SteerSelection } from './selection.ts';

/** The result for one upload or sync. */
export interface Steered {
  /** `ended`: it was already closed. */
  readonly outcome: 'done' | 'ended';
  /** Text for the terminal. */
  readonly line: string;
  /** Further properties of `--json`. */
  readonly details?: object;
}

interface Steering {
  readonly verb: 'pause' | 'resume' | 'retry' | 'retune' | 'cancel';
  readonly apply: (handle: JobHandle) => Promise<Steered>;
  /** Whether it applies to uploads only. @defaultValue false */
  readonly isForUploads?: boolean;
  /** Maximum number of uploads and syncs at the same time. @defaultValue 8 */
  readonly concurrency?: number;
}

interface SteerOptions {
  readonly json?: boolean;
}

const CONCURRENCY = 8;

/**
 * Controls uploads and syncs. With one ID, its error fails the command. With several, the command prints one line for
 * each, and fails if any failed.
 */
export async function steer(
  context: CliContext,
  selection: SteerSelection,
  steering: Steering,
  { json }: SteerOptions,
): Promise<void> {
  const { note, signal } = context;
  checkSelection(selection, steering.verb, context.stdin.isTTY);
  await withBackend(context, {}, async (backend) => {
    const targets = await select(context, backend, selection, steering.verb, !steering.isForUploads);
    if (targets === undefined) {
      note('changed nothing');
      if (json) context.json({ outcomes: [] });
      return;
    }
    const isAlone = selection.query === undefined && targets.length === 1 && !json;
    const run = new SteeringRun(context, backend, steering, selection.query !== undefined);
    const outcomes = await pMap(targets, (workflowId) => run.steer(workflowId, isAlone), {
      concurrency: steering.concurrency ?? CONCURRENCY,
    });
    signal.throwIfAborted();
    const [only] = outcomes;
    if (isAlone && only?.error) throw only.error;
    if (json) context.json({ outcomes: outcomes.map(toJson) });
    else if (targets.length === 0) note('no running upload or sync matches the query');
    if (outcomes.some(({ error }) => error !== undefined)) throw new AlreadyReported();
  });
}

interface Outcome {
  readonly workflowId: string;
  readonly steered?: Steered;
  readonly error?: unknown;
}

class SteeringRun {
  readonly #context: CliContext;
  readonly #backend: Backend;
  readonly #steering: Steering;
  readonly #byQuery: boolean;
  readonly #serve: (taskQueue: string) => Promise<void>;

  constructor(context: CliContext, backend: Backend, steering: Steering, byQuery: boolean) {
    this.#context = context;
    this.#backend = backend;
    this.#steering = steering;
    this.#byQuery = byQuery;
    this.#serve = queueServer(context, backend);
  }

  /** Never rejects: the calls for the others would continue after the connection closes. */
  async steer(workflowId: string, isAlone: boolean): Promise<Outcome> {
    const { note, signal } = this.#context;
    try {
      signal.throwIfAborted();
      const steered = await this.#untilInterrupted(() => this.#steerOne(workflowId));
      note(steered.line);
      return { workflowId, steered };
    } catch (error) {
      if (!isAlone && !signal.aborted) note(`longhaul: ${workflowId}: ${errorText(error)}`);
      return { workflowId, error };
    }
  }

  async #steerOne(workflowId: string): Promise<Steered> {
    const { client } = this.#backend;
    const { apply, isForUploads } = this.#steering;
    const handle = client.getHandle<JobKind>(workflowId);
    const { status, taskQueue, workflowType } = await handle.describe();
    if (this.#byQuery && status !== 'RUNNING') return hasEnded(workflowId, status);
    if (status === 'RUNNING') await this.#serve(taskQueue);
    if (isForUploads && isSync({ type: workflowType })) {
      throw new ConfigError(`${workflowId} is a sync. Pass the ID of one of its uploads.`);
    }
    try {
      return await apply(handle);
    } catch (error) {
      if (!this.#byQuery || !(error instanceof SteeringRefusedError)) throw error;
      const { status: now } = await handle.describe();
      if (now === 'RUNNING') throw error;
      return hasEnded(workflowId, now);
    }
  }

  /** Makes Ctrl-C abort the call: a pause can wait a long time for its parts. */
  async #untilInterrupted<T>(act: () => Promise<T>): Promise<T> {
    // A separate signal, because each request leaves a listener on it.
    const own = AbortSignal.any([this.#context.signal]);
    setMaxListeners(0, own);
    return this.#backend.client.temporal.withAbortSignal(own, act);
  }
}

export function hasEnded(workflowId: string, status: string): Steered {
  return { outcome: 'ended', line: `${workflowId} is already closed (${status.toLowerCase()})`, details: { status } };
}

function toJson({ workflowId, steered, error }: Outcome): object {
  if (steered) return { workflowId, outcome: steered.outcome, ...steered.details };
  return { workflowId, outcome: 'failed', error: jsonErrorOf(error) };
}
