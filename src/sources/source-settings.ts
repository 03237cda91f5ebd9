import { compileGlobs } from '../core/glob/glob.ts';
import { SourceForbiddenError, SourceNotNamedError, type LonghaulError } from '../errors.ts';
import type { ProxyRules, ProxySetting } from '../network/proxy.ts';
import type { TlsSettings } from '../network/tls-files.ts';
import type { ProtectedPaths } from './file/protected-paths.ts';
import type { SourceHeaderSettings } from './http/headers.ts';

/**
 * The sources that a worker or a client can read, and how. Plain values, except for functions that return secrets. A
 * client reads the sources that its program names, unless a list restricts them. A worker reads the sources that a list
 * permits, see `confined`.
 */
export interface SourceSettings extends NamedSettings {
  /** Files that can be read. @defaultValue workers: none; clients: any */
  readonly files?: FileSettings | undefined;
  /** S3 buckets that callers of a worker can name, for connections without `buckets`. */
  readonly buckets?: readonly string[] | undefined;
  /** For a worker: permits every file, bucket and host, independently of the lists. @defaultValue false */
  readonly any?: boolean | undefined;
  /** S3 connections by name. @defaultValue `default`, from AWS's environment */
  readonly s3?: Readonly<Record<string, S3Settings>>;
  /** URLs that can be read. @defaultValue workers: none; clients: any public address */
  readonly http?: HttpSettings | undefined;
  /** For connections without `proxy`. @defaultValue direct connections */
  readonly proxies?: ProxyRules | undefined;
  /**
   * Key that encrypts the queries of URLs, such as presigned URLs, for Temporal. Clients and workers need the same key. A
   * function is called when the key is needed.
   */
  readonly sealKey?: string | (() => string) | undefined;
  /** An earlier `sealKey`, with which workers still open queries after the key was replaced. @defaultValue none */
  readonly previousSealKey?: string | undefined;
}

/** Settings of the connections to a store or to HTTP servers. */
export interface NetworkSettings extends TlsSettings {
  /** URL of the proxy; `none` for direct connections. @defaultValue by `proxies` */
  readonly proxy?: ProxySetting | undefined;
}

/** Sources that commands of the same user named, for workers on the same machine. */
export interface NamedSettings {
  /** @defaultValue no sources of commands */
  readonly named?: { readonly directory: string; readonly copiesOnly?: boolean } | undefined;
  /** For the worker of a command: a source that it does not permit waits for another worker, because another command can have named it. */
  readonly isOfCommand?: boolean | undefined;
}

export interface FileSettings extends NamedSettings {
  /** Directories (or files) that callers can name, by their real paths. @defaultValue any path; for a worker none */
  readonly roots?: readonly string[] | undefined;
  /** Paths that are never read. `/proc`, `/sys` and `/dev` (except `/dev/shm`) are never read in any case. */
  readonly protect?: ProtectedPaths | undefined;
}

/** Missing settings come from AWS's default chain: environment, shared files, container and instance roles. */
export interface S3Settings extends NetworkSettings {
  readonly endpoint?: string | undefined;
  readonly region?: string | undefined;
  /** Whether the bucket is in the path instead of the host name. @defaultValue true if an endpoint is set */
  readonly forcePathStyle?: boolean | undefined;
  readonly credentials?: S3Credentials | undefined;
  /** Names or globs. @defaultValue any bucket; for a worker those of `SourceSettings.buckets` */
  readonly buckets?: readonly string[] | undefined;
  /** Whether the ETag of an object that was uploaded in one part is its MD5, as AWS documents. @defaultValue true */
  readonly etagIsMd5?: boolean | undefined;
  /** Milliseconds without traffic after which a connection is closed. @defaultValue 60,000 */
  readonly stallTimeoutMs?: number | undefined;
}

export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export interface HttpSettings extends NetworkSettings {
  /** Host names or globs. @defaultValue any host with a public address; for a worker none */
  readonly hosts?: readonly string[] | undefined;
  /** Addresses, networks such as `10.0.0.0/8`, and host names (or patterns) that can be private. @defaultValue none */
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

/** Settings of a worker, whose callers are not trusted: a missing list permits nothing. */
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

/** Kinds of sources that a worker with these settings cannot read, for messages. */
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

/** The seal key as a function. */
export function sealKeyOf({ sealKey }: SourceSettings = {}): (() => string) | undefined {
  return typeof sealKey === 'string' ? () => sealKey : sealKey;
}

/** The keys with which a worker opens sealed queries. */
export function openingKeysOf({ sealKey, previousSealKey }: SourceSettings): string[] {
  return [sealKeyOf({ sealKey })?.(), previousSealKey].filter((key) => key !== undefined);
}

/**
 * Returns the error for a source that no list permits.
 *
 * @param what for example `the file /data/x`
 * @param option the option that would permit it, with its value
 */
export function notPermitted(
  what: string,
  option: string,
  value: string,
  { isOfCommand = false }: { readonly isOfCommand?: boolean | undefined },
): LonghaulError {
  if (isOfCommand) {
    return new SourceNotNamedError(
      `no command named ${what}. Run "longhaul worker ${option} ${value}", or run the command that named it again.`,
    );
  }
  return new SourceForbiddenError(
    `this worker does not permit ${what}. Start "longhaul worker" with ${option} ${value}, or list it in the config file.`,
  );
}

/** Whether a name matches one of `patterns`, which are names or globs. */
export function matchesAny(name: string, patterns: readonly string[]): boolean {
  return patterns.includes(name) || compileGlobs(patterns)(name);
}
