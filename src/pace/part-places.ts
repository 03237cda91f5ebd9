import { AdaptiveConcurrency, type ConcurrencyBounds } from '../core/pace/adaptive-concurrency.ts';
import { AbortedError, ApiError, TimeoutError } from '../errors.ts';
import type { PartPlace, PartPlacesOf } from '../destinations/openai.ts';

const OVERLOADED = new Set([429, 503]);

/** How many parts a destination gets at a time, shared by the uploads of a worker, and found while they are sent. */
export class PartPlaces implements PartPlacesOf {
  readonly #onChange: () => void;
  readonly #concurrency: AdaptiveConcurrency;
  readonly #waiting = new Set<() => void>();
  #taken = 0;

  /** @param onChange called when there are more or fewer places */
  constructor(bounds: ConcurrencyBounds, onChange: () => void) {
    this.#concurrency = new AdaptiveConcurrency(bounds);
    this.#onChange = onChange;
  }

  get count(): number {
    return this.#concurrency.limit;
  }

  /** Whether somebody sends, or wants to. */
  get isInUse(): boolean {
    return this.#taken > 0;
  }

  /** First come, first served. @throws AbortedError when the signal comes first */
  async take(signal?: AbortSignal): Promise<PartPlace> {
    const isFirst = this.#taken === 0;
    if (this.#taken < this.count) this.#taken++;
    else await this.#turn(signal);
    if (isFirst) this.#onChange();
    return {
      sent: (bytes) => this.#observe(() => this.#concurrency.sent(bytes, this.#taken, performance.now())),
      answered: (waitMs) => this.#concurrency.answered(waitMs),
      failed: (error) => {
        if (!isOverload(error)) return;
        this.#observe(() => this.#concurrency.refused(performance.now()));
      },
      leave: () => {
        this.#taken--;
        this.#grant();
        if (this.#taken === 0) this.#onChange();
      },
    };
  }

  #observe(tell: () => void): void {
    const before = this.count;
    tell();
    if (this.count === before) return;
    this.#grant();
    this.#onChange();
  }

  async #turn(signal: AbortSignal | undefined): Promise<void> {
    const aborted = () =>
      new AbortedError('a part was aborted by its caller before its turn', { cause: signal?.reason });
    if (signal?.aborted) throw aborted();
    await new Promise<void>((resolve, reject) => {
      const onAbort = () => {
        this.#waiting.delete(grant);
        reject(aborted());
      };
      const grant = () => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      };
      this.#waiting.add(grant);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  #grant(): void {
    for (const grant of this.#waiting) {
      if (this.#taken >= this.count) return;
      this.#waiting.delete(grant);
      this.#taken++;
      grant();
    }
  }
}

function isOverload(error: unknown): boolean {
  return error instanceof TimeoutError || (error instanceof ApiError && OVERLOADED.has(error.details.status));
}
