import type { ProxyRules, ProxySetting } from '../network/proxy.ts';
import type { TlsSettings } from '../network/tls-files.ts';

import type { ProtectedPaths } from './file/protected-paths.ts';
import type { SourceHeaderSettings } from './http/headers.ts';

/**
 * What a worker or a client may read, and how. Plain values, but for the functions that return secrets. A client reads what
 * its own program names, as far as a list does not restrict it. A worker reads what a list permits, see `confined`.
 */
export interface SourceSettings extends NamedSettings {
  readonly files?: FileSettings | undefined;
  /** S3 buckets that callers of a worker can name, for connections without `buckets` of their own. */
  readonly buckets?: readonly string[] | undefined;
  /** Of a worker: permits every file, bucket and host, whatever the lists say. @defaultValue false */
  readonly any?: boolean | undefined;
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

/** What commands of the same user named, for workers on the same machine. */
export interface NamedSettings {
  /** @defaultValue nothing is read for commands */
  readonly named?: { readonly directory: string; readonly copiesOnly?: boolean } | undefined;
  /** Of a command's own worker: what it does not permit waits for another worker, as it may be another command's. */
  readonly isOfCommand?: boolean | undefined;
}

export interface FileSettings extends NamedSettings {
  /** Directories (or files) that callers can name, by their real paths. @defaultValue any path; of a worker none */
  readonly roots?: readonly string[] | undefined;
  /** What is never read. `/proc`, `/sys` and `/dev` are not in any case. */
  readonly protect?: ProtectedPaths | undefined;
}

/** What is left out comes from AWS's usual chain: environment, shared files, container and instance roles. */
export interface S3Settings extends NetworkSettings {
  readonly endpoint?: string | undefined;
  readonly region?: string | undefined;
  /** The bucket in the path instead of the host name. @defaultValue true with an endpoint of its own */
  readonly forcePathStyle?: boolean | undefined;
  readonly credentials?: S3Credentials | undefined;
  /** Names, or globs. @defaultValue any bucket; of a worker those of `SourceSettings.buckets` */
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
  /** Host names, or globs. @defaultValue any host with a public address; of a worker none */
  readonly hosts?: readonly string[] | undefined;
  /** Addresses, networks such as `10.0.0.0/8`, and host names (or patterns) that may be private. @defaultValue none */
  readonly allowPrivate?: readonly string[] | undefined;
  /**
   * Whether a host that `hosts` does not list can be read through a proxy. The proxy resolves its name, so its address
   * cannot be checked here. @defaultValue false
   */
  readonly trustProxy?: boolean | undefined;
  /**
   * Headers for servers that require them, such as `Authorization`, by `HOST`, `HOST:PORT` or `http://HOST:PORT`. A header
   * is sent to its own host over `https:` (or to this machine), and not after a redirect to another host. Other `http:`
   * hosts must be named with `http://`. @defaultValue none
   */
  readonly headers?: SourceHeaderSettings | undefined;
  /** As in `S3Settings`. */
  readonly stallTimeoutMs?: number | undefined;
}

export const SourceDefaults = { stallTimeoutMs: 60_000 } as const;

/** Settings of a worker, whose callers are not trusted: a list that is missing permits nothing. */
export function confined({ any = false, ...settings }: SourceSettings = {}): SourceSettings {
  const { files, buckets, http, s3 } = settings;
  const all: Readonly<Record<string, S3Settings>> = { default: {}, ...s3 };
  const connections = Object.entries(all).map(([name, connection]): [string, S3Settings] => [
    name,
    { ...connection, buckets: any ? ['*'] : (connection.buckets ?? buckets ?? []) },
  ]);
  return {
    ...settings,
    files: { ...files, roots: any ? ['/'] : (files?.roots ?? []) },
    s3: Object.fromEntries(connections),
    http: { ...http, hosts: any ? ['*'] : (http?.hosts ?? []) },
  };
}

/** Number of the kinds of sources: files, S3 and HTTP. */
export const ALL_KINDS = 3;

/** Kinds of sources that a worker with these settings reads none of, as messages call them. */
export function rejectedKinds({ any, files, s3, buckets, http }: SourceSettings = {}): string[] {
  if (any) return [];
  const isListed = (list: readonly string[] | undefined) => list !== undefined && list.length > 0;
  const hasBuckets = isListed(buckets) || Object.values(s3 ?? {}).some((connection) => isListed(connection.buckets));
  return [
    ...(isListed(files?.roots) ? [] : ['files (--root DIR)']),
    ...(hasBuckets ? [] : ['S3 buckets (--bucket NAME)']),
    ...(isListed(http?.hosts) ? [] : ['HTTP hosts (--http-host HOST)']),
  ];
}

/** The seal key as a function, whichever way it was given. */
export function sealKeyOf({ sealKey }: SourceSettings = {}): (() => string) | undefined {
  return typeof sealKey === 'string' ? () => sealKey : sealKey;
}

/** The keys with which a worker opens sealed queries. */
export function openingKeysOf({ sealKey, previousSealKey }: SourceSettings): string[] {
  return [sealKeyOf({ sealKey })?.(), previousSealKey].filter((key) => key !== undefined);
}
