import type { Readable } from 'node:stream';
import {
  GetObjectCommand,
  HeadObjectCommand,
  type GetObjectCommandOutput,
  type HeadObjectCommandOutput,
  type S3Client,
} from '@aws-sdk/client-s3';
import type { ByteRange, S3Source } from '../../contracts/sources.ts';
import { nameOfSource } from '../../core/source/names.ts';
import { SourceChangedError, SourceNotRangedError, SourceReadError, SourceUnusableError } from '../../errors.ts';
import { archiveOfHead, archivedError, failureOf, mapS3Error } from './errors.ts';
import { discardBody, etagOf } from '../remote/values.ts';
import { RemoteReader, type RemoteInfo, type RemoteStore } from '../remote/reader.ts';
import type { S3Bucket } from './connections.ts';
import type { OpenOptions, SourceReader } from '../source-reader.ts';

interface S3Info extends RemoteInfo {
  readonly etag: string;
}

/** Opens an object of a bucket. It sends no request. */
export function openS3Source(source: S3Source, bucket: S3Bucket, options: OpenOptions): SourceReader {
  return new RemoteReader(s3Store(source, bucket, options.signal), options);
}

function s3Store(source: S3Source, { settings, ...store }: S3Bucket, signal: AbortSignal | undefined): RemoteStore {
  const { stallTimeoutMs, endpoint } = settings;
  const { bucket, key, versionId } = source;
  const target = { Bucket: bucket, Key: key, VersionId: versionId };
  const options = { abortSignal: signal };
  const name = nameOfSource(source);

  async function stat(): Promise<S3Info> {
    const head = await ask((client) => client.send(new HeadObjectCommand(target), options));
    const { ContentLength: sizeBytes } = head;
    const etag = etagOf(head.ETag);
    if (sizeBytes === undefined || !Number.isSafeInteger(sizeBytes) || etag === undefined) {
      throw new SourceNotRangedError(
        `cannot read ${name}: the store returned no valid size or ETag, so that changes cannot be detected. Check the store.`,
      );
    }
    const archive = archiveOfHead(head);
    if (archive !== undefined) throw archivedError(source, archive);
    if (sizeBytes === 0) throw new SourceUnusableError({ name, reason: 'it is empty. Choose an object with content.' });
    return {
      sizeBytes,
      fingerprint: fingerprintOfObject(sizeBytes, etag),
      etag,
      storedMd5: md5Of(etag, head),
    };
  }

  async function get({ offsetBytes, sizeBytes }: ByteRange, info: RemoteInfo): Promise<Readable> {
    const { etag } = info as S3Info;
    const Range = `bytes=${offsetBytes}-${offsetBytes + sizeBytes - 1}`;
    const command = new GetObjectCommand({ ...target, Range, IfMatch: etag });
    const answer = await ask((client) => client.send(command, options));
    const body = answer.Body as Readable | undefined;
    if (!body) throw new SourceReadError(`cannot read ${name}: the response of the store has no body`);
    try {
      check(answer, { offsetBytes, sizeBytes }, info as S3Info);
    } catch (error) {
      discardBody(body);
      throw error;
    }
    return body;
  }

  function mapError(error: unknown): unknown {
    // A tier of S3 Intelligent-Tiering, or an object that was archived after it was listed.
    if (failureOf(error).code === 'InvalidObjectState') return archivedError(source, undefined, error);
    return mapS3Error(error, name);
  }

  /** Checks every response, because a store can ignore `If-Match` and `Range`. */
  function check(answer: GetObjectCommandOutput, range: ByteRange, { etag, sizeBytes }: S3Info): void {
    if (answer.ETag === undefined || bare(answer.ETag) !== bare(etag)) {
      throw new SourceChangedError(`${name} was overwritten while it was read. Start a new upload.`);
    }
    const { offsetBytes, sizeBytes: length } = range;
    const told = answer.ContentRange;
    const isRange =
      told === undefined
        ? answer.ContentLength === length && (length < sizeBytes || offsetBytes === 0)
        : told === `bytes ${offsetBytes}-${offsetBytes + length - 1}/${sizeBytes}`;
    if (!isRange) {
      throw new SourceNotRangedError(
        `cannot read ${name} in parts: the store returned other bytes than requested (${told ?? 'no range'}). Check the store.`,
      );
    }
  }

  /** "Objects … encrypted by SSE-S3 or plaintext have ETags that are an MD5 digest", not so those of several parts (AWS). */
  function md5Of(etag: string, head: HeadObjectCommandOutput) {
    const { etagIsMd5 = endpoint === undefined } = settings;
    const isPlain = (head.ServerSideEncryption ?? 'AES256') === 'AES256' && head.SSECustomerAlgorithm === undefined;
    // Directory buckets: "ETag … is not the MD5 digest of the object".
    const isDirectoryBucket = bucket.endsWith('--x-s3');
    const digest = bare(etag);
    return etagIsMd5 && isPlain && !isDirectoryBucket && /^[0-9a-f]{32}$/.test(digest) ? digest : undefined;
  }

  async function ask<T>(call: (client: S3Client) => Promise<T>): Promise<T> {
    try {
      return await store.ask(call);
    } catch (error) {
      throw mapError(error);
    }
  }

  return { stallTimeoutMs, stat, get, mapError };
}

/** The same as in a listing, which has no versions. */
export function fingerprintOfObject(sizeBytes: number, etag: string): string {
  return `${sizeBytes}-${bare(etag)}`;
}

function bare(etag: string): string {
  return etag.replace(/^W\//, '').replaceAll('"', '');
}
