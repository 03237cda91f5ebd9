import { userAgent } from '../longhaul-version.ts';
import { createDispatcher } from '../network/proxied-dispatcher.ts';
import { proxyChooser } from '../network/proxy.ts';
import { TlsFiles } from '../network/tls-files.ts';
import type { DestinationProfile } from './profile.ts';

/** The clock of a service, compared with ours. Times are Unix milliseconds. */
export interface ServiceTime {
  /** The time of the service, to the second. */
  readonly serviceMs: number;
  /** The time of our clock halfway between request and response. */
  readonly hereMs: number;
}

/**
 * Requests only the `Date` header of a service, which every response has. No key is sent.
 *
 * @throws what undici throws if the service does not respond
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
