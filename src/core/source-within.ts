import type { BucketContainer, Container, Source } from '../contracts/sources.ts';

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

/** A prefix stands for a folder: `data` does not reach `database/x`. */
export function keyPrefixOf({ prefix = '' }: BucketContainer): string {
  return prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/`;
}
