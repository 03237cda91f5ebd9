import type { HttpSource, S3Source } from '../contracts/sources.ts';
import { ConfigError } from '../errors.ts';
import { sealQuery } from './sealed-query.ts';

/** Whether an argument names a source by a URL rather than a path. */
export function isSourceUrl(text: string): boolean {
  return /^s3:\/\//i.test(text) || isHttpUrl(text);
}

export function isHttpUrl(text: string): boolean {
  return /^https?:\/\//i.test(text);
}

export interface UrlContext {
  /** S3 connection; undefined for the default one. */
  readonly connection: string | undefined;
  /** Asked for only when the URL has a query. */
  readonly sealKey: (() => string) | undefined;
}

/**
 * The source that a URL names. Its query is sealed: it may hold a signature, and must not be seen in Temporal.
 *
 * @throws ConfigError for a URL that names no source, or whose query can't be sealed
 */
export function sourceOfUrl(text: string, { connection, sealKey }: UrlContext): S3Source | HttpSource {
  if (/^s3:\/\//i.test(text)) {
    const [, bucket = '', key = ''] = /^s3:\/\/([^/]+)\/(.+)$/is.exec(text) ?? [];
    if (bucket === '' || key === '' || key.endsWith('/')) {
      throw new ConfigError(`${text} names no object; give s3://BUCKET/KEY`);
    }
    return { type: 's3', bucket, key, ...(connection === undefined ? {} : { connection }) };
  }
  const url = httpUrlOf(text);
  const query = url.search.slice(1);
  url.search = '';
  if (query === '') return { type: 'http', url: url.href };
  if (!sealKey) {
    const advice = 'set LONGHAUL_SEAL_KEY to the same secret here and for the workers';
    throw new ConfigError(`the query of ${url.href} may be secret, and there is nothing to seal it with: ${advice}`);
  }
  return { type: 'http', url: url.href, sealedQuery: sealQuery(query, url.href, sealKey()) };
}

/** @throws ConfigError for what is no http: or https: URL, or holds a user name or password */
export function httpUrlOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new ConfigError('a source URL begins with s3://, http:// or https://');
  }
  if (url.username || url.password) {
    throw new ConfigError(`the URL of ${url.host} must not hold a user name or password; use a presigned URL`);
  }
  url.hash = '';
  return url;
}
