import { AdaptiveConcurrency, type ConcurrencyBounds } from '../core/pace/adaptive-concurrency.ts';
import type { PartWatch } from '../destinations/port.ts';
import { AbortedError, ApiError, TimeoutError } from '../errors.ts';

const OVERLOADED = new Set([429, 503]);

/** Maximum parts to a destination at the same time, for all uploads of a worker. It adapts while parts are sent. */
export class PartWindow {
  readonly #onChange: () => void;
  readonly #concurrency: AdaptiveConcurrency;
  readonly #queue = new Queue();
  #taken = 0;

  /** @param onChange called when the size changes, and when the window starts or stops being in use */
  constructor(bounds: ConcurrencyBounds, onChange: () => void) {
    this.#concurrency = new AdaptiveConcurrency(bounds);
    this.#onChange = onChange;
  }

  get size(): number {
    return this.#concurrency.limit;
  }

  get isInUse(): boolean {
    return this.#taken > 0;
  }

  /** First come, first served. @throws AbortedError if the signal is aborted first */
  async enter(signal?: AbortSignal): Promise<PartWatch> {
    const isFirst = this.#taken === 0;
    if (this.#taken < this.size) this.#taken++;
    else {
      await this.#queue.wait(signal).catch((cause: unknown) => {
        throw new AbortedError('a part was aborted by its caller before its turn', { cause });
      });
    }
    if (isFirst) this.#onChange();
    let sentBytes = 0;
    return {
      moved: (totalBytes) => {
        const bytes = totalBytes - sentBytes;
        sentBytes = totalBytes;
        if (bytes > 0) this.#observe(() => this.#concurrency.sent(bytes, this.#taken, performance.now()));
      },
      responded: (waitMs) => this.#concurrency.answered(waitMs),
      finished: (error) => {
        if (isOverload(error)) this.#observe(() => this.#concurrency.refused(performance.now()));
        this.#taken--;
        this.#grant();
        if (this.#taken === 0) this.#onChange();
      },
    };
  }

  #observe(report: () => void): void {
    const before = this.size;
    report();
    if (this.size === before) return;
    this.#grant();
    this.#onChange();
  }

  #grant(): void {
    while (this.#taken < this.size && this.#queue.next()) this.#taken++;
  }
}

/** Waits for a place, first come, first served. */
export class Queue {
  readonly #grants = new Set<() => void>();

  /** Resolves when `next` selects it. @throws the reason of the signal, if that is aborted first */
  wait(signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        this.#grants.delete(grant);
        reject(signal?.reason as Error);
      };
      const grant = () => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      };
      if (signal?.aborted) return onAbort();
      this.#grants.add(grant);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  /** @returns whether anything was waiting */
  next(): boolean {
    const [grant] = this.#grants;
    if (!grant) return false;
    this.#grants.delete(grant);
    grant();
    return true;
  }
}

function isOverload(error: unknown): boolean {
  return error instanceof TimeoutError || (error instanceof ApiError && OVERLOADED.has(error.details.status));
}
