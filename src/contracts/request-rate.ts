/** Input of the update `reserve` of the workflow `requestRate`. */
export interface ReserveInput {
  /** Requests that are to be made, 1 to 1,000. */
  readonly count: number;
  /** What the service allows, 10 to 1,000,000. */
  readonly perMinute: number;
}

export interface ReserveResult {
  /** How long to wait with each of them, ascending. */
  readonly waitsMs: readonly number[];
}

/** What an execution of `requestRate` hands to its successor. */
export interface RateCarried {
  /** Unix milliseconds. */
  readonly nextMs: number;
}
