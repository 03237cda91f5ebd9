import { ListObjectsV2Command, OptionalObjectAttributes, type ListObjectsV2CommandOutput } from '@aws-sdk/client-s3';
import type { BucketContainer } from '../../contracts/sources.ts';
import { keyPrefixOf } from '../../core/source/names.ts';
import { SourceNotRangedError } from '../../errors.ts';
import { Breather, type Listing, type ListOptions } from '../listing/listing.ts';
import { BucketRows } from './bucket-rows.ts';
import type { S3Connections } from './connections.ts';
import { mapS3Error, type S3Failure } from './errors.ts';

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

/** Limits for a store whose list never ends. A page has 1,000 rows, and all can be those of folders. */
const MAX_PAGES = 100_000;
const MAX_BARREN_PAGES = 1000;

/** Follows the pages of a listing to its end. */
export class PageCourse {
  readonly #name: string;
  readonly #tokens = new Set<string>();
  #barren = 0;
  /** Whether the store returned the last page. */
  isComplete = true;

  /** @param name of the listing, for messages */
  constructor(name: string) {
    this.#name = name;
  }

  /**
   * Returns the token of the next page; undefined after the last page.
   *
   * @param hasBrought whether the page had a new row
   * @throws SourceNotRangedError if the list does not end
   */
  next(
    {
      IsTruncated,
      NextContinuationToken: token,
    }: Pick<ListObjectsV2CommandOutput, 'IsTruncated' | 'NextContinuationToken'>,
    hasBrought: boolean,
  ): string | undefined {
    if (IsTruncated !== true) {
      this.isComplete = IsTruncated === false && !token;
      return undefined;
    }
    if (!token) throw this.#broken('returned an incomplete list without a continuation token');
    if (this.#tokens.has(token)) throw this.#broken('repeated a page of its list');
    this.#tokens.add(token);
    this.#barren = hasBrought ? 0 : this.#barren + 1;
    if (this.#barren >= MAX_BARREN_PAGES || this.#tokens.size >= MAX_PAGES)
      throw this.#broken('returned a list without an end');
    return token;
  }

  #broken(what: string): SourceNotRangedError {
    return new SourceNotRangedError(
      `cannot list ${this.#name}: the store ${what}. Check the endpoint of the S3 connection.`,
    );
  }
}
