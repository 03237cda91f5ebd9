import type { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import type { ByteRange, HttpSource } from '../../contracts/sources.ts';
import { SourceUnusableError } from '../../errors.ts';
import { discardBody, contentRangeOf, type ContentRange } from '../remote/values.ts';
import type { HttpConnections, HttpOptions } from './connections.ts';
import { HttpResource, validatorOf } from './resource.ts';
import { RemoteReader, type RemoteInfo, type RemoteStore } from '../remote/reader.ts';
import type { OpenOptions, SourceReader } from '../source-reader.ts';

/**
 * Opens an HTTP source. It sends no request.
 *
 * @param query of the URL, without its `?`
 * @throws SourceForbiddenError
 */
export function openHttpSource(
  source: HttpSource,
  query: string | undefined,
  connections: HttpConnections,
  options: OpenOptions & HttpOptions,
): SourceReader {
  const url = new URL(source.url);
  if (query !== undefined) url.search = query;
  return new RemoteReader(httpStore(new HttpResource(url, connections, options)), options);
}

interface HttpInfo extends RemoteInfo {
  /** Value for `If-Range` or `If-Match`. */
  readonly validator: string;
}

function httpStore(resource: HttpResource): RemoteStore {
  /** Requests one byte instead of HEAD: a presigned URL is valid for one method, and some servers support only GET. */
  async function stat(): Promise<HttpInfo> {
    const { statusCode, headers, body } = await resource.get({ range: 'bytes=0-0' });
    discardBody(body);
    if (statusCode === 416)
      throw new SourceUnusableError({ name: resource.name, reason: 'it is empty. Choose a file with content.' });
    if (statusCode !== 206) throw resource.notRanged('the server ignores range requests');
    return infoOf(headers);
  }

  async function get({ offsetBytes, sizeBytes }: ByteRange, info: RemoteInfo): Promise<Readable> {
    const { validator } = info as HttpInfo;
    const last = offsetBytes + sizeBytes - 1;
    const { statusCode, headers, body } = await resource.get({
      range: `bytes=${offsetBytes}-${last}`,
      // If the content changed, the server returns all of it instead of a range.
      'if-range': validator,
    });
    try {
      if (statusCode !== 206 || infoOf(headers).fingerprint !== info.fingerprint) throw resource.changed();
      const { firstByte, lastByte } = rangeOf(headers);
      if (firstByte !== offsetBytes || lastByte !== last) {
        throw resource.notRanged('the server returned other bytes than requested');
      }
      return body;
    } catch (error) {
      discardBody(body);
      throw error;
    }
  }

  function infoOf(headers: Dispatcher.ResponseData['headers']): HttpInfo {
    const { sizeBytes } = rangeOf(headers);
    const validator = validatorOf(headers);
    if (validator === undefined) {
      const why =
        'the server returns neither a strong ETag nor a modification time, so that changes cannot be detected';
      throw resource.notRanged(why);
    }
    return { sizeBytes, fingerprint: `${sizeBytes}-${validator}`, validator };
  }

  function rangeOf(headers: Dispatcher.ResponseData['headers']): ContentRange & { readonly sizeBytes: number } {
    const range = contentRangeOf(headers['content-range']);
    const sizeBytes = range?.sizeBytes;
    if (!range || sizeBytes === undefined) throw resource.notRanged('the server does not return the size');
    return { ...range, sizeBytes };
  }

  const { stallTimeoutMs } = resource;
  return { stallTimeoutMs, stat, get, mapError: (error) => resource.mapError(error) };
}
