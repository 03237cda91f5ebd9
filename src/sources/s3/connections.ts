import { S3Client } from '@aws-sdk/client-s3';
import { defaultProvider } from '@aws-sdk/credential-provider-node';
import { Limits } from '../../contracts/limits.ts';
import { ConfigError } from '../../errors.ts';
import { longhaulVersion } from '../../longhaul-version.ts';
import { rememberSecrets } from '../../redact.ts';
import type { S3Failure } from './errors.ts';
import { matchesAny, notPermitted } from '../permission.ts';
import { guardAnswers } from './guard.ts';
import type { ProxyRules } from '../../network/proxy.ts';
import { s3Network, type S3Network } from './network.ts';
import { SourceDefaults, type NamedSettings, type S3Settings } from '../source-settings.ts';

const CONNECT_TIMEOUT_MS = 10_000;

/** As many as a worker can have parts in flight, and one for each to look at the object meanwhile. */
const MAX_SOCKETS = 2 * Limits.maxConcurrency;

/** S3 clients by the name of their connection, made when they are first asked for. */
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
   * @param isNamed by a command, so that no list has to have the bucket
   * @throws ConfigError when there is no connection of that name
   * @throws SourceForbiddenError, SourceNotNamedError when the connection is not meant for the bucket
   */
  settings(name: string, bucket: string, isNamed = false): S3Settings {
    const settings = Object.hasOwn(this.#settings, name) ? this.#settings[name] : undefined;
    if (!settings) {
      const known = Object.keys(this.#settings).join(', ');
      throw new ConfigError(`there is no S3 connection "${name}"; this configuration has: ${known}`);
    }
    if (!isNamed && settings.buckets && !matchesAny(bucket, settings.buckets)) {
      throw notPermitted(`the bucket ${bucket} by the S3 connection "${name}"`, '--bucket', bucket, this.#named);
    }
    return settings;
  }

  /**
   * Asks the store something; once more where the credentials may have expired meanwhile, with what the chain gives then.
   *
   * @throws whatever the client throws
   */
  async ask<T>(name: string, settings: S3Settings, call: (client: S3Client) => Promise<T>): Promise<T> {
    const client = this.#client(name, settings);
    try {
      return await call(client);
    } catch (error) {
      if (settings.credentials !== undefined || !mayBeExpired(error)) throw error;
      // Requests under way go on with the old client, which nobody else finds any more.
      if (this.#clients.get(name) === client) this.#clients.delete(name);
      return call(this.#client(name, settings));
    }
  }

  close(): void {
    for (const client of this.#clients.values()) client.destroy();
    this.#clients.clear();
  }

  #client(name: string, settings: S3Settings): S3Client {
    const existing = this.#clients.get(name);
    if (existing) return existing;
    const network = s3Network(settings, this.#proxies, {
      maxSockets: MAX_SOCKETS,
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
    });
    const client = new S3Client(clientConfig(settings, network));
    guardAnswers(client, settings.stallTimeoutMs ?? SourceDefaults.stallTimeoutMs);
    // After it: what is sent last is forwarded.
    network.apply(client);
    this.#clients.set(name, client);
    return client;
  }
}

/** An answer to HEAD has no body, so that it can't be told whether the credentials have merely expired. */
function mayBeExpired(error: unknown): boolean {
  const { name, $metadata } = (error ?? {}) as S3Failure;
  const status = $metadata?.httpStatusCode;
  return (
    name !== 'AccessDenied' && name !== 'InvalidObjectState' && (status === 400 || status === 401 || status === 403)
  );
}

function clientConfig(
  { endpoint, region, forcePathStyle, credentials, stallTimeoutMs }: S3Settings,
  { httpsAgent }: S3Network,
) {
  return {
    // Appended to the SDK's own.
    customUserAgent: [['longhaul', longhaulVersion()]] as [string, string][],
    // Retries live in Temporal, nowhere else.
    maxAttempts: 1,
    // Stores other than AWS know no other checksums than the md5.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    followRegionRedirects: true,
    requestHandler: {
      connectionTimeout: CONNECT_TIMEOUT_MS,
      // Until the answer begins. A socket may then be idle because the part's destination takes no bytes: that is no stall.
      requestTimeout: stallTimeoutMs ?? SourceDefaults.stallTimeoutMs,
      throwOnRequestTimeout: true,
      httpAgent: { maxSockets: MAX_SOCKETS },
      httpsAgent,
    },
    // The SDK keeps AWS's files in memory for good; whoever wrote new credentials into them means them to be read.
    credentialDefaultProvider: (init: object) => defaultProvider({ ...init, ignoreCache: true }),
    forcePathStyle: forcePathStyle ?? endpoint !== undefined,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(region === undefined ? {} : { region }),
    ...(credentials === undefined ? {} : { credentials }),
  } as const;
}
