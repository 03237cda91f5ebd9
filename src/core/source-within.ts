import type { Container, Source } from '../contracts/sources.ts';

/** The source that a path within a container leads to. */
export function sourceWithin(container: Container, path: string): Source {
  if (container.type === 's3') throw new Error('the sources of a bucket are not made yet');
  const { host } = container;
  const folder = container.path.replace(/\/+$/, '');
  return { type: 'file', path: `${folder}/${path}`, ...(host === undefined ? {} : { host }) };
}
