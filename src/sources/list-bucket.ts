import { ListObjectsV2Command, type ListObjectsV2CommandOutput } from '@aws-sdk/client-s3';
import type { BucketContainer } from '../contracts/sources.ts';
import { keyPrefixOf } from '../core/source-within.ts';
import { Breather } from './breather.ts';
import { BucketRows } from './bucket-rows.ts';
import type { Listing, ListOptions } from './listing.ts';
import { mapS3Error } from './map-s3-error.ts';
import { PageCourse } from './page-course.ts';
import type { S3Connections } from './s3-connections.ts';

/**
 * The objects of a bucket below a prefix, page by page. A listing that breaks off is no listing: it throws. A row that
 * can't be used costs no other row; the listing is not complete then.
 *
 * @throws SourceMissingError, SourceReadError, SourceForbiddenError, SourceNotRangedError, SourceUnusableError, ConfigError
 */
export async function listBucket(
  container: BucketContainer,
  connections: S3Connections,
  { filter, signal, isNamed }: ListOptions,
): Promise<Listing> {
  const { bucket, connection = 'default' } = container;
  const prefix = keyPrefixOf(container);
  const name = `s3://${bucket}/${prefix}`;
  const settings = connections.settings(connection, bucket, isNamed);
  const rows = new BucketRows(name, prefix, filter);
  const course = new PageCourse(name);
  const breather = new Breather();
  const ask = (token: string | undefined): Promise<ListObjectsV2CommandOutput> => {
    const page = { Bucket: bucket, Prefix: prefix, ...(token === undefined ? {} : { ContinuationToken: token }) };
    return connections
      .ask(connection, settings, (client) =>
        client.send(new ListObjectsV2Command(page), signal ? { abortSignal: signal } : {}),
      )
      .catch((error: unknown) => {
        throw mapS3Error(error, name);
      });
  };
  for (let token: string | undefined; ;) {
    const page = await ask(token);
    const before = rows.count;
    for (const object of page.Contents ?? []) {
      await breather.breathe();
      rows.add(object);
    }
    token = course.next(page, rows.count > before);
    if (token === undefined) break;
  }
  return rows.listing(course.isComplete);
}
