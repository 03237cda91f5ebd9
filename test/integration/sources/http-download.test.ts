import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import type { DownloadSink } from '../../../src/sources/http/download.ts';
import { Sources } from '../../../src/sources/sources.ts';
import { withHttpOrigin, type HttpOrigin, type OriginBehaviour } from '../../support/http-origin.ts';

const MiB = 1024 * 1024;
const content = randomBytes(2 * MiB + 77);
const HALF = MiB;

interface Fetched extends HttpOrigin {
  readonly download: (path?: string, signal?: AbortSignal) => Promise<Copy>;
}

interface Copy {
  readonly bytes: Buffer;
  /** The reported size, for each start of the download. */
  readonly begun: readonly (number | undefined)[];
  readonly retries: readonly string[];
}

async function withOrigin(
  changes: Partial<OriginBehaviour>,
  body: (fetched: Fetched) => Promise<void>,
  stallTimeoutMs = 5000,
): Promise<void> {
  await withHttpOrigin({ content, ranges: false, ...changes }, async (origin) => {
    const sources = new Sources({ http: { allowPrivate: ['127.0.0.1'], stallTimeoutMs } });
    const download = async (path = '/x.jsonl', signal = new AbortController().signal): Promise<Copy> => {
      let chunks: Buffer[] = [];
      const begun: (number | undefined)[] = [];
      const retries: string[] = [];
      const sink: DownloadSink = {
        begin: async (sizeBytes) => {
          begun.push(sizeBytes);
          chunks = [];
        },
        write: async (chunk) => void chunks.push(Buffer.from(chunk)),
        retrying: ({ message }) => void retries.push(message),
      };
      await sources.download(new URL(`${origin.url}${path}`), sink, { signal, retryDelayMs: 1 });
      return { bytes: Buffer.concat(chunks), begun, retries };
    };
    try {
      await body({ ...origin, download });
    } finally {
      await sources.close();
    }
  });
}

/** Breaks the first answers off in the middle. */
function breaking(count: number, answers: { done: number } = { done: 0 }) {
  return (_: IncomingMessage, response: ServerResponse): boolean => {
    if (answers.done++ >= count) return false;
    response.writeHead(200, { etag: '"v1"', 'content-length': content.byteLength });
    response.write(content.subarray(0, HALF), () => response.destroy());
    return true;
  };
}

describe('a download', () => {
  it('receives all bytes with one GET without a range', () =>
    withOrigin({}, async ({ download, requests }) => {
      const { bytes, begun } = await download('/x.jsonl?a=%20b');
      expect(bytes.equals(content)).toBe(true);
      expect(begun).toEqual([content.byteLength]);
      expect(requests).toEqual([{ method: 'GET', path: '/x.jsonl?a=%20b', range: undefined }]);
    }));

  it('accepts a response without a length', () =>
    withOrigin({}, async ({ download, behaviour }) => {
      behaviour.answer = (_, response) => {
        response.write(content.subarray(0, HALF));
        return Boolean(response.end(content.subarray(HALF)));
      };
      const { bytes, begun } = await download();
      expect(bytes.equals(content)).toBe(true);
      expect(begun).toEqual([undefined]);
    }));

  it('restarts if the connection breaks and the server does not support ranges', () =>
    withOrigin({}, async ({ download, behaviour, requests }) => {
      behaviour.answer = breaking(2);
      const { bytes, begun, retries } = await download();
      expect(bytes.equals(content)).toBe(true);
      expect(begun).toHaveLength(3);
      expect(retries).toHaveLength(2);
      expect(requests).toHaveLength(3);
    }));

  it('resumes after each interruption if the server supports ranges', () =>
    withOrigin({ ranges: true }, async ({ download, behaviour, requests }) => {
      const step = Math.ceil(content.byteLength / 8);
      const whole = breaking(1);
      behaviour.answer = (request, response) => {
        const from = /^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1];
        if (from === undefined) return whole(request, response);
        const end = Math.min(Number(from) + step, content.byteLength);
        const range = `bytes ${from}-${content.byteLength - 1}/${content.byteLength}`;
        const length = content.byteLength - Number(from);
        response.writeHead(206, { etag: '"v1"', 'content-range': range, 'content-length': length });
        response.write(content.subarray(Number(from), end), () => {
          if (end < content.byteLength) response.destroy();
          else response.end();
        });
        return true;
      };
      const { bytes, begun } = await download();
      expect(bytes.equals(content)).toBe(true);
      expect(begun).toHaveLength(1);
      expect(requests.length).toBeGreaterThan(5);
    }));

  it.each<[string, Partial<OriginBehaviour>, number]>([
    ['the content changed', { etag: '"v2"' }, 2],
    ['the content changed and the server ignores conditions', { etag: '"v2"', conditions: false }, 3],
    ['the server returns no ETag and no modification time', { etag: undefined }, 2],
  ])('restarts after an interruption if %s', (_, change, asked) =>
    withOrigin({ ranges: true }, async ({ download, behaviour, requests }) => {
      const other = randomBytes(content.byteLength);
      const { etag } = change;
      let isFirst = true;
      behaviour.answer = (_request, response) => {
        if (!isFirst) return false;
        isFirst = false;
        Object.assign(behaviour, { ...change, content: other });
        const told = { ...(etag ? { etag: '"v1"' } : {}), 'content-length': content.byteLength };
        response.writeHead(200, told);
        response.write(content.subarray(0, HALF), () => response.destroy());
        return true;
      };
      const { bytes, begun } = await download();
      expect(bytes.equals(other)).toBe(true);
      expect(begun).toHaveLength(2);
      expect(requests).toHaveLength(asked);
    }),
  );

  it.each([
    ['an earlier byte', HALF - 1],
    ['a later byte', HALF + 1],
  ])('restarts if the server resumes at %s than the requested one', (_, first) =>
    withOrigin({ ranges: true }, async ({ download, behaviour, requests }) => {
      const breaks = breaking(1);
      behaviour.answer = (request, response) => {
        if (breaks(request, response)) return true;
        if (requests.length !== 2) return false;
        const range = `bytes ${first}-${content.byteLength - 1}/${content.byteLength}`;
        response.writeHead(206, { etag: '"v1"', 'content-range': range }).end(content.subarray(first));
        return true;
      };
      const { bytes, begun } = await download();
      expect(bytes.equals(content)).toBe(true);
      expect(begun).toHaveLength(2);
      expect(requests).toHaveLength(3);
    }),
  );

  it('restarts if it stalls', () =>
    withOrigin(
      {},
      async ({ download, behaviour }) => {
        let isFirst = true;
        behaviour.answer = (_, response) => {
          if (!isFirst) return false;
          isFirst = false;
          response.writeHead(200, { 'content-length': content.byteLength });
          return response.write(content.subarray(0, HALF)) || true;
        };
        const { bytes, begun } = await download();
        expect(bytes.equals(content)).toBe(true);
        expect(begun).toHaveLength(2);
      },
      300,
    ));

  it('fails after five interruptions without progress', () =>
    withOrigin({}, async ({ download, behaviour, requests }) => {
      behaviour.answer = breaking(Infinity);
      await expect(download()).rejects.toMatchObject({ code: 'SOURCE_READ_FAILED' });
      expect(requests).toHaveLength(5);
    }));

  it('is not retried after 404 or 204, or if the address is not permitted', () =>
    withOrigin({}, async ({ url, download, behaviour, requests }) => {
      behaviour.answer = (_, response) => Boolean(response.writeHead(404).end());
      await expect(download()).rejects.toMatchObject({ code: 'SOURCE_MISSING' });
      behaviour.answer = (_, response) => Boolean(response.writeHead(204).end());
      await expect(download()).rejects.toMatchObject({ code: 'SOURCE_UNUSABLE' });
      expect(requests).toHaveLength(2);
      const sources = new Sources();
      const sink = { begin: async () => {}, write: async () => {}, retrying: () => {} };
      const forbidden = sources.download(new URL(url), sink, { signal: new AbortController().signal });
      await expect(forbidden).rejects.toMatchObject({ code: 'SOURCE_FORBIDDEN' });
      await sources.close();
      expect(requests).toHaveLength(2);
    }));

  it('rejects with the reason of its signal if it is aborted between attempts', () =>
    withOrigin({}, async ({ download, behaviour, requests }) => {
      const abort = new AbortController();
      const reason = new Error('enough');
      behaviour.answer = (_, response) => {
        if (requests.length === 2) abort.abort(reason);
        return Boolean(response.writeHead(503).end());
      };
      await expect(download('/x', abort.signal)).rejects.toBe(reason);
      expect(requests).toHaveLength(2);
    }));

  it('checks the address of each redirect like the first address', () =>
    withOrigin({}, async ({ port, download, behaviour, requests }) => {
      behaviour.answer = (request, response) =>
        request.url === '/begin' && Boolean(response.writeHead(302, { location: '/end' }).end());
      expect((await download('/begin')).bytes.equals(content)).toBe(true);
      behaviour.answer = (_, response) =>
        Boolean(response.writeHead(302, { location: `http://127.0.0.2:${port}/` }).end());
      await expect(download('/begin')).rejects.toMatchObject({ code: 'SOURCE_FORBIDDEN' });
      expect(requests.map(({ path }) => path)).toEqual(['/begin', '/end', '/begin']);
    }));
});
