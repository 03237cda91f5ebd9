import { AsyncLocalStorage } from 'node:async_hooks';

/** One attempt to send a part, while it is under way. */
export interface PartFlight {
  readonly destination: string;
  /** Counted from 1. */
  readonly attempt: number;
  /** When its last byte moved, or it began, by `performance.now()`. */
  lastMoveAtMs: number;
}

/** The attempts that are under way in this process. What is called within one finds it as `current`. */
export class PartFlights {
  readonly #storage = new AsyncLocalStorage<PartFlight>();
  readonly #flights = new Set<PartFlight>();

  get current(): PartFlight | undefined {
    return this.#storage.getStore();
  }

  async run<T>(destination: string, attempt: number, body: () => Promise<T>): Promise<T> {
    const flight: PartFlight = { destination, attempt, lastMoveAtMs: performance.now() };
    this.#flights.add(flight);
    try {
      return await this.#storage.run(flight, body);
    } finally {
      this.#flights.delete(flight);
    }
  }

  count(destination: string): number {
    return this.#of(destination).length;
  }

  /** Longest time for which nothing of one has moved; 0 when none is under way. */
  silenceMs(destination: string): number {
    const now = performance.now();
    return Math.max(0, ...this.#of(destination).map(({ lastMoveAtMs }) => now - lastMoveAtMs));
  }

  #of(destination: string): PartFlight[] {
    return [...this.#flights].filter((flight) => flight.destination === destination);
  }
}
