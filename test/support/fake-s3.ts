import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { S3Settings } from '../../src/sources/source-settings.ts';

/** An object of the fake store. Real servers on this machine have no archives and no permissions of single objects. */
export interface FakeObject {
  readonly content: string | Buffer;
  readonly storageClass?: string;
  /** Tier of S3 Intelligent-Tiering, which only HEAD and GET show. */
  readonly archiveStatus?: string;
  readonly restore?: { readonly ongoing: boolean; readonly expiresAt?: Date };
  /** Rejects each HEAD and GET. */
  readonly rejects?: Rejection;
  readonly rejectsGet?: Rejection;
}

export interface Rejection {
  readonly status: number;
  readonly code: string;
}

export interface FakeS3 {
  readonly bucket: string;
  readonly sources: { readonly any: true; readonly s3: { readonly default: S3Settings } };
  /** By key; can be changed while it runs. */
  readonly objects: Map<string, FakeObject>;
  /** Rejects every request. */
  rejectsAll: Rejection | undefined;
  /** Whether the store rejects the header that requests the state of restored objects. */
  rejectsAttributes: boolean;
  /** Method and key of each request for an object so far. */
  readonly requests: string[];
}

/** Runs `body` with a store on loopback that has one bucket and speaks as much S3 as Longhaul uses. */
export async function withFakeS3<T>(
  objects: Readonly<Record<string, FakeObject>>,
  body: (store: FakeS3) => Promise<T>,
): Promise<T> {
  const server = createServer((request, response) => answer(store, request, response)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const connection: S3Settings = {
    endpoint: `http://127.0.0.1:${port}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'x', secretAccessKey: 'x' },
  };
  const store: FakeS3 = {
    // Tests share a Temporal server, where the ID of a sync is derived from the bucket.
    bucket: `bucket-${randomUUID().slice(0, 8)}`,
    sources: { any: true, s3: { default: connection } },
    objects: new Map(Object.entries(objects)),
    rejectsAll: undefined,
    rejectsAttributes: false,
    requests: [],
  };
  try {
    return await body(store);
  } finally {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  }
}

function answer(store: FakeS3, request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url ?? '', 'http://x');
  const key = decodeURIComponent(url.pathname).slice(`/${store.bucket}/`.length);
  const isList = url.searchParams.get('list-type') === '2';
  if (!isList) store.requests.push(`${request.method} ${key}`);
  if (store.rejectsAll) return reject(request, response, store.rejectsAll);
  if (isList) {
    const asks = request.headers['x-amz-optional-object-attributes'] === 'RestoreStatus';
    if (asks && store.rejectsAttributes) return reject(request, response, { status: 501, code: 'NotImplemented' });
    return void response.end(listing(store, url.searchParams.get('prefix') ?? '', asks));
  }
  const object = store.objects.get(key);
  if (!object) return reject(request, response, { status: 404, code: 'NoSuchKey' });
  const rejection = object.rejects ?? (request.method === 'GET' ? object.rejectsGet : undefined);
  if (rejection) return reject(request, response, rejection);
  give(object, request, response);
}

function give(object: FakeObject, request: IncomingMessage, response: ServerResponse): void {
  const content = bytesOf(object);
  const { archiveStatus, storageClass, restore } = object;
  const isRestored = restore?.ongoing === false;
  const isArchived = archiveStatus !== undefined || /^(GLACIER|DEEP_ARCHIVE)$/.test(storageClass ?? '');
  if (request.method === 'GET' && isArchived && !isRestored) {
    return reject(request, response, { status: 403, code: 'InvalidObjectState' });
  }
  const expiry = restore?.expiresAt ? `, expiry-date="${restore.expiresAt.toUTCString()}"` : '';
  const [, first = '0', last = String(content.length - 1)] =
    /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
  const part = content.subarray(Number(first), Number(last) + 1);
  response.writeHead(request.headers.range ? 206 : 200, {
    etag: etagOf(object),
    'content-length': part.length,
    ...(request.headers.range ? { 'content-range': `bytes ${first}-${last}/${content.length}` } : {}),
    ...(storageClass === undefined ? {} : { 'x-amz-storage-class': storageClass }),
    ...(archiveStatus === undefined ? {} : { 'x-amz-archive-status': archiveStatus }),
    ...(restore === undefined ? {} : { 'x-amz-restore': `ongoing-request="${restore.ongoing}"${expiry}` }),
  });
  response.end(request.method === 'HEAD' ? undefined : part);
}

function listing({ objects }: FakeS3, prefix: string, withRestore: boolean): string {
  const rows = [...objects]
    .filter(([key]) => key.startsWith(prefix))
    .map(([key, object]) => {
      const { storageClass = 'STANDARD', restore } = object;
      const expiry = restore?.expiresAt
        ? `<RestoreExpiryDate>${restore.expiresAt.toISOString()}</RestoreExpiryDate>`
        : '';
      const status = `<RestoreStatus><IsRestoreInProgress>${restore?.ongoing}</IsRestoreInProgress>${expiry}</RestoreStatus>`;
      return (
        `<Contents><Key>${key.replaceAll('&', '&amp;')}</Key><LastModified>2025-11-01T12:00:00.000Z</LastModified>` +
        `<ETag>&quot;${etagOf(object).slice(1, -1)}&quot;</ETag><Size>${bytesOf(object).length}</Size>` +
        `<StorageClass>${storageClass}</StorageClass>${withRestore && restore ? status : ''}</Contents>`
      );
    });
  return `<ListBucketResult><IsTruncated>false</IsTruncated>${rows.join('')}</ListBucketResult>`;
}

function reject(request: IncomingMessage, response: ServerResponse, { status, code }: Rejection): void {
  response.writeHead(status, { 'content-type': 'application/xml' });
  response.end(request.method === 'HEAD' ? undefined : `<Error><Code>${code}</Code><Message>no</Message></Error>`);
}

function bytesOf({ content }: FakeObject): Buffer {
  return typeof content === 'string' ? Buffer.from(content) : content;
}

const etags = new WeakMap<FakeObject, string>();

function etagOf(object: FakeObject): string {
  const etag = etags.get(object) ?? `"${createHash('md5').update(bytesOf(object)).digest('hex')}"`;
  etags.set(object, etag);
  return etag;
}
