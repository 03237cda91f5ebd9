import { inspect } from 'node:util';
import type { PurposeLimits } from '../contracts/limits.ts';
import { withoutUndefined } from '../core/objects.ts';
import { ConfigError } from '../errors.ts';
import { withoutCredentials, type ProxySetting } from '../network/proxy.ts';
import type { KeyProvider } from '../keys/key-provider.ts';

/** The kinds of services. `kinds.ts` creates them. */
export const DESTINATION_KINDS = ['openai', 'azure'] as const;
export type DestinationKind = (typeof DESTINATION_KINDS)[number];

/** A service and its settings. */
export interface DestinationProfile {
  readonly name: string;
  /** `azure`: Azure OpenAI. @defaultValue `openai`: OpenAI, and services with the same routes */
  readonly kind?: DestinationKind | undefined;
  /**
   * With its version, such as `https://host/v1`. For `azure`, the endpoint of the resource, such as
   * `https://my-resource.openai.azure.com`. It must contain neither a key nor a password.
   */
  readonly baseUrl: string;
  /**
   * Only for `azure`: a date such as `2025-04-01-preview` for the paths `/openai/…?api-version=…`, or `v1` for `/openai/v1/…`.
   *
   * @defaultValue `v1`
   */
  readonly apiVersion?: string | undefined;
  /** A provider returns a key that can change while calls are made. */
  readonly apiKey: string | KeyProvider;
  /**
   * `authorization` sends `Authorization: Bearer KEY`, `api-key` sends `api-key: KEY`.
   *
   * @defaultValue `authorization`. For `azure`: `api-key`, and `authorization` for the token of a key command
   */
  readonly authHeader?: 'authorization' | 'api-key' | undefined;
  /** Extra headers of every request, such as `OpenAI-Organization`. @defaultValue none */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Extra query of every request, such as Azure's `api-version`. @defaultValue none */
  readonly query?: Readonly<Record<string, string>> | undefined;
  /** PEM of a certificate authority to trust in addition to the usual ones. @defaultValue none */
  readonly ca?: string | undefined;
  /** Path of the same, read again when it changes. @defaultValue none */
  readonly caFile?: string | undefined;
  /** Paths of a PEM certificate and its key, which identify this side, read again when they change. @defaultValue none */
  readonly clientCertFile?: string | undefined;
  readonly clientKeyFile?: string | undefined;
  /** URL of the proxy for this destination; `none` for a direct connection. @defaultValue `none` */
  readonly proxy?: ProxySetting | undefined;
  /** How `complete` sends its fields; the API's specification and its reference page differ. @defaultValue `json` */
  readonly completeEncoding?: 'json' | 'form' | undefined;
  /** Milliseconds without traffic after which the connection of a part is closed. @defaultValue 60,000 */
  readonly stallTimeoutMs?: number | undefined;
  /** Maximum time until a connection is open. @defaultValue 10,000 */
  readonly connectTimeoutMs?: number | undefined;
  /** Maximum time of a call without content. @defaultValue 60,000 */
  readonly requestTimeoutMs?: number | undefined;
  /** Maximum time of a whole part. A session lasts one hour. @defaultValue 3,600,000 */
  readonly partTimeoutMs?: number | undefined;
  /** Maximum time of `complete`: a server can hash gigabytes before it responds. @defaultValue 600,000 */
  readonly completeTimeoutMs?: number | undefined;
  /**
   * Maximum requests per minute to `/files`, for all workers of one control queue: at least 10, or 0 for no limit.
   * OpenAI documents 1,000, and no limit for `/uploads`. @defaultValue 1,000
   */
  readonly filesRequestsPerMinute?: number | undefined;
  /** Limits of Files that differ from those of the kind. @defaultValue those of the kind, by purpose */
  readonly limits?: LimitSettings | undefined;
  /** Whether calls carry W3C's `traceparent` if traces are on: it shows the service which calls belong together. @defaultValue false */
  readonly traceHeaders?: boolean | undefined;
}

/** Settings that replace limits of a destination, because its service accepts more or less than its kind. */
export interface LimitSettings extends PurposeLimits {
  /** Of each part but the last one, in bytes. */
  readonly minPartSizeBytes?: number | undefined;
  readonly maxPartSizeBytes?: number | undefined;
  /** Lifetime of a session, if the response does not contain it. */
  readonly sessionSeconds?: number | undefined;
  /** Limits of single purposes. `maxLines: 0` and an empty list of `extensions` remove a limit. */
  readonly purposes?: Readonly<Record<string, PurposeLimits>> | undefined;
}

type Optional = Omit<DestinationProfile, 'name' | 'baseUrl' | 'apiKey'>;
type Defaulted = { readonly [Key in keyof Optional]-?: NonNullable<Optional[Key]> };

export const DefaultProfile = {
  kind: 'openai',
  apiVersion: 'v1',
  authHeader: 'authorization',
  headers: {},
  query: {},
  ca: '',
  caFile: '',
  clientCertFile: '',
  clientKeyFile: '',
  proxy: 'none',
  completeEncoding: 'json',
  stallTimeoutMs: 60_000,
  connectTimeoutMs: 10_000,
  requestTimeoutMs: 60_000,
  partTimeoutMs: 3_600_000,
  completeTimeoutMs: 600_000,
  filesRequestsPerMinute: 1000,
  limits: {},
  traceHeaders: false,
} as const satisfies Defaulted;

/** A checked profile with every default filled in. `inspect` and `JSON.stringify` show neither its key nor the values of its headers. */
export type ResolvedProfile = Defaulted & Pick<DestinationProfile, 'name' | 'baseUrl' | 'apiKey'>;

/** Headers of the connection and of the body. */
const SET_BY_LONGHAUL =
  /^(content-length|content-type|transfer-encoding|connection|keep-alive|upgrade|te|trailer|expect)$/i;

/**
 * Checks a profile and adds its defaults.
 *
 * @throws ConfigError if its base URL is invalid, or a header cannot be sent. The message never contains a value of either
 */
export function resolveProfile(profile: DestinationProfile): ResolvedProfile {
  assertBaseUrl(profile);
  const resolved = {
    ...DefaultProfile,
    ...withoutUndefined(profile),
    name: profile.name,
    baseUrl: profile.baseUrl,
    apiKey: profile.apiKey,
  };
  const key = typeof profile.apiKey === 'string' ? { 'API key': profile.apiKey } : {};
  for (const [header, value] of Object.entries({ ...key, ...resolved.headers })) {
    if (!isHeaderValue(value)) {
      throw new ConfigError(
        `destination "${profile.name}": the ${header} is empty or has characters that are not permitted in a header`,
      );
    }
  }
  for (const header of Object.keys(resolved.headers)) {
    if (!/^[\w!#$%&'*+.^`|~-]+$/.test(header)) {
      throw new ConfigError(`destination "${profile.name}": "${header}" is not a valid name of a header`);
    }
    if (SET_BY_LONGHAUL.test(header)) {
      throw new ConfigError(`destination "${profile.name}": Longhaul sets the header "${header}". Remove it`);
    }
  }
  return hideSecrets(resolved);
}

function assertBaseUrl({ name, baseUrl }: DestinationProfile): void {
  const url = URL.parse(baseUrl);
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new ConfigError(`destination "${name}": the base URL must be an http:// or https:// address`);
  }
  if (url.username || url.password) {
    throw new ConfigError(`destination "${name}": the base URL must not contain a user name or password`);
  }
}

function isHeaderValue(value: string): boolean {
  return /^[\x21-\x7e\x80-\xff]+([ \t]+[\x21-\x7e\x80-\xff]+)*$/.test(value);
}

function hideSecrets(profile: ResolvedProfile): ResolvedProfile {
  const shown = () => ({
    ...profile,
    apiKey: '[redacted]',
    headers: Object.keys(profile.headers),
    proxy: withoutCredentials(profile.proxy),
  });
  return Object.defineProperties(
    { ...profile },
    { toJSON: { value: shown, enumerable: false }, [inspect.custom]: { value: shown, enumerable: false } },
  );
}
