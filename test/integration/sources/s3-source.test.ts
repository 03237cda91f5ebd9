import { createHash, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import type { S3Source } from '../../../src/contracts/sources.ts';
import { Sources } from '../../../src/sources/sources.ts';
import type { S3Settings } from '../../../src/sources/source-settings.ts';
import type { OpenOptions, SourceReader } from '../../../src/sources/source-reader.ts';
import { s3ServerChoices, withS3Server, type S3Server } from '../../support/s3-servers.ts';

const MiB = 1024 * 1024;
const content = randomBytes(3 * MiB + 123);
const other = randomBytes(content.byteLength);
const KEY = 'nightly/a b+c=ä.jsonl';

interface Store {
  readonly server: S3Server;
  readonly settings: S3Settings;
  readonly put: (bytes: Buffer, key?: string) => Promise<void>;
  readonly open: (changes?: Partial<S3Source>, options?: OpenOptions) => Promise<SourceReader>;
}

async function withStore(name: S3Server['name'], body: (store: Store) => Promise<void>): Promise<void> {
  await withS3Server(name, async (server) => {
    const settings = { endpoint: server.endpoint, region: 'us-east-1', credentials: server.credentials };
    const checksums = { requestChecksumCalculation: 'WHEN_REQUIRED' } as const;
    const client = new S3Client({ ...settings, ...checksums, forcePathStyle: true });
    const sources = new Sources({ s3: { default: settings, plain: { ...settings, etagIsMd5: true } } });
    const target: S3Source = { type: 's3', bucket: server.bucket, key: KEY };
    try {
      await body({
        server,
        settings,
        put: async (bytes, key = KEY) => {
          await client.send(new PutObjectCommand({ Bucket: server.bucket, Key: key, Body: bytes }));
        },
        open: (changes = {}, options = {}) => sources.open({ ...target, ...changes }, options),
      });
    } finally {
      client.destroy();
      await sources.close();
    }
  });
}

/** All from `offsetBytes` on, in buffers of an awkward length. */
async function readAll(reader: SourceReader, offsetBytes: number, sizeBytes: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for (let done = 0; done < sizeBytes;) {
    const buffer = Buffer.alloc(Math.min(100_001, sizeBytes - done));
    const bytesRead = await reader.read(buffer, offsetBytes + done);
    if (bytesRead === 0) break;
    pieces.push(buffer.subarray(0, bytesRead));
    done += bytesRead;
  }
  return Buffer.concat(pieces);
}

for (const { name, skipped } of await s3ServerChoices()) {
  const reason = skipped === undefined ? '' : ` (skipped: ${skipped})`;
  describe.skipIf(skipped !== undefined)(`an object of ${name}${reason}`, () => {
    it('is read exactly as a whole, in spans and as a range', () =>
      withStore(name, async ({ put, open }) => {
        await put(content);
        const whole = await open();
        const { sizeBytes, fingerprint } = await whole.stat();
        expect(sizeBytes).toBe(content.byteLength);
        expect((await readAll(whole, 0, sizeBytes)).equals(content)).toBe(true);
        expect(await whole.read(Buffer.alloc(10), sizeBytes)).toBe(0);
        await whole.close();

        const span = { offsetBytes: MiB + 7, sizeBytes: MiB };
        const part = await open({}, { span });
        await part.stat();
        const expected = content.subarray(span.offsetBytes, span.offsetBytes + span.sizeBytes);
        expect((await readAll(part, span.offsetBytes, span.sizeBytes)).equals(expected)).toBe(true);
        await part.close();

        const ranged = await open({ range: span }, { span: { offsetBytes: 5, sizeBytes: 1000 } });
        expect(await ranged.stat()).toEqual({ sizeBytes: MiB, fingerprint });
        expect((await readAll(ranged, 5, 1000)).equals(expected.subarray(5, 1005))).toBe(true);
        expect(await ranged.read(Buffer.alloc(10), MiB)).toBe(0);
        await ranged.close();
      }));

    it('has a stored MD5 only if etagIsMd5 is set, and never as a range', () =>
      withStore(name, async ({ put, open }) => {
        await put(content);
        const md5 = createHash('md5').update(content).digest('hex');
        const reader = await open({ connection: 'plain' });
        await reader.stat();
        expect(reader.storedMd5?.()).toBe(md5);
        const undeclared = await open();
        await undeclared.stat();
        expect(undeclared.storedMd5?.()).toBeUndefined();
        const ranged = await open({ connection: 'plain', range: { offsetBytes: 0, sizeBytes: 10 } });
        await ranged.stat();
        expect(ranged.storedMd5?.()).toBeUndefined();
      }));

    it('returns no bytes and another fingerprint after it is overwritten (same size)', () =>
      withStore(name, async ({ put, open }) => {
        await put(content);
        const reader = await open({}, { span: { offsetBytes: MiB, sizeBytes: MiB } });
        const before = await reader.stat();
        await put(other);
        await expect(reader.read(Buffer.alloc(1000), MiB)).rejects.toMatchObject({ code: 'SOURCE_CHANGED' });
        expect((await reader.stat()).fingerprint).not.toBe(before.fingerprint);
        await reader.close();
      }));

    it('fails with SOURCE_MISSING if it is missing or the credentials are rejected', () =>
      withStore(name, async ({ put, open, settings, server }) => {
        await put(content);
        const missing = await open({ key: 'no-such' });
        await expect(missing.stat()).rejects.toMatchObject({ code: 'SOURCE_MISSING' });
        const elsewhere = await open({ bucket: 'no-such-bucket' });
        await expect(elsewhere.stat()).rejects.toMatchObject({ code: 'SOURCE_MISSING' });

        const secretAccessKey = 'wrong-secret-canary';
        const wrong = new Sources({
          s3: { default: { ...settings, credentials: { ...server.credentials, secretAccessKey } } },
        });
        const refused = await (
          await wrong.open({ type: 's3', bucket: server.bucket, key: KEY })
        )
          .stat()
          .catch((error: unknown) => error as Error);
        expect(refused).toMatchObject({ code: 'SOURCE_MISSING', message: expect.stringContaining(KEY) });
        expect((refused as Error).message).not.toContain('canary');
        await wrong.close();
      }));

    it('fails with the cause if it is empty or its store is unavailable', async () => {
      let settings: S3Settings | undefined;
      await withStore(name, async (store) => {
        ({ settings } = store);
        await store.put(Buffer.alloc(0), 'empty');
        const empty = await store.open({ key: 'empty' });
        await expect(empty.stat()).rejects.toMatchObject({ code: 'SOURCE_UNUSABLE' });
      });
      const sources = new Sources({ s3: { default: settings as S3Settings } });
      const reader = await sources.open({ type: 's3', bucket: 'gone', key: 'y' });
      await expect(reader.stat()).rejects.toMatchObject({ code: 'SOURCE_READ_FAILED', retryable: true });
      await sources.close();
    });
  });
}

describe('an S3 connection', () => {
  it.each<[string, number, string | undefined]>([
    ['an earlier range', 0, 'bytes 0-999/5000'],
    ['a shorter range', 1000, 'bytes 1000-1499/5000'],
    ['the range of an object of another size', 1000, 'bytes 1000-1999/6000'],
    ['all of the object', 0, undefined],
  ])('returns no bytes if the store returns %s', async (_, first, range) => {
    const [, last = '4999'] = /-(\d+)/.exec(range ?? '') ?? [];
    const server = createServer(({ method }, answer) => {
      const bytes = method === 'HEAD' ? content.subarray(0, 5000) : content.subarray(first, Number(last) + 1);
      answer.writeHead(200, {
        etag: '"v1"',
        'content-length': bytes.byteLength,
        ...(method === 'GET' && range !== undefined ? { 'content-range': range } : {}),
      });
      answer.end(method === 'HEAD' ? undefined : bytes);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };
    const sources = new Sources({ s3: { default: { endpoint, region: 'us-east-1', credentials } } });
    const span = { offsetBytes: 1000, sizeBytes: 1000 };
    const reader = await sources.open({ type: 's3', bucket: 'team', key: 'x' }, { span });
    try {
      expect(await reader.stat()).toMatchObject({ sizeBytes: 5000 });
      await expect(reader.read(Buffer.alloc(1000), 1000)).rejects.toMatchObject({ code: 'SOURCE_NOT_RANGED' });
    } finally {
      await reader.close();
      await sources.close();
      server.closeAllConnections();
      server.close();
    }
  });

  it('rejects buckets that are not permitted, without a request', async () => {
    let requests = 0;
    const server = createServer((_request, answer) => {
      requests++;
      answer.writeHead(500).end();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };
    const sources = new Sources({
      s3: { default: { endpoint, region: 'us-east-1', credentials, buckets: ['team-*'] } },
    });
    try {
      for (const bucket of ['other', 'my-team-1', 'TEAM-1', 'team-1/../other', 'team-1%2f..%2fother', 'team-1?x']) {
        const opening = sources.open({ type: 's3', bucket, key: 'x' });
        const code = /^[\w-]+$/.test(bucket) ? 'SOURCE_FORBIDDEN' : 'SOURCE_UNUSABLE';
        await expect(opening, bucket).rejects.toMatchObject({ code });
      }
      expect(requests).toBe(0);
      await expect((await sources.open({ type: 's3', bucket: 'team-1', key: 'x' })).stat()).rejects.toMatchObject({
        code: 'SOURCE_READ_FAILED',
      });
      expect(requests, 'one attempt: retries live in Temporal').toBe(1);
    } finally {
      await sources.close();
      server.close();
    }
  });
});
