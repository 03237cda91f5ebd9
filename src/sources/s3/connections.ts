import { S3Client } from '@aws-sdk/client-s3';
import { defaultProvider } from '@aws-sdk/credential-provider-node';
import { Limits } from '../../contracts/limits.ts';
import type { S3Source } from '../../contracts/sources.ts';
import { withoutUndefined } from '../../core/objects.ts';
import { ConfigError } from '../../errors.ts';
import { longhaulVersion } from '../../longhaul-version.ts';
import { rememberSecrets } from '../../redact.ts';
import { failureOf } from './errors.ts';
import { matchesAny, notPermitted, SourceDefaults, type NamedSettings, type S3Settings } from '../source-settings.ts';
import { guardAnswers } from './guard.ts';
import type { ProxyRules } from '../../network/proxy.ts';
import { s3Network, type S3Network } from './network.ts';

const CONNECT_TIMEOUT_MS = 10_000;

/** One connection for each part that a worker can have in flight, and one to check its object. */
const MAX_SOCKETS = 2 * Limits.maxConcurrency;

type Settings = S3Settings & Required<Pick<S3Settings, 'stallTimeoutMs'>>;

/** A bucket that the settings permit. */
export interface S3Bucket {
  readonly settings: Settings;
  /**
   * Sends a request to the store. If the credentials can have expired, it repeats the request with new credentials.
   *
   * @throws the error of the client
   */
  readonly ask: <T>(call: (client: S3Client) => Promise<T>) => Promise<T>;
}

/** S3 clients by the name of their connection, created at the first use. */
export class S3Connections {
  readonly #settings: Readonly<Record<string, S3Settings>>;
  readonly #clients = new Map<string, S3Client>();
  readonly #proxies: ProxyRules | undefined;
  readonly #named: NamedSettings;

  constructor(settings: Readonly<Record<string, S3Settings>> = {}, named: NamedSettings = {}, proxies?: ProxyRules) {
    this.#named = named;
    this.#settings = { default: {}, ...settings };
    for (const { credentials } of Object.values(this.#settings)) {
      rememberSecrets([credentials?.secretAccessKey, credentials?.sessionToken]);
    }
    this.#proxies = proxies;
  }

  /**
   * @param isNamed whether a command named the bucket, so that no list must contain it
   * @throws ConfigError if no connection has that name
   * @throws SourceForbiddenError, SourceNotNamedError if the connection does not permit the bucket
   */
  bucket(
    { connection: name = 'default', bucket }: Pick<S3Source, 'connection' | 'bucket'>,
    isNamed: boolean,
  ): S3Bucket {
    const settings = Object.hasOwn(this.#settings, name) ? this.#settings[name] : undefined;
    if (!settings) {
      const known = Object.keys(this.#settings).join(', ');
      throw new ConfigError(`S3 connection "${name}" not found. Use a connection of this configuration: ${known}.`);
    }
    if (!isNamed && settings.buckets && !matchesAny(bucket, settings.buckets)) {
      throw notPermitted(`the bucket ${bucket} by the S3 connection "${name}"`, '--bucket', bucket, this.#named);
    }
    const { stallTimeoutMs = SourceDefaults.stallTimeoutMs } = settings;
    const all = { ...settings, stallTimeoutMs };
    return { settings: all, ask: (call) => this.#ask(name, all, call) };
  }

  async #ask<T>(name: string, settings: Settings, call: (client: S3Client) => Promise<T>): Promise<T> {
    const client = this.#client(name, settings);
    try {
      return await call(client);
    } catch (error) {
      if (settings.credentials !== undefined || !mayBeExpired(error)) throw error;
      // Running requests continue with the old client. New requests use the new client.
      if (this.#clients.get(name) === client) this.#clients.delete(name);
      return call(this.#client(name, settings));
    }
  }

  close(): void {
    for (const client of this.#clients.values()) client.destroy();
    this.#clients.clear();
  }

  #client(name: string, settings: Settings): S3Client {
    const existing = this.#clients.get(name);
    if (existing) return existing;
    const network = s3Network(settings, this.#proxies, {
      maxSockets: MAX_SOCKETS,
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
    });
    const client = new S3Client(clientConfig(settings, network));
    guardAnswers(client, settings.stallTimeoutMs);
    // After it, because the last request is forwarded.
    network.apply(client);
    this.#clients.set(name, client);
    return client;
  }
}

const silent = { debug() {}, info() {}, warn() {}, error() {} };

/** A response to HEAD has no body that would show whether the credentials have expired. */
function mayBeExpired(error: unknown): boolean {
  const { code, status = 0 } = failureOf(error);
  return code !== 'AccessDenied' && code !== 'InvalidObjectState' && [400, 401, 403].includes(status);
}

function clientConfig(
  { endpoint, region, forcePathStyle, credentials, stallTimeoutMs }: Settings,
  { httpsAgent }: S3Network,
) {
  return {
    // Appended to that of the SDK.
    customUserAgent: [['longhaul', longhaulVersion()]] as [string, string][],
    // The SDK prints its hints for developers without one.
    logger: silent,
    // Only Temporal retries.
    maxAttempts: 1,
    // Stores other than AWS support only MD5 checksums.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    followRegionRedirects: true,
    requestHandler: {
      connectionTimeout: CONNECT_TIMEOUT_MS,
      // Until the response starts. Later, a socket can be idle because the part's destination accepts no bytes.
      requestTimeout: stallTimeoutMs,
      throwOnRequestTimeout: true,
      httpAgent: { maxSockets: MAX_SOCKETS },
      httpsAgent,
    },
    // The SDK caches AWS's files permanently, but an operator can write new credentials into them.
    credentialDefaultProvider: (init: object) => defaultProvider({ ...init, ignoreCache: true }),
    forcePathStyle: forcePathStyle ?? endpoint !== undefined,
    ...withoutUndefined({ endpoint, region, credentials }),
  } as const;
}
