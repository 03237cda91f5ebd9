import type { Container, Source, BucketContainer } from '../../contracts/sources.ts';
import { nameKey } from '../text/name-form.ts';

/** What a message calls the source: never with a query, which may be secret. */
export function nameOfSource(source: Source): string {
  if (source.type === 'file') return source.path;
  return source.type === 'http' ? source.url : `s3://${source.bucket}/${source.key}`;
}

/** The same of a folder or a bucket. */
export function nameOfContainer(source: Container): string {
  return source.type === 'folder' ? source.path : `s3://${source.bucket}/${source.prefix ?? ''}`;
}

/** The File's name where the request gives none: the last segment, in one Unicode form (NFC). */
export function filenameOfSource(source: Source): string {
  const last = nameOfSource(source).split('/').at(-1) as string;
  return nameKey(source.type === 'http' ? decoded(last) : last);
}

/** The part of a name that a workflow ID can contain. */
export function readableIn(name: string): string {
  return name.replace(/[^A-Za-z0-9._-]+/g, '-').slice(0, 48);
}

function decoded(segment: string): string {
  try {
    // A name must not be a path, also if it is encoded.
    return decodeURIComponent(segment).replace(/[/\0\r\n]/g, '_');
  } catch {
    return segment;
  }
}

/** The source that a path within a container leads to. */
export function sourceWithin(container: Container, path: string): Source {
  if (container.type === 's3') {
    const { bucket, connection } = container;
    return {
      type: 's3',
      bucket,
      key: `${keyPrefixOf(container)}${path}`,
      connection,
    };
  }
  const { host } = container;
  const folder = container.path.replace(/\/+$/, '');
  return { type: 'file', path: `${folder}/${path}`, host };
}

/** A prefix is a folder: `data` does not match `database/x`. */
export function keyPrefixOf({ prefix = '' }: BucketContainer): string {
  return prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/`;
}

/** The same source without the query of a URL, which can be a signature. */
export function withoutSealedQuery(source: Source): Source {
  if (source.type !== 'http') return source;
  const { sealedQuery: _, ...rest } = source;
  return rest;
}
