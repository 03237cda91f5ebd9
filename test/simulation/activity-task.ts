import type { coresdk } from '@temporalio/proto';
import type { VirtualClock, VirtualTimer } from './clock.ts';
import type { Dice } from './dice.ts';
import { Heartbeats } from './heartbeats.ts';
import { failureOfError, Failures, milliseconds, payloadOf, RetryState, valuesOf } from './payloads.ts';
import type { Failure, Payload } from './run.ts';

export type Resolution = coresdk.activity_result.IActivityResolution;
export type ScheduleActivity = coresdk.workflow_commands.IScheduleActivity;

export interface AttemptInfo {
  /** Unique among all activities of a simulation, and the same for the same seed. */
  readonly key: string;
  readonly activityType: string;
  readonly workflowId: string;
  readonly runId: string;
  readonly attempt: number;
  readonly worker: number;
  readonly startToCloseTimeoutMs: number;
  readonly heartbeatTimeoutMs: number | undefined;
  readonly heartbeatDetails: unknown;
  /** Whether the server still waits for this attempt. */
  readonly isCurrent: () => boolean;
}

/** The end of an activity that another client of Temporal reports. */
export interface Forgery {
  readonly moment: 'queued' | 'running' | 'instead';
  /** Milliseconds from the start of the first attempt, if one runs. */
  readonly afterMs: number;
  /** @param result of a worker, if it has one @param beat details of the last heartbeat of a worker */
  readonly endOf: (
    result: unknown,
    beat: unknown,
  ) => { readonly result: Payload | null } | { readonly failure: Failure; readonly retryState: number };
}

/** Code that runs on a worker. */
export interface RunningAttempt {
  readonly outcome: Promise<unknown>;
  cancel(reason: 'CANCELLED' | 'TIMED_OUT' | 'WORKER_SHUTDOWN'): void;
  /** The process ends. A request that was sent can still arrive. */
  kill(): void;
}

export interface ActivityWorld {
  readonly clock: VirtualClock;
  readonly dice: Dice;
  readonly trace: (line: string) => void;
  /** The worker that polls next. */
  readonly pickWorker: (key: string) => number;
  /** Called once for each activity. */
  readonly forgery: (type: string, key: string) => Forgery | undefined;
  readonly start: (info: AttemptInfo, input: readonly unknown[], beat: (details: unknown) => void) => RunningAttempt;
}

/** `ActivityCancellationType` of the SDK's core. */
const CancellationType = { TRY_CANCEL: 0, WAIT_CANCELLATION_COMPLETED: 1, ABANDON: 2 } as const;

/** One scheduled activity: its attempts, and what the server decides about them. */
export class ActivityTask {
  readonly type: string;
  readonly seq: number;
  readonly input: readonly unknown[];
  readonly key: string;
  /** Whether another client has ended it. */
  isForged = false;
  readonly #world: ActivityWorld;
  readonly #forgery: Forgery | undefined;
  readonly #options: ScheduleActivity;
  readonly #owner: { readonly workflowId: string; readonly runId: string };
  readonly #onClosed: (resolution: Resolution) => void;
  readonly #scheduledAtMs: number;
  #attempt = 1;
  #details: unknown;
  #current: { readonly run: RunningAttempt; readonly worker: number; readonly token: object } | undefined;
  #isCancelRequested = false;
  #isClosed = false;
  #timers: VirtualTimer[] = [];
  #heartbeatTimer: VirtualTimer | undefined;

  constructor(
    world: ActivityWorld,
    options: ScheduleActivity,
    owner: { readonly workflowId: string; readonly runId: string; readonly key: string },
    onClosed: (resolution: Resolution) => void,
  ) {
    this.#world = world;
    this.#options = options;
    this.#owner = owner;
    this.#onClosed = onClosed;
    this.#scheduledAtMs = world.clock.nowMs;
    this.type = options.activityType ?? '';
    this.seq = options.seq ?? 0;
    this.key = `${owner.key}/${this.type}-${this.seq}`;
    this.input = valuesOf(options.arguments);
    this.#forgery = world.forgery(this.type, this.key);
    const totalMs = milliseconds(options.scheduleToCloseTimeout);
    if (totalMs) this.#timers.push(world.clock.after(totalMs, () => this.#expire(totalMs)));
    this.#dispatchAfter(0);
  }

  get isRunning(): boolean {
    return this.#current !== undefined;
  }

  get worker(): number | undefined {
    return this.#current?.worker;
  }

  /** @returns what the workflow receives immediately, if it does not wait for the end of the activity */
  requestCancel(): Resolution | undefined {
    if (this.#isClosed) return undefined;
    const { cancellationType } = this.#options;
    if (cancellationType !== CancellationType.ABANDON) this.#isCancelRequested = true;
    const isQueued = !this.#current;
    if (cancellationType === CancellationType.WAIT_CANCELLATION_COMPLETED) {
      if (isQueued) this.#close({ cancelled: { failure: this.#wrapped(Failures.cancelled(), 0) } });
      return undefined;
    }
    if (isQueued && cancellationType === CancellationType.TRY_CANCEL) this.drop();
    return { cancelled: { failure: this.#wrapped(Failures.cancelled(), 0) } };
  }

  /** The workflow has ended: no further attempt starts, and the current attempt is not awaited. */
  drop(): void {
    this.#isClosed = true;
    for (const timer of this.#timers) timer.cancel();
    this.#heartbeatTimer?.cancel();
  }

  /** The worker of the current attempt ends without a word. */
  lose(): void {
    this.#current?.run.kill();
  }

  /** The worker of the current attempt shuts down. */
  shutDown(): void {
    this.#current?.run.cancel('WORKER_SHUTDOWN');
  }

  #dispatchAfter(delayMs: number): void {
    const { clock, dice } = this.#world;
    const key = `${this.key}/${this.#attempt}/dispatch`;
    const queuedMs = dice.chance(key, 0.1) ? dice.whole(`${key}/slow`, 100, 5000) : dice.whole(`${key}/ms`, 1, 40);
    this.#timers.push(clock.after(delayMs + queuedMs, () => this.#start()));
  }

  #start(): void {
    if (this.#isClosed) return;
    const { clock, pickWorker, start } = this.#world;
    if (this.#forgery?.moment === 'queued') {
      this.#forge();
      return;
    }
    if (this.#forgery?.moment === 'running') this.#timers.push(clock.after(this.#forgery.afterMs, () => this.#forge()));
    const token = {};
    const worker = pickWorker(`${this.key}/${this.#attempt}`);
    const startToCloseTimeoutMs = milliseconds(this.#options.startToCloseTimeout) ?? 0;
    const heartbeatTimeoutMs = milliseconds(this.#options.heartbeatTimeout) || undefined;
    const attempt = this.#attempt;
    const isCurrent = () => !this.#isClosed && this.#current?.token === token;
    if (startToCloseTimeoutMs > 0) {
      const isOver = () => this.#failed(token, Failures.startToCloseTimeout(this.#details));
      this.#timers.push(clock.after(startToCloseTimeoutMs, isOver));
    }
    const alive = () => {
      this.#heartbeatTimer?.cancel();
      if (!heartbeatTimeoutMs) return;
      this.#heartbeatTimer = clock.after(heartbeatTimeoutMs, () =>
        this.#failed(token, Failures.heartbeatTimeout(this.#details)),
      );
    };
    alive();
    const beats = new Heartbeats(clock, heartbeatTimeoutMs, (details) => {
      if (!isCurrent()) {
        run.cancel(this.#isClosed || this.#current?.token !== token ? 'TIMED_OUT' : 'CANCELLED');
        return;
      }
      this.#details = details;
      alive();
      if (this.#isCancelRequested) run.cancel('CANCELLED');
    });
    const { type: activityType } = this;
    const { workflowId, runId } = this.#owner;
    const own = { key: `${this.key}/${attempt}`, activityType, workflowId, runId, attempt, worker, isCurrent };
    const info = { ...own, startToCloseTimeoutMs, heartbeatTimeoutMs, heartbeatDetails: this.#details };
    const run = start(info, this.input, (details) => beats.beat(details));
    this.#current = { run, worker, token };
    run.outcome.then(
      (value) => this.#completed(token, value),
      (error: unknown) => {
        if (isCurrent()) this.#details = beats.last ?? this.#details;
        this.#failed(token, failureOfError(error));
      },
    );
  }

  #completed(token: object, value: unknown): void {
    if (this.#isClosed || this.#current?.token !== token) return;
    if (this.#forgery?.moment === 'instead') this.#forge(value);
    else this.#close({ completed: { result: payloadOf(value) } });
  }

  /** An attempt that runs continues until its next heartbeat. */
  #forge(result?: unknown): void {
    if (this.#isClosed || !this.#forgery) return;
    this.isForged = true;
    const end = this.#forgery.endOf(result, this.#details);
    if ('result' in end) this.#close({ completed: { result: end.result } });
    else this.#close({ failed: { failure: this.#wrapped(end.failure, end.retryState) } });
  }

  #failed(token: object, failure: Failure): void {
    if (this.#isClosed || this.#current?.token !== token) return;
    this.#heartbeatTimer?.cancel();
    this.#current = undefined;
    if (failure.canceledFailureInfo && this.#isCancelRequested) {
      this.#close({ cancelled: { failure: this.#wrapped(failure, 0) } });
      return;
    }
    const retryState = this.#retryState(failure);
    if (retryState !== RetryState.IN_PROGRESS) {
      this.#close({ failed: { failure: this.#wrapped(failure, retryState) } });
      return;
    }
    const delayMs = this.#retryDelayMs(failure);
    this.#attempt++;
    this.#dispatchAfter(delayMs);
  }

  #retryState(failure: Failure): number {
    const { retryPolicy, scheduleToCloseTimeout } = this.#options;
    if (this.#isCancelRequested) return RetryState.CANCEL_REQUESTED;
    if (failure.applicationFailureInfo?.nonRetryable) return RetryState.NON_RETRYABLE_FAILURE;
    const most = retryPolicy?.maximumAttempts ?? 0;
    if (most > 0 && this.#attempt >= most) return RetryState.MAXIMUM_ATTEMPTS_REACHED;
    const totalMs = milliseconds(scheduleToCloseTimeout);
    const nextAtMs = this.#world.clock.nowMs + this.#retryDelayMs(failure);
    return totalMs && nextAtMs >= this.#scheduledAtMs + totalMs ? RetryState.TIMEOUT : RetryState.IN_PROGRESS;
  }

  #retryDelayMs(failure: Failure): number {
    const asked = milliseconds(failure.applicationFailureInfo?.nextRetryDelay);
    if (asked) return asked;
    const { initialInterval, maximumInterval, backoffCoefficient } = this.#options.retryPolicy ?? {};
    const firstMs = milliseconds(initialInterval) || 1000;
    const mostMs = milliseconds(maximumInterval) || firstMs * 100;
    return Math.min(firstMs * (backoffCoefficient || 2) ** (this.#attempt - 1), mostMs);
  }

  #expire(totalMs: number): void {
    if (this.#isClosed) return;
    this.#world.trace(`${this.type} ended after ${totalMs} ms in total`);
    this.#current = undefined;
    this.#close({ failed: { failure: this.#wrapped(Failures.scheduleToCloseTimeout(), RetryState.TIMEOUT) } });
  }

  #close(resolution: Resolution): void {
    this.drop();
    this.#current = undefined;
    this.#onClosed(resolution);
  }

  #wrapped(cause: Failure, retryState: number): Failure {
    const activityFailureInfo = {
      activityType: { name: this.type },
      activityId: String(this.seq),
      identity: 'simulation',
      retryState,
    };
    return { message: 'Activity task failed', cause, activityFailureInfo };
  }
}
