import { CancellationScope, condition, isCancellation } from '@temporalio/workflow';
import type { PartLedger } from '../../src/core/upload/ledger.ts';

/** A sliding window of parts in flight, which the updates of the workflow control. */
export class PartWindow {
  readonly #ledger: PartLedger;
  readonly #running = new Map<number, CancellationScope>();
  readonly #stopped = new Set<number>();
  #failure: { readonly error: unknown } | undefined;

  constructor(ledger: PartLedger) {
    this.#ledger = ledger;
  }

  /**
   * Sends parts until all are recorded, or until `mayStart` remains false and no part is in flight.
   *
   * @param send sends one part and records it; undefined if the part must be resent later
   * @param limit returns the maximum parts in flight
   * @param mayStart returns false to delay further parts
   * @param onStarted called after parts were started
   * @param onGivenBack called if a part must be resent later
   * @param until ends the window early, after the parts in flight
   * @throws the error of the first failed part, or a CancelledFailure, after no part is in flight
   */
  async run(options: {
    readonly send: (partNumber: number) => Promise<true | undefined>;
    readonly limit: () => number;
    readonly mayStart: () => boolean;
    readonly onStarted: () => void;
    readonly onGivenBack: () => void;
    readonly until: () => boolean;
  }): Promise<void> {
    const { limit, mayStart, until } = options;
    const canStart = () =>
      !this.#failure && !until() && mayStart() && this.#running.size < limit() && this.#ledger.hasNext;
    const isOver = () => this.#running.size === 0 && (this.#failure !== undefined || until() || this.#ledger.complete);
    try {
      while (!isOver()) {
        if (canStart()) {
          while (canStart()) this.#start(this.#ledger.take() as number, options);
          options.onStarted();
        }
        await condition(() => canStart() || isOver());
        if (this.#failure) break;
      }
    } finally {
      await this.#settle();
    }
    if (this.#failure) throw this.#failure.error;
  }

  /** Aborts the parts in flight, which must be resent. */
  stopParts(): void {
    for (const [partNumber, scope] of this.#running) {
      this.#stopped.add(partNumber);
      scope.cancel();
    }
  }

  #start(
    partNumber: number,
    {
      send,
      onGivenBack,
    }: { readonly send: (partNumber: number) => Promise<true | undefined>; readonly onGivenBack: () => void },
  ): void {
    const scope = new CancellationScope();
    this.#running.set(partNumber, scope);
    const giveBack = () => {
      this.#ledger.giveBack(partNumber);
      onGivenBack();
    };
    const fail = (error: unknown) => {
      giveBack();
      if (this.#failure || (this.#stopped.has(partNumber) && isCancellation(error))) return;
      this.#failure = { error };
      for (const other of this.#running.values()) other.cancel();
    };
    void scope
      .run(() => send(partNumber))
      .then((isSent) => (isSent ? undefined : giveBack()), fail)
      .finally(() => {
        this.#stopped.delete(partNumber);
        this.#running.delete(partNumber);
      });
  }

  /** Waits for the parts in flight, before the caller cancels or replaces the session. */
  async #settle(): Promise<void> {
    if (this.#running.size > 0) await CancellationScope.nonCancellable(() => condition(() => this.#running.size === 0));
  }
}
