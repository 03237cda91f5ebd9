/** Response of the sink to `GET /bench/stats`: totals since its start, and times since `POST /bench/reset`. */
export interface SinkStats {
  readonly requests: number;
  readonly bodyBytes: number;
  readonly cpuSeconds: number;
  /** Unix milliseconds with fractions; each of the first or the last request of its kind. */
  readonly moments: SinkMoments;
}

export interface SinkMoments {
  readonly createdMs?: number;
  readonly firstPartBegunMs?: number;
  readonly lastPartEndedMs?: number;
  readonly completionAskedMs?: number;
}
