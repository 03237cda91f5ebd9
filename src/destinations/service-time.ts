import { userAgent } from '../longhaul-version.ts';
import { createDispatcher } from '../network/proxied-dispatcher.ts';
import { proxyChooser } from '../network/proxy.ts';
import { TlsFiles } from '../network/tls-files.ts';
import type { DestinationProfile } from './profile.ts';

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
  { baseUrl, proxy, ...tls }: Omit<DestinationProfile, 'name' | 'apiKey'>,
  signal: AbortSignal,
): Promise<ServiceTime | undefined> {
  const url = new URL(baseUrl);
  const chooseProxy = proxyChooser(proxy);
  const dispatcher = createDispatcher({ connectTimeoutMs: 5000, agent: {}, tls: TlsFiles.of(tls), chooseProxy });
  try {
    const askedMs = Date.now();
    const path = `${url.pathname}${url.search}`;
    const sent = { 'user-agent': userAgent() };
    const { headers, body } = await dispatcher.request({
      origin: url.origin,
      path,
      method: 'HEAD',
      headers: sent,
      signal,
    });
    const answeredMs = Date.now();
    await body.dump();
    const serviceMs = Date.parse(String(headers['date']));
    return Number.isNaN(serviceMs) ? undefined : { serviceMs, hereMs: (askedMs + answeredMs) / 2 };
  } finally {
    await dispatcher.destroy();
  }
}
