import { CancellationScope, condition, sleep, workflowInfo } from '@temporalio/workflow';
import type { WaitingInfo } from '../../src/contracts/upload.ts';
import { countParked } from './counters.ts';
import { repairable } from './failures.ts';
import type { RetryPeriod } from './retry-period.ts';

/** Interval of the automatic retries of a waiting upload. */
const PROBE_INTERVAL_MS = 5 * 60_000;

/** Maximum pause, even if the service requests a longer pause, which can be a mistake. */
const MAX_PAUSE_MS = 3_600_000;
/** Tolerance: calls that are rejected at the same time request about the same pause. */
const SAME_PAUSE_MS = 5000;

/** A call waits and the history is long, so the next execution makes the call. */
export class HandOverDue extends Error {}

export interface WaitingOptions {
  /** The wait of the previous execution. */
  readonly carried?: WaitingInfo | undefined;
  /** Time of its last failed call, in Unix milliseconds. @defaultValue now */
  readonly failedAtMs?: number | undefined;
  /** Period that all waits of the same job share. @defaultValue a separate period */
  readonly period?: RetryPeriod;
  /** Whether `repeat` ends with HandOverDue if the server suggests continue-as-new. @defaultValue never */
  readonly handsOver?: () => boolean;
}

/**
 * Waits for an operator to fix a problem. Retries one call at a time. The first call that succeeds ends the wait for all.
 */
export class Waiting {
  readonly #giveUpAfterMs: () => number;
  readonly #onChange: () => void;
  readonly #period: RetryPeriod | undefined;
  readonly #handsOver: () => boolean;
  /** The scope of the whole workflow, because the timer must outlive the failed call. */
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
    // A new execution starts with a retry.
    this.#mayProbe = carried !== undefined;
    if (carried) this.#failedAtMs = failedAtMs;
  }

  get info(): WaitingInfo | undefined {
    return this.#info;
  }

  /** Whether a call is permitted now: any call while nothing waits, and one call when the next retry is due. */
  get isOpen(): boolean {
    return this.#info === undefined || this.#mayProbe;
  }

  /** Whether a call waits now, or waited at this time or later. */
  hasWaitedSince(timeMs: number): boolean {
    return this.#info !== undefined || this.#endedAtMs >= timeMs;
  }

  /** Time of the last failure of a waiting call, in Unix milliseconds. */
  get failedAtMs(): number {
    return this.#failedAtMs;
  }

  /** Whether a call waits that failed at this time or later. */
  hasFailedSince(timeMs: number): boolean {
    return this.#info !== undefined && this.#failedAtMs >= timeMs;
  }

  /** The last wait whose retry period is over. */
  get spent(): { readonly error: unknown } | undefined {
    return this.#spent;
  }

  /**
   * Retries immediately. A call in flight that fails is repeated once, because its failure can be older than the fix of the
   * operator.
   */
  retry(): void {
    this.#mayProbe = true;
  }

  /**
   * Makes a call once. If it fails with an error that an operator can fix, the upload waits.
   *
   * @param call returns undefined if the call was not sent
   * @returns undefined if the call must be repeated later
   * @throws the error of the call if waiting cannot help or the retry period is over
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
      // This failure is not about the wait, for example of an aborted call or a lost session.
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
      // Of several waiting calls, the first makes the retry.
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
   * @returns whether the upload waits because of this failure
   * @throws the error if waiting cannot help or the retry period is over
   */
  #wait(error: unknown): boolean {
    const failure = repairable(error);
    if (failure === undefined) throw error;
    // Released by a worker that shut down or was killed too often. This is not a reason to wait.
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

  /** Makes the last retry at the end of the retry period. */
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
    await timer.run(() => sleep(delayMs, { summary: 'waiting: next retry' }));
    this.#timer = undefined;
    this.#nextProbeAtMs = undefined;
    this.retry();
  }
}
