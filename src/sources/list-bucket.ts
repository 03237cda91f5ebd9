import { ListObjectsV2Command, type _Object as ListedObject } from '@aws-sdk/client-s3';
import { FailureType } from '../contracts/failures.ts';
import { Limits } from '../contracts/limits.ts';
import type { BucketContainer } from '../contracts/sources.ts';
import type { SyncProblem } from '../contracts/sync.ts';
import { formatBytes } from '../core/format.ts';
import { keyProblem } from '../core/source-limits.ts';
import { keyPrefixOf } from '../core/source-within.ts';
import { comparePaths, type ListedSource } from '../core/sync-plan.ts';
import { SourceNotRangedError } from '../errors.ts';
import { Breather } from './breather.ts';
import type { Listing, ListOptions } from './listing.ts';
import { mapS3Error } from './map-s3-error.ts';
import type { S3Connections } from './s3-connections.ts';
import { fingerprintOfObject } from './s3-source.ts';

/**
 * The objects of a bucket below a prefix, page by page. A listing that breaks off is no listing: it throws.
 *
 * @throws SourceMissingError, SourceReadError, SourceForbiddenError, ConfigError
 */
export async function listBucket(
  container: BucketContainer,
  connections: S3Connections,
  { filter, signal, isNamed }: ListOptions,
): Promise<Listing> {
  const { bucket, connection = 'default' } = container;
  const prefix = keyPrefixOf(container);
  const settings = connections.settings(connection, bucket, isNamed);
  const entries: ListedSource[] = [];
  const problems: SyncProblem[] = [];
  const leftOut: SyncProblem[] = [];
  const breather = new Breather();
  let token: string | undefined;
  do {
    const page = { Bucket: bucket, Prefix: prefix, ...(token === undefined ? {} : { ContinuationToken: token }) };
    const answer = await connections
      .ask(connection, settings, (client) =>
        client.send(new ListObjectsV2Command(page), signal ? { abortSignal: signal } : {}),
      )
      .catch((error: unknown) => {
        throw mapS3Error(error, `s3://${bucket}/${prefix}`);
      });
    for (const object of answer.Contents ?? []) {
      await breather.breathe();
      const path = (object.Key ?? '').slice(prefix.length);
      // What a console makes to show a folder.
      if (path === '' || path.endsWith('/') || !filter.takes(path)) continue;
      const problem = problemOf(object) ?? keyProblem('key', path);
      if (problem === undefined) entries.push(toEntry(path, object));
      else if (object.Size === 0) leftOut.push({ path, failureType: FailureType.SourceUnusable, message: problem });
      else problems.push({ path, failureType: FailureType.SourceUnusable, message: problem });
    }
    token = answer.IsTruncated ? answer.NextContinuationToken : undefined;
    if (answer.IsTruncated && token === undefined) {
      throw new SourceNotRangedError(
        `s3://${bucket}/${prefix}: the store breaks its list off and does not tell how it goes on`,
      );
    }
  } while (token !== undefined);
  const byPath = (a: { path: string }, b: { path: string }) => comparePaths(a.path, b.path);
  return {
    entries: entries.toSorted(byPath),
    problems: problems.toSorted(byPath),
    leftOut: leftOut.toSorted(byPath),
    unseen: [],
    isComplete: true,
  };
}

function problemOf({ Size, ETag }: ListedObject): string | undefined {
  if (Size === undefined || ETag === undefined) return 'the store tells no size or no ETag';
  if (Size === 0) return 'is empty; there is nothing to upload';
  if (Size <= Limits.maxFileBytes) return undefined;
  return `has ${formatBytes(Size)}; an Upload takes ${formatBytes(Limits.maxFileBytes)} at most: split it`;
}

function toEntry(path: string, { Size = 0, ETag = '', LastModified }: ListedObject): ListedSource {
  return {
    path,
    sizeBytes: Size,
    mtimeMs: LastModified?.getTime() ?? Date.now(),
    fingerprint: fingerprintOfObject(Size, ETag),
    version: ETag.replaceAll('"', ''),
  };
}
