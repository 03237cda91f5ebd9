import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { sealedSource, sourceOfUrl } from '../../../src/sources/source-of-url.ts';
import { Sources } from '../../../src/sources/sources.ts';
import type { OpenOptions, SourceReader } from '../../../src/sources/source-reader.ts';
import { withHttpOrigin, type HttpOrigin, type OriginBehaviour } from '../../support/http-origin.ts';

const MiB = 1024 * 1024;
const content = randomBytes(2 * MiB + 77);
const SEAL_KEY = 'seal-key-canary-0451';
const CANARY = 'signature-canary-0451';

interface Opened extends HttpOrigin {
  readonly open: (path?: string, options?: OpenOptions) => Promise<SourceReader>;
}

/** An origin on loopback that the settings allow. */
async function withOrigin(
  changes: Partial<OriginBehaviour>,
  body: (opened: Opened) => Promise<void>,
  stallTimeoutMs = 5000,
): Promise<void> {
  await withHttpOrigin({ content, ...changes }, async (origin) => {
    const sources = new Sources({ http: { allowPrivate: ['127.0.0.1'], stallTimeoutMs }, sealKey: SEAL_KEY });
    const context = { connection: undefined, sealKey: () => SEAL_KEY };
    try {
      const open = (path = '/x.jsonl', options: OpenOptions = {}) => {
        const { source, query } = sourceOfUrl(`${origin.url}${path}`, context);
        return sources.open(source, { ...options, query });
      };
      await body({ ...origin, open });
    } finally {
      await sources.close();
    }
  });
}

async function readAll(reader: SourceReader, offsetBytes: number, sizeBytes: number): Promise<Buffer> {
  const all = Buffer.alloc(sizeBytes);
  for (let done = 0; done < sizeBytes;) {
    const bytesRead = await reader.read(all.subarray(done, done + 70_001), offsetBytes + done);
    if (bytesRead === 0) return all.subarray(0, done);
    done += bytesRead;
  }
  return all;
}

describe('a resource of an HTTP server', () => {
  it('is read byte for byte, each span with one ranged GET', () =>
    withOrigin({}, async ({ open, requests }) => {
      const span = { offsetBytes: MiB - 3, sizeBytes: MiB };
      const reader = await open('/x.jsonl', { span });
      expect(await reader.stat()).toMatchObject({ sizeBytes: content.byteLength });
      const bytes = await readAll(reader, span.offsetBytes, span.sizeBytes);
      expect(bytes.equals(content.subarray(span.offsetBytes, span.offsetBytes + span.sizeBytes))).toBe(true);
      await reader.close();
      const ranges = requests.map(({ range }) => range).filter((range) => range !== 'bytes=0-0');
      expect(ranges).toEqual([`bytes=${MiB - 3}-${2 * MiB - 4}`]);
    }));

  it.each<[string, Partial<OriginBehaviour>]>([
    ['by its ETag', { etag: '"v2"' }],
    ['by its ETag if the server ignores conditions', { etag: '"v2"', conditions: false }],
    ['by its modification time', { etag: undefined, lastModified: 'Tue, 24 Nov 2026 10:00:01 GMT' }],
    ['by its length', { content: content.subarray(1) }],
  ])('is detected as changed %s', (_, change) =>
    withOrigin(
      {
        lastModified: 'Tue, 24 Nov 2026 10:00:00 GMT',
        ...('etag' in change && !change.etag ? { etag: undefined } : {}),
      },
      async ({ open, behaviour }) => {
        const reader = await open('/x.jsonl', { span: { offsetBytes: 0, sizeBytes: 1000 } });
        const before = await reader.stat();
        Object.assign(behaviour, change);
        await expect(reader.read(Buffer.alloc(1000), 0)).rejects.toMatchObject({ code: 'SOURCE_CHANGED' });
        expect((await reader.stat()).fingerprint).not.toBe(before.fingerprint);
      },
    ),
  );

  it.each<[string, Partial<OriginBehaviour>, RegExp]>([
    ['without range support', { ranges: false }, /To download it first .*--spool/],
    ['with only a weak ETag', { etag: 'W/"v1"' }, /strong ETag/],
    ['without an ETag or a modification time', { etag: undefined }, /strong ETag/],
  ])('%s is rejected with the reason', (_, behaviour, words) =>
    withOrigin(behaviour, async ({ open }) => {
      const stat = (await open()).stat();
      await expect(stat).rejects.toMatchObject({ code: 'SOURCE_NOT_RANGED', message: expect.stringMatching(words) });
    }),
  );

  it.each([
    [404, 'SOURCE_MISSING', false],
    [403, 'SOURCE_MISSING', false],
    [416, 'SOURCE_UNUSABLE', false],
    [429, 'SOURCE_READ_FAILED', true],
    [503, 'SOURCE_READ_FAILED', true],
  ])('whose server returns %i fails with %s', (status, code, retryable) =>
    withOrigin({}, async ({ open, behaviour }) => {
      behaviour.answer = (_, response) => Boolean(response.writeHead(status).end());
      await expect((await open()).stat()).rejects.toMatchObject({ code, retryable });
    }),
  );

  it.each<[string, (response: ServerResponse) => void]>([
    ['is aborted', (response) => response.destroy()],
    ['ends', (response) => response.end()],
    ['stalls', () => {}],
  ])('whose response %s halfway fails with a retryable error', (_, end) =>
    withOrigin(
      {},
      async ({ open, behaviour }) => {
        const reader = await open('/x.jsonl', { span: { offsetBytes: 0, sizeBytes: 1000 } });
        await reader.stat();
        behaviour.answer = (_request, response) => {
          // Without a length, as a proxy may give it.
          response.writeHead(206, { etag: '"v1"', 'content-range': `bytes 0-999/${content.byteLength}` });
          response.write(content.subarray(0, 500), () => end(response));
          return true;
        };
        await expect(readAll(reader, 0, 1000)).rejects.toMatchObject({ code: 'SOURCE_READ_FAILED', retryable: true });
        await reader.close();
      },
      300,
    ),
  );

  it.each([
    ['an earlier range', 0, 999],
    ['a shorter range', 1000, 1499],
    ['a longer range', 1000, 2499],
  ])('returns no bytes if the server returns %s than the requested range', (_, first, last) =>
    withOrigin({}, async ({ open, behaviour }) => {
      const reader = await open('/x.jsonl', { span: { offsetBytes: 1000, sizeBytes: 1000 } });
      await reader.stat();
      behaviour.answer = (_request, response) => {
        const headers = { etag: '"v1"', 'content-range': `bytes ${first}-${last}/${content.byteLength}` };
        response.writeHead(206, headers).end(content.subarray(first, last + 1));
        return true;
      };
      await expect(reader.read(Buffer.alloc(1000), 1000)).rejects.toMatchObject({ code: 'SOURCE_NOT_RANGED' });
      await reader.close();
    }),
  );

  it('does not stall if the reader is slow', () =>
    withOrigin(
      {},
      async ({ open }) => {
        const reader = await open();
        await reader.stat();
        const first = await reader.read(Buffer.alloc(1000), 0);
        // This test needs real time: no read during three times the stall timeout.
        await new Promise((resolve) => setTimeout(resolve, 900));
        const rest = await readAll(reader, first, content.byteLength - first);
        expect(rest.equals(content.subarray(first))).toBe(true);
        await reader.close();
      },
      300,
    ));
});

describe('a redirect', () => {
  it('is followed again for each request', () =>
    withOrigin({}, async ({ open, behaviour }) => {
      let hops = 0;
      behaviour.answer = (request, response) => {
        if (request.url?.startsWith('/end')) return false;
        hops++;
        response.writeHead(302, { location: `/end?x=${hops}` }).end();
        return true;
      };
      const reader = await open('/begin', { span: { offsetBytes: 5, sizeBytes: 100 } });
      await reader.stat();
      expect((await readAll(reader, 5, 100)).equals(content.subarray(5, 105))).toBe(true);
      expect(hops).toBe(2);
    }));

  it('that forms a cycle fails after five hops', () =>
    withOrigin({}, async ({ open, behaviour, requests }) => {
      behaviour.answer = (_, response) => Boolean(response.writeHead(302, { location: '/again' }).end());
      await expect((await open()).stat()).rejects.toMatchObject({ code: 'SOURCE_MISSING' });
      expect(requests).toHaveLength(6);
    }));
});

describe('the query of a URL', () => {
  it('is sent to the server, and appears in no source and no error', () =>
    withOrigin({}, async ({ url, open, requests, behaviour }) => {
      const query = `X-Amz-Signature=${CANARY}&a=%20b`;
      const context = { connection: undefined, sealKey: () => SEAL_KEY };
      const named = sourceOfUrl(`${url}/x.jsonl?${query}`, context);
      expect(JSON.stringify([named.source, sealedSource(named, 'w', context)])).not.toContain(CANARY);
      const reader = await open(`/x.jsonl?${query}`);
      await reader.stat();
      expect(requests[0]?.path).toBe(`/x.jsonl?${query}`);
      for (const status of [403, 404, 503, 302]) {
        const headers = status === 302 ? { location: `ftp://h/?${CANARY}` } : {};
        behaviour.answer = (_, response) => Boolean(response.writeHead(status, headers).end(CANARY));
        const error = (await reader.stat().catch((thrown: unknown) => thrown)) as Error;
        expect(error).toBeInstanceOf(Error);
        const text = `${error.message} ${String((error.cause as Error | undefined)?.message)}`;
        expect(text).not.toContain(CANARY);
        // Nor the rest of the query, whose values are too short to be recognised.
        expect(text).not.toMatch(/X-Amz-Signature|a=%20b/);
      }
    }));
});
