/** What the sink answers to `GET /bench/stats`: all since it began, except the moments, which `POST /bench/reset` forgets. */
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
