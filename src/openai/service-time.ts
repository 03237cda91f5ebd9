import { request } from 'undici';
import type { DestinationProfile } from './destination-profile.ts';

/** A service's clock beside ours. Times are Unix milliseconds. */
export interface ServiceTime {
  /** What the service said, to the second. */
  readonly serviceMs: number;
  /** When it said it, by our clock: half-way between question and answer. */
  readonly hereMs: number;
}

/**
 * Asks a service for nothing but its `Date` header, which every answer has; no key is sent.
 *
 * @throws what undici throws when there is no answer
 */
export async function serviceTime(
  { baseUrl }: Pick<DestinationProfile, 'baseUrl'>,
  signal: AbortSignal,
): Promise<ServiceTime | undefined> {
  const askedMs = Date.now();
  const { headers, body } = await request(baseUrl, { method: 'HEAD', signal });
  const answeredMs = Date.now();
  await body.dump();
  const serviceMs = Date.parse(String(headers['date']));
  return Number.isNaN(serviceMs) ? undefined : { serviceMs, hereMs: (askedMs + answeredMs) / 2 };
}
