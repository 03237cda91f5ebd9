import { CancellationScope, condition, sleep, workflowInfo } from '@temporalio/workflow';
import type { WaitingInfo } from '../../src/contracts/upload.ts';
import { countParked } from './counters.ts';
import { repairable } from './repairable.ts';
import type { RetryPeriod } from './retry-period.ts';

/** How often a waiting upload tries by itself whether it may go on. */
const PROBE_INTERVAL_MS = 5 * 60_000;

/** However long a pause the service asks for: it may have been a mistake, or may be over. */
const MAX_PAUSE_MS = 3_600_000;
/** Calls that are rejected at the same time ask for about the same pause. */
const SAME_PAUSE_MS = 5000;

/** A call waits and the history has grown long: the next execution makes the call. */
export class HandOverDue extends Error {}

export interface WaitingOptions {
  /** The wait of the execution before this one. */
  readonly carried?: WaitingInfo | undefined;
  /** When its last call failed, in Unix milliseconds. @defaultValue now */
  readonly failedAtMs?: number | undefined;
  /** Shared with the other waits of the same job. @defaultValue a period of its own */
  readonly period?: RetryPeriod;
  /** Whether `repeat` ends with HandOverDue if the server suggests continue-as-new. @defaultValue never */
  readonly handsOver?: () => boolean;
}

/**
 * Where an upload waits for what a person can repair. One call at a time finds out whether it may go on: the first one
 * that succeeds ends the waiting for all.
 */
export class Waiting {
  readonly #giveUpAfterMs: () => number;
  readonly #onChange: () => void;
  readonly #period: RetryPeriod | undefined;
  readonly #handsOver: () => boolean;
  /** The scope of the whole workflow: the timer must not end with the call that failed. */
  readonly #home = CancellationScope.current();
  #info: WaitingInfo | undefined;
  #mayProbe = false;
  #nextProbeAtMs: number | undefined;
  #timer: CancellationScope | undefined;
  #spent: { readonly error: unknown } | undefined;
  #failedAtMs = -Infinity;
  #endedAtMs = -Infinity;

  /** @param giveUpAfterMs the retry period when a call fails; 0: without a limit */
  constructor(
    giveUpAfterMs: () => number,
    onChange: () => void,
    { carried, failedAtMs = Date.now(), period, handsOver = () => false }: WaitingOptions = {},
  ) {
    this.#giveUpAfterMs = giveUpAfterMs;
    this.#onChange = onChange;
    this.#period = period;
    this.#handsOver = handsOver;
    period?.add(this);
    this.#info = carried;
    // A new execution begins with a probe.
    this.#mayProbe = carried !== undefined;
    if (carried) this.#failedAtMs = failedAtMs;
  }

  get info(): WaitingInfo | undefined {
    return this.#info;
  }

  /** Whether a call may be made now: anything while nothing is parked, one as a probe when it is time. */
  get isOpen(): boolean {
    return this.#info === undefined || this.#mayProbe;
  }

  /** Whether a call waits now, or waited at this time or later. */
  hasWaitedSince(timeMs: number): boolean {
    return this.#info !== undefined || this.#endedAtMs >= timeMs;
  }

  /** When the last call failed that waits now, in Unix milliseconds. */
  get failedAtMs(): number {
    return this.#failedAtMs;
  }

  /** Whether a call waits that failed at this time or later. */
  hasFailedSince(timeMs: number): boolean {
    return this.#info !== undefined && this.#failedAtMs >= timeMs;
  }

  /** What was waited for until all patience was over. */
  get spent(): { readonly error: unknown } | undefined {
    return this.#spent;
  }

  /** Probes at once. */
  retry(): void {
    this.#mayProbe = this.#info !== undefined;
  }

  /**
   * Makes a call once. When it fails in a way that can be repaired, the upload is parked from then on.
   *
   * @param call returns undefined if it was not made after all
   * @returns undefined if it is to be made again later
   * @throws what the call threw, when waiting can't help or has lasted too long
   */
  async attempt<T extends object | number | true>(call: () => Promise<T | undefined>): Promise<T | undefined> {
    const isProbe = this.#info !== undefined;
    this.#mayProbe = false;
    let isWaiting = false;
    try {
      const result = await call();
      if (result !== undefined) this.#clear();
      return result;
    } catch (error) {
      isWaiting = this.#wait(error);
      return undefined;
    } finally {
      // It told nothing of what is waited for, such as one that was stopped, or whose session was over.
      if (isProbe && !isWaiting && this.#info !== undefined) this.#mayProbe = true;
    }
  }

  /**
   * Makes a call until it succeeds, and waits in between.
   *
   * @throws HandOverDue if the history is too long for another attempt
   * @throws as `attempt`
   */
  async repeat<T extends object | number | true>(call: () => Promise<T | undefined>): Promise<T> {
    for (;;) {
      // Of several that wait, the first one takes the turn.
      while (!this.isOpen) await condition(() => this.isOpen);
      const result = await this.attempt(call);
      if (result !== undefined) return result;
      if (this.#handsOver() && workflowInfo().continueAsNewSuggested) throw new HandOverDue();
    }
  }

  #clear(): void {
    if (this.#info === undefined) return;
    this.#info = undefined;
    this.#endedAtMs = Date.now();
    this.#spent = undefined;
    this.#onChange();
  }

  /**
   * @returns whether it is waited for what failed
   * @throws the error, when waiting can't help or has lasted too long
   */
  #wait(error: unknown): boolean {
    const failure = repairable(error);
    if (failure === undefined) throw error;
    // Handed back by a worker that stopped or died too often: nothing to wait for.
    if (failure.reason === undefined) return false;
    const sinceMs = this.#info?.sinceMs ?? this.#period?.startOfWait() ?? Date.now();
    const giveUpAfterMs = this.#giveUpAfterMs();
    if (giveUpAfterMs > 0 && Date.now() - sinceMs >= giveUpAfterMs) {
      this.#spent ??= { error };
      throw error;
    }
    const { reason, type: failureType, status, retryAtMs } = failure;
    const delayMs = this.#delayMs(sinceMs, retryAtMs);
    const isOther = Math.abs(Date.now() + delayMs - (this.#nextProbeAtMs ?? 0)) > SAME_PAUSE_MS;
    if (this.#nextProbeAtMs === undefined || (retryAtMs !== undefined && isOther)) {
      void this.#probeLater(delayMs).catch(() => {});
    }
    const nextProbeAtMs = this.#nextProbeAtMs ?? Date.now();
    this.#failedAtMs = Date.now();
    countParked(failure.type, this.#info === undefined);
    this.#info = {
      reason,
      failureType,
      status,
      sinceMs,
      retryAtMs,
      nextProbeAtMs,
    };
    this.#onChange();
    return true;
  }

  /** The last probe is made when the patience ends. */
  #delayMs(sinceMs: number, retryAtMs: number | undefined): number {
    const pauseMs = retryAtMs === undefined ? PROBE_INTERVAL_MS : Math.min(retryAtMs - Date.now(), MAX_PAUSE_MS);
    const giveUpAfterMs = this.#giveUpAfterMs();
    const leftMs = giveUpAfterMs === 0 ? Infinity : sinceMs + giveUpAfterMs - Date.now();
    return Math.max(Math.min(pauseMs, leftMs), 1);
  }

  async #probeLater(delayMs: number): Promise<void> {
    this.#timer?.cancel();
    const timer = new CancellationScope({ cancellable: true, parent: this.#home });
    this.#timer = timer;
    this.#nextProbeAtMs = Date.now() + delayMs;
    await timer.run(() => sleep(delayMs, { summary: 'waiting: next try' }));
    this.#timer = undefined;
    this.#nextProbeAtMs = undefined;
    this.retry();
  }
}
