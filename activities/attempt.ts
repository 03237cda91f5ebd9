import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { FailureType } from '../src/contracts/failures.ts';
import { PayloadLimits } from '../src/contracts/limits.ts';
import { jsonBytes, payloadProblem } from '../src/core/payload.ts';
import { toApplicationFailure, workerStopping } from './failures.ts';

/** Delay of the first heartbeat: quick attempts complete before it, and each heartbeat is a billable call to the server. */
const HEARTBEAT_INTERVAL_MS = 1000;
/** Fraction of the heartbeat timeout, so that a short timeout does not expire before the first heartbeat. */
const HEARTBEATS_PER_TIMEOUT = 3;
/** Time that a worker that shuts down gives a call that may already have been processed, because its response would be lost. */
const STOP_GRACE_MS = 2000;

export interface Attempt<Beat> {
  /** Aborted when the workflow cancels the activity or this worker shuts down. */
  readonly signal: AbortSignal;
  /** Aborted only 2 s after this worker starts to shut down: for calls that a cancellation must not abort halfway. */
  readonly stopSignal: AbortSignal;
  /** Counted from 1. */
  readonly attempt: number;
  /** Time left for the whole attempt, a little less than Temporal's timeout, so that the cause is reported. */
  readonly timeoutMs: number;
  /** The last heartbeat of the previous attempt. */
  readonly lastBeat: Beat | undefined;
  /** Sends a heartbeat for the next attempt immediately. */
  readonly beatNow: () => void;
  /** Whether this worker is shutting down. Otherwise the workflow cancelled the activity. */
  readonly isWorkerStopping: () => boolean;
}

/**
 * Runs one attempt of an activity. Sends heartbeats, aborts `signal` at a cancellation, and converts errors to failures with
 * a stable type.
 *
 * @param beat returns the details of the next heartbeat, which the next attempt receives as `lastBeat`
 * @param read returns the details of the last heartbeat, which any client of Temporal can write; undefined if they are invalid.
 *   The default ignores them
 */
export async function runAttempt<Result, Beat = never>(
  run: (attempt: Attempt<Beat>) => Promise<Result>,
  beat?: () => Beat | undefined,
  read: (details: unknown) => Beat | undefined = () => undefined,
): Promise<Result> {
  const context = Context.current();
  const { attempt, startToCloseTimeoutMs, heartbeatTimeoutMs } = context.info;
  const isWorkerStopping = () => context.cancellationDetails?.workerShutdown === true;
  const details = beat && (() => beatWithin(beat()));
  const beatNow = () => {
    if (heartbeatTimeoutMs !== undefined) context.heartbeat(details?.());
  };
  const stopBeating = heartbeatTimeoutMs === undefined ? () => {} : startBeating(context, heartbeatTimeoutMs, details);
  const stop = stopSignalOf(context);
  try {
    const result = await run({
      signal: context.cancellationSignal,
      stopSignal: stop.signal,
      attempt,
      timeoutMs: Math.max(startToCloseTimeoutMs - 5000, startToCloseTimeoutMs / 2),
      lastBeat: read(context.info.heartbeatDetails),
      beatNow,
      isWorkerStopping,
    });
    assertFits(result, context.info.activityType);
    return result;
  } catch (error) {
    const failure = toApplicationFailure(error, { attempt });
    if (isWorkerStopping()) {
      // The next attempt could not repeat this call, because it would have to assume that the call succeeded.
      if (isFinal(failure)) throw failure;
      beatNow();
      throw workerStopping();
    }
    if (context.cancellationSignal.aborted) await context.cancelled;
    context.log.debug(`attempt ${attempt} failed: ${failure.message}`, {
      type: (failure as { type?: FailureType }).type,
    });
    throw failure;
  } finally {
    stopBeating();
    stop.release();
  }
}

/** Whether no attempt can succeed. An aborted call proves nothing. */
function isFinal(failure: Error): boolean {
  return (
    failure instanceof ApplicationFailure && failure.nonRetryable === true && failure.type !== FailureType.TimedOut
  );
}

/** Fails if the result is too large. Temporal would reject it, and repeat the activity while the workflow waits. */
function assertFits(result: unknown, activityType: string): void {
  const problem = payloadProblem(`the result of the activity ${activityType}`, jsonBytes(result));
  if (problem !== undefined) throw ApplicationFailure.nonRetryable(problem, FailureType.PayloadTooLarge);
}

/** Without details that are too large, the next attempt starts from the beginning. */
function beatWithin<Beat>(beat: Beat): Beat | undefined {
  return jsonBytes(beat) > PayloadLimits.payload ? undefined : beat;
}

function stopSignalOf(context: Context) {
  const stop = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const onAbort = () => {
    if (context.cancellationDetails?.workerShutdown === true) timer = setTimeout(() => stop.abort(), STOP_GRACE_MS);
  };
  if (context.cancellationSignal.aborted) onAbort();
  else context.cancellationSignal.addEventListener('abort', onAbort, { once: true });
  return { signal: stop.signal, release: () => clearTimeout(timer) };
}

/** Interval of heartbeats. The SDK throttles them. One call per second detects a cancellation and shows progress quickly. */
function startBeating(context: Context, timeoutMs: number, beat: (() => unknown) | undefined): () => void {
  const intervalMs = Math.min(HEARTBEAT_INTERVAL_MS, Math.floor(timeoutMs / HEARTBEATS_PER_TIMEOUT));
  const timer = setInterval(() => context.heartbeat(beat?.()), intervalMs);
  return () => clearInterval(timer);
}
