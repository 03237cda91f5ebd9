import { CancellationScope, condition, isCancellation } from '@temporalio/workflow';
import type { PartLedger } from '../../src/core/upload/ledger.ts';

/** A sliding window of parts in flight, which the workflow's updates steer while it runs. */
export class PartWindow {
  readonly #ledger: PartLedger;
  readonly #running = new Map<number, CancellationScope>();
  readonly #stopped = new Set<number>();
  #failure: { readonly error: unknown } | undefined;

  constructor(ledger: PartLedger) {
    this.#ledger = ledger;
  }

  /**
   * Sends parts until all are recorded, or `mayStart` stays false and the last part in flight has ended.
   *
   * @param send sends one part and records it; undefined if the part is to be sent again later
   * @param limit most parts in flight, asked each time
   * @param mayStart false holds further parts back
   * @param onGivenBack called when a part is to be sent again later
   * @param until ends the window early once the parts in flight have ended
   * @throws what the first part to fail threw, or a CancelledFailure, when no part is in flight any more
   */
  async run(options: {
    readonly send: (partNumber: number) => Promise<true | undefined>;
    readonly limit: () => number;
    readonly mayStart: () => boolean;
    readonly onGivenBack: () => void;
    readonly until: () => boolean;
  }): Promise<void> {
    const { limit, mayStart, until } = options;
    const canStart = () =>
      !this.#failure && !until() && mayStart() && this.#running.size < limit() && this.#ledger.hasNext;
    const isOver = () => this.#running.size === 0 && (this.#failure !== undefined || until() || this.#ledger.complete);
    try {
      while (!isOver()) {
        while (canStart()) this.#start(this.#ledger.take() as number, options);
        await condition(() => canStart() || isOver());
        if (this.#failure) break;
      }
    } finally {
      await this.#settle();
    }
    if (this.#failure) throw this.#failure.error;
  }

  /** Stops the parts in flight; they are to be sent again. */
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

  /** Nothing may still be sending when the caller goes on to cancel or replace the session. */
  async #settle(): Promise<void> {
    if (this.#running.size > 0) await CancellationScope.nonCancellable(() => condition(() => this.#running.size === 0));
  }
}
