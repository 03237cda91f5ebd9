import { ListObjectsV2Command, OptionalObjectAttributes, type ListObjectsV2CommandOutput } from '@aws-sdk/client-s3';
import type { BucketContainer } from '../../contracts/sources.ts';
import { keyPrefixOf } from '../../core/source/names.ts';
import { SourceNotRangedError } from '../../errors.ts';
import { Breather, type Listing, type ListOptions } from '../listing/listing.ts';
import { BucketRows } from './bucket-rows.ts';
import type { S3Bucket } from './connections.ts';
import { failureOf, mapS3Error } from './errors.ts';

/** Limits for a store whose list never ends. A page has 1,000 rows, and all can be those of folders. */
const MAX_PAGES = 100_000;
const MAX_BARREN_PAGES = 1000;

/**
 * Lists the objects of a bucket below a prefix, page by page. It throws if the listing breaks. A row that cannot be used
 * does not affect other rows, but then the listing is not complete.
 *
 * @throws SourceMissingError, SourceReadError, SourceNotRangedError, SourceUnusableError, ConfigError
 */
export async function listBucket(
  container: BucketContainer,
  bucket: S3Bucket,
  { filter, signal }: ListOptions,
): Promise<Listing> {
  const prefix = keyPrefixOf(container);
  const name = `s3://${container.bucket}/${prefix}`;
  const rows = new BucketRows(name, prefix, filter);
  const breather = new Breather();
  const tokens = new Set<string>();
  let barren = 0;
  let tellsRestored = true;
  const ask = (token: string | undefined): Promise<ListObjectsV2CommandOutput> => {
    const page = { Bucket: container.bucket, Prefix: prefix, ContinuationToken: token };
    const restored = tellsRestored ? { OptionalObjectAttributes: [OptionalObjectAttributes.RESTORE_STATUS] } : {};
    const command = new ListObjectsV2Command({ ...page, ...restored });
    return bucket.ask((client) => client.send(command, { abortSignal: signal }));
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
  for (let last: string | undefined; ;) {
    const { Contents = [], IsTruncated, NextContinuationToken: token } = await askPage(last);
    const before = rows.count;
    for (const object of Contents) {
      await breather.breathe();
      rows.add(object);
    }
    if (IsTruncated !== true) return rows.listing(IsTruncated === false && !token);
    if (!token) throw brokenList(name, 'returned an incomplete list without a continuation token');
    if (tokens.has(token)) throw brokenList(name, 'repeated a page of its list');
    tokens.add(token);
    barren = rows.count > before ? 0 : barren + 1;
    if (barren >= MAX_BARREN_PAGES || tokens.size >= MAX_PAGES) {
      throw brokenList(name, 'returned a list without an end');
    }
    last = token;
  }
}

/** Checks that a bucket can be listed. @throws as `listBucket` */
export async function checkBucket(
  container: BucketContainer,
  bucket: S3Bucket,
  signal: AbortSignal | undefined,
): Promise<void> {
  const prefix = keyPrefixOf(container);
  const command = new ListObjectsV2Command({ Bucket: container.bucket, Prefix: prefix, MaxKeys: 1 });
  try {
    await bucket.ask((client) => client.send(command, { abortSignal: signal }));
  } catch (error) {
    throw mapS3Error(error, `s3://${container.bucket}/${prefix}`);
  }
}

/** A store other than AWS can reject the header that requests the state of restored objects. */
function isUnsupported(error: unknown): boolean {
  const { code, status } = failureOf(error);
  return status === 501 || (status === 400 && code !== 'ExpiredToken');
}

function brokenList(name: string, what: string): SourceNotRangedError {
  return new SourceNotRangedError(`cannot list ${name}: the store ${what}. Check the endpoint of the S3 connection.`);
}
