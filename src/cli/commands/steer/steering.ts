import { setMaxListeners } from 'node:events';
import pMap from 'p-map';
import type { JobHandle } from '../../../client/job-handle.ts';
import { SteeringRefusedError } from '../../../client/errors.ts';
import type { JobKind } from '../../../contracts/upload.ts';
import { isSync } from '../../../client/lists/workflow-summary.ts';
import { ConfigError } from '../../../errors.ts';
import { withBackend, type Backend } from '../../backend.ts';
import type { CliContext } from '../../context.ts';
import { errorText, SaidAlready } from '../../errors/exit.ts';
import { jsonErrorOf } from '../../errors/json-errors.ts';
import { queueServer } from '../../workers/serve-queues.ts';
import { checkSelection, select, type SteerSelection } from './selection.ts';

/** What came of it for one upload or sync. */
export interface Steered {
  /** `ended`: there was nothing left to steer. */
  readonly outcome: 'done' | 'ended';
  /** For a person. */
  readonly line: string;
  /** What goes into `--json`. */
  readonly details?: object;
}

export interface Steering {
  readonly verb: 'pause' | 'resume' | 'retry' | 'retune' | 'cancel';
  readonly apply: (handle: JobHandle) => Promise<Steered>;
  /** Whether it applies to uploads only. @defaultValue false */
  readonly isForUploads?: boolean;
  /** Most at a time. @defaultValue 8 */
  readonly concurrency?: number;
}

export interface SteerOptions {
  readonly json?: boolean;
}

const CONCURRENCY = 8;

/**
 * Steers uploads and syncs. One that is named by its id fails the command with its own error; of several each is told by
 * a line of its own, and any that failed fails the command.
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
      note('nothing was changed');
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
    else if (targets.length === 0) note('no upload or sync that runs matches the query');
    if (outcomes.some(({ error }) => error !== undefined)) throw new SaidAlready();
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

  /** Never rejects: the others' calls would go on when the connection is closed. */
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
      throw new ConfigError(`${workflowId} is a sync; give the id of one of its uploads`);
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

  /** A pause may wait long for its parts; a person who has seen enough of it need not. */
  async #untilInterrupted<T>(act: () => Promise<T>): Promise<T> {
    // Of its own: each request leaves a listener on the signal that it is given.
    const own = AbortSignal.any([this.#context.signal]);
    setMaxListeners(0, own);
    return this.#backend.client.temporal.withAbortSignal(own, act);
  }
}

export function hasEnded(workflowId: string, status: string): Steered {
  return { outcome: 'ended', line: `${workflowId} has ended already: ${status.toLowerCase()}`, details: { status } };
}

function toJson({ workflowId, steered, error }: Outcome): object {
  if (steered) return { workflowId, outcome: steered.outcome, ...steered.details };
  return { workflowId, outcome: 'failed', error: jsonErrorOf(error) };
}
