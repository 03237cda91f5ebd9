import type { ProxyRules, ProxySetting } from '../network/proxy.ts';
import type { TlsSettings } from '../network/tls-files.ts';

/** What a worker or a client may read, and how. Plain values, but for the function that fetches the key. */
export interface SourceSettings {
  readonly files?: FileSettings | undefined;
  /** S3 connections by name. @defaultValue `default`, from AWS's own environment */
  readonly s3?: Readonly<Record<string, S3Settings>>;
  readonly http?: HttpSettings | undefined;
  /** For connections without a `proxy` of their own. @defaultValue direct connections */
  readonly proxies?: ProxyRules | undefined;
  /**
   * Seals the queries of URLs (presigned ones) on their way through Temporal; clients and workers need the same. Given as a
   * function it is asked for when it is needed.
   */
  readonly sealKey?: string | (() => string) | undefined;
  /** An earlier `sealKey`, with which workers still open queries after the key was replaced. @defaultValue none */
  readonly previousSealKey?: string | undefined;
}

/** How the connections to a store or to HTTP servers are made. */
export interface NetworkSettings extends TlsSettings {
  /** URL of the proxy; `none` for direct connections. @defaultValue by `proxies` */
  readonly proxy?: ProxySetting | undefined;
}

export interface FileSettings {
  /** Directories below which files may be named, by their real paths. @defaultValue any path */
  readonly roots?: readonly string[] | undefined;
}

/** What is left out comes from AWS's usual chain: environment, shared files, container and instance roles. */
export interface S3Settings extends NetworkSettings {
  readonly endpoint?: string | undefined;
  readonly region?: string | undefined;
  /** The bucket in the path instead of the host name. @defaultValue true with an endpoint of its own */
  readonly forcePathStyle?: boolean | undefined;
  readonly credentials?: S3Credentials | undefined;
  /** Names, or patterns with `*`. @defaultValue any bucket */
  readonly buckets?: readonly string[] | undefined;
  /** Whether the ETag of an object that came in one piece is its md5, as AWS documents it. @defaultValue true */
  readonly etagIsMd5?: boolean | undefined;
  /** A connection on which nothing moves for so long is given up. @defaultValue 60,000 */
  readonly stallTimeoutMs?: number | undefined;
}

export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export interface HttpSettings extends NetworkSettings {
  /** Host names, or patterns with `*`. @defaultValue any host with a public address */
  readonly hosts?: readonly string[] | undefined;
  /** Addresses, networks such as `10.0.0.0/8`, and host names (or patterns) that may be private. @defaultValue none */
  readonly allowPrivate?: readonly string[] | undefined;
  /**
   * Whether a host that `hosts` does not list can be read through a proxy. The proxy resolves its name, so its address
   * cannot be checked here. @defaultValue false
   */
  readonly trustProxy?: boolean | undefined;
  /** As in `S3Settings`. */
  readonly stallTimeoutMs?: number | undefined;
}

export const SourceDefaults = { stallTimeoutMs: 60_000 } as const;

/** The seal key as a function, whichever way it was given. */
export function sealKeyOf({ sealKey }: SourceSettings = {}): (() => string) | undefined {
  return typeof sealKey === 'string' ? () => sealKey : sealKey;
}

/** The keys with which a worker opens sealed queries. */
export function openingKeysOf({ sealKey, previousSealKey }: SourceSettings): string[] {
  return [sealKeyOf({ sealKey })?.(), previousSealKey].filter((key) => key !== undefined);
}
