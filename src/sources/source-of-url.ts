import { fileURLToPath } from 'node:url';
import type { HttpSource, S3Source, Source } from '../contracts/sources.ts';
import { ConfigError } from '../errors.ts';
import { sealQuery } from './http/sealed-query.ts';

/** Whether an argument is a URL of a source, not a path. */
export function isSourceUrl(text: string): boolean {
  return /^s3:\/\//i.test(text) || isHttpUrl(text);
}

export function isHttpUrl(text: string): boolean {
  return /^https?:\/\//i.test(text);
}

/** The bucket and the key or prefix of an `s3://` URL, both possibly empty; undefined for any other text. */
export function partsOfS3Url(text: string): { readonly bucket: string; readonly key: string } | undefined {
  const [, bucket, key = ''] = /^s3:\/\/([^/]*)\/?(.*)$/is.exec(text) ?? [];
  return bucket === undefined ? undefined : { bucket, key };
}

/** @throws ConfigError if an argument is a URL that does not name a source, and would be read as a path */
export function assertNoOtherUrl(text: string): void {
  if (isSourceUrl(text) || !/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return;
  throw new ConfigError(
    `cannot read ${text}: ${pathAdvice(text) ?? 'use a path, or a URL of s3://, http:// or https://'}.`,
  );
}

function pathAdvice(text: string): string | undefined {
  try {
    return `it is the URL of a local file. Use its path: ${fileURLToPath(text)}`;
  } catch {
    return undefined;
  }
}

export interface UrlContext {
  /** S3 connection; undefined for the default one. */
  readonly connection: string | undefined;
  /** Called only if the URL has a query. */
  readonly sealKey: (() => string) | undefined;
}

/** The source of a URL, as this process reads it. */
export interface UrlSource {
  readonly source: S3Source | HttpSource;
  /** Not part of the source: it can contain a signature, and must not be visible in Temporal. */
  readonly query?: string;
}

/** @throws ConfigError if the URL does not name a source, or if its query cannot be sealed */
export function sourceOfUrl(text: string, { connection, sealKey }: UrlContext): UrlSource {
  const object = partsOfS3Url(text);
  if (object) {
    const { bucket, key } = object;
    if (bucket === '' || key === '' || key.endsWith('/')) {
      throw new ConfigError(`${text} must have the form s3://BUCKET/KEY`);
    }
    return { source: { type: 's3', bucket, key, connection } };
  }
  const url = httpUrlOf(text);
  const query = url.search.slice(1);
  url.search = '';
  if (query === '') return { source: { type: 'http', url: url.href } };
  if (!sealKey) {
    const advice = 'Set LONGHAUL_SEAL_KEY to the same secret here and for the workers.';
    throw new ConfigError(
      `cannot encrypt the query of ${url.href}, which can be secret: no seal key is set. ${advice}`,
    );
  }
  return { source: { type: 'http', url: url.href }, query };
}

/**
 * Returns the source in the form for Temporal: its query is sealed for one workflow.
 *
 * @throws ConfigError if the seal key is too short
 */
export function sealedSource({ source, query }: UrlSource, workflowId: string, { sealKey }: UrlContext): Source {
  if (source.type !== 'http' || query === undefined || !sealKey) return source;
  return { ...source, sealedQuery: sealQuery(query, { url: source.url, workflowId }, sealKey()) };
}

/** @throws ConfigError if it is not an http: or https: URL, or contains a user name or password */
export function httpUrlOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new ConfigError(
      isHttpUrl(text)
        ? 'the URL of the source is not valid. Check its host and its port, and percent-encode spaces.'
        : 'a source URL must start with s3://, http:// or https://',
    );
  }
  if (url.username || url.password) {
    const advice = `Use a presigned URL, or set "sources.http.headers" for ${url.host} in the configuration.`;
    throw new ConfigError(`the URL of ${url.host} must not contain a user name or password. ${advice}`);
  }
  url.hash = '';
  return url;
}
