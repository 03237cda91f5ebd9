import { ListObjectsV2Command, OptionalObjectAttributes, type ListObjectsV2CommandOutput } from '@aws-sdk/client-s3';
import type { BucketContainer } from '../../contracts/sources.ts';
import { keyPrefixOf } from '../../core/source/names.ts';
import { Breather, type Listing, type ListOptions } from '../listing/listing.ts';
import { BucketRows } from './bucket-rows.ts';
import { mapS3Error, type S3Failure } from './errors.ts';
import { PageCourse } from '../listing/page-course.ts';
import type { S3Connections } from './connections.ts';

/**
 * Lists the objects of a bucket below a prefix, page by page. It throws if the listing breaks. A row that cannot be used
 * does not affect other rows, but then the listing is not complete.
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
  let tellsRestored = true;
  const ask = (token: string | undefined): Promise<ListObjectsV2CommandOutput> => {
    const page = { Bucket: bucket, Prefix: prefix, ContinuationToken: token };
    const restored = tellsRestored ? { OptionalObjectAttributes: [OptionalObjectAttributes.RESTORE_STATUS] } : {};
    return connections.ask(connection, settings, (client) =>
      client.send(new ListObjectsV2Command({ ...page, ...restored }), signal ? { abortSignal: signal } : {}),
    );
  };
  const askPage = async (token: string | undefined): Promise<ListObjectsV2CommandOutput> => {
    try {
      return await ask(token).catch((error: unknown) => {
        if (!tellsRestored || !isUnsupported(error)) throw error;
        tellsRestored = false;
        return ask(token);
      });
    } catch (error) {
      throw mapS3Error(error, name);
    }
  };
  for (let token: string | undefined; ;) {
    const page = await askPage(token);
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

/** Checks that a bucket can be listed. @throws as `listBucket` */
export async function checkBucket(
  container: BucketContainer,
  connections: S3Connections,
  { signal, isNamed }: Pick<ListOptions, 'signal' | 'isNamed'>,
): Promise<void> {
  const { bucket, connection = 'default' } = container;
  const prefix = keyPrefixOf(container);
  const command = new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, MaxKeys: 1 });
  const settings = connections.settings(connection, bucket, isNamed);
  try {
    await connections.ask(connection, settings, (client) =>
      client.send(command, signal ? { abortSignal: signal } : {}),
    );
  } catch (error) {
    throw mapS3Error(error, `s3://${bucket}/${prefix}`);
  }
}

/** A store other than AWS can reject the header that requests the state of restored objects. */
function isUnsupported(error: unknown): boolean {
  const { name, $metadata } = (error ?? {}) as S3Failure;
  return $metadata?.httpStatusCode === 501 || ($metadata?.httpStatusCode === 400 && name !== 'ExpiredToken');
}
