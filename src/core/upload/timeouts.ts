/** No link that is worth using is slower; an attempt that is gets another chance. */
const SLOWEST_BYTES_PER_SECOND = 64 * 1024;

/** Long enough for a slow link, as a dead worker is noticed by its missing heartbeats anyway. */
export function partTimeoutMs(sizeBytes: number): number {
  return Math.max(300_000, Math.ceil((sizeBytes / SLOWEST_BYTES_PER_SECOND) * 1000));
}

/** A server may read the whole content again before it answers a completion; none that is of use reads slower. */
const SLOWEST_CHECK_BYTES_PER_SECOND = 32 * 1024 * 1024;

/** So soon is a completion repeated whose answer doesn't come. */
export function completeTimeoutMs(bytes: number): number {
  return 120_000 + Math.ceil((bytes / SLOWEST_CHECK_BYTES_PER_SECOND) * 1000);
}
