/** Minimum rate of a usable link. A slower attempt is retried. */
const SLOWEST_BYTES_PER_SECOND = 64 * 1024;

/** Sufficient for a slow link. Missing heartbeats detect a dead worker. */
export function partTimeoutMs(sizeBytes: number): number {
  return Math.max(300_000, Math.ceil((sizeBytes / SLOWEST_BYTES_PER_SECOND) * 1000));
}

/** A server can read the whole content again before it responds to a completion, at this rate or faster. */
const SLOWEST_CHECK_BYTES_PER_SECOND = 32 * 1024 * 1024;

/** Timeout after which a completion without a response is repeated. */
export function completeTimeoutMs(bytes: number): number {
  return 120_000 + Math.ceil((bytes / SLOWEST_CHECK_BYTES_PER_SECOND) * 1000);
}
