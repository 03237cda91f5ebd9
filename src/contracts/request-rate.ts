/** Input of the update `reserve` of the workflow `requestRate`. */
export interface ReserveInput {
  /** Number of requests, 1 to 1,000. */
  readonly count: number;
  /** Requests per minute that the service allows, 10 to 1,000,000. */
  readonly perMinute: number;
}

export interface ReserveResult {
  /** Milliseconds to wait before each request, ascending. */
  readonly waitsMs: readonly number[];
}

/** State of `requestRate` for the next execution. */
export interface RateCarried {
  /** Unix milliseconds. */
  readonly nextMs: number;
}
