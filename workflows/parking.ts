import { ActivityFailure, ApplicationFailure, condition, patched, sleep } from '@temporalio/workflow';
import { FailureType } from '../src/contracts/failures.ts';
import type { WaitingInfo } from '../src/contracts/upload.ts';
import { waitingReason } from '../src/core/waiting-reason.ts';
import { countParked } from './counters.ts';

/** How often a waiting upload tries by itself whether it may go on. */
const PROBE_INTERVAL_MS = 5 * 60_000;

/** Executions of before made all their calls at once when it was time for one, and none after a probe that told nothing. */
const PROBE_ANEW = 'probe-anew';

/** The call was not made after all, or is to be made again. */
export class Postponed extends Error {}

/**
 * Where an upload waits for what a person can repair. One call at a time finds out whether it may go on: the first one
 * that succeeds ends the waiting for all.
 */
export class Parking {
  readonly #giveUpAfterMs: number;
  readonly #onChange: () => void;
  #waiting: WaitingInfo | undefined;
  #mayProbe = false;
  #nextProbeAtMs: number | undefined;
  #spent: { readonly error: unknown } | undefined;

  /** @param giveUpAfterMs 0: never */
  constructor(giveUpAfterMs: number, onChange: () => void, carried?: WaitingInfo) {
    this.#giveUpAfterMs = giveUpAfterMs;
    this.#onChange = onChange;
    this.#waiting = carried;
    // A new execution begins with a probe.
    this.#mayProbe = carried !== undefined;
  }

  get waiting(): WaitingInfo | undefined {
    return this.#waiting;
  }

  /** Whether a call may be made now: anything while nothing is parked, one as a probe when it is time. */
  get isOpen(): boolean {
    return this.#waiting === undefined || this.#mayProbe;
  }

  /** What was waited for until all patience was over. */
  get spent(): { readonly error: unknown } | undefined {
    return this.#spent;
  }

  /** Probes at once. */
  retry(): void {
    this.#mayProbe = this.#waiting !== undefined;
  }

  /**
   * Makes a call once. When it fails in a way that can be repaired, the upload is parked from then on.
   *
   * @throws Postponed when it is to be made again later
   * @throws what the call threw, when waiting can't help or has lasted too long
   */
  async attempt<T>(call: () => Promise<T>): Promise<T> {
    const isProbe = this.#waiting !== undefined;
    this.#mayProbe = false;
    let isParked = false;
    try {
      const result = await call();
      this.#clear();
      return result;
    } catch (error) {
      isParked = this.#park(error);
      throw new Postponed();
    } finally {
      // It told nothing of what is waited for, such as one that was stopped, or whose session was over.
      if (isProbe && !isParked && this.#waiting !== undefined && patched(PROBE_ANEW)) this.#mayProbe = true;
    }
  }

  /** Makes a call until it succeeds, and waits in between. @throws as `attempt`, without Postponed */
  async insist<T>(call: () => Promise<T>): Promise<T> {
    for (;;) {
      await condition(() => this.isOpen);
      // Of several that wait the first one took the turn.
      while (!this.isOpen && patched(PROBE_ANEW)) await condition(() => this.isOpen);
      try {
        return await this.attempt(call);
      } catch (error) {
        if (!(error instanceof Postponed)) throw error;
      }
    }
  }

  #clear(): void {
    if (this.#waiting === undefined) return;
    this.#waiting = undefined;
    this.#spent = undefined;
    this.#onChange();
  }

  /**
   * @returns whether it is waited for what failed
   * @throws the error, when waiting can't help or has lasted too long
   */
  #park(error: unknown): boolean {
    const failure = repairable(error);
    if (failure === undefined) throw error;
    // Handed back by a worker that stopped or died too often: nothing to wait for.
    if (failure.reason === undefined) return false;
    const sinceMs = this.#waiting?.sinceMs ?? Date.now();
    if (this.#giveUpAfterMs > 0 && Date.now() - sinceMs >= this.#giveUpAfterMs) {
      this.#spent ??= { error };
      throw error;
    }
    if (this.#nextProbeAtMs === undefined) void this.#probeLater(this.#intervalMs(sinceMs)).catch(() => {});
    const nextProbeAtMs = this.#nextProbeAtMs ?? Date.now();
    countParked(failure.type, this.#waiting === undefined);
    const { reason, type: failureType, status } = failure;
    this.#waiting = { reason, failureType, ...(status === undefined ? {} : { status }), sinceMs, nextProbeAtMs };
    this.#onChange();
    return true;
  }

  /** The last probe is made when the patience ends. */
  #intervalMs(sinceMs: number): number {
    if (this.#giveUpAfterMs === 0) return PROBE_INTERVAL_MS;
    return Math.max(Math.min(PROBE_INTERVAL_MS, sinceMs + this.#giveUpAfterMs - Date.now()), 1);
  }

  async #probeLater(delayMs: number): Promise<void> {
    this.#nextProbeAtMs = Date.now() + delayMs;
    await sleep(delayMs, { summary: 'waiting: next try' });
    this.#nextProbeAtMs = undefined;
    this.retry();
  }
}

/** The reason for which an activity's failure is worth waiting; undefined for one that is final. */
function repairable(
  error: unknown,
): { readonly type: string; readonly status?: number; readonly reason: string | undefined } | undefined {
  if (!(error instanceof ActivityFailure)) return undefined;
  // A part that was being stopped and failed by itself meanwhile is not repeated by Temporal; that says nothing.
  if (error.retryState === 'CANCEL_REQUESTED') return { type: FailureType.WorkerStopping, reason: undefined };
  const { cause } = error;
  if (!(cause instanceof ApplicationFailure)) {
    // Heartbeats that stopped, round after round: workers die, and the next one may live.
    return error.retryState === 'MAXIMUM_ATTEMPTS_REACHED'
      ? { type: FailureType.WorkerStopping, reason: undefined }
      : undefined;
  }
  const type = cause.type ?? '';
  if (type === FailureType.WorkerStopping) return { type, reason: undefined };
  const details = cause.details?.[0] as { readonly status?: number } | undefined;
  const status = details?.status;
  const reason = waitingReason({ failureType: type, status, message: cause.message });
  return reason === undefined ? undefined : { type, reason, ...(status === undefined ? {} : { status }) };
}
