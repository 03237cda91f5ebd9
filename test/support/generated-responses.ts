import fc from 'fast-check';
import { strangeNumbers, strangeTexts } from './mutated.ts';
import type { RawAnswer, RawRequest } from './raw-server.ts';

/** What the server returns at every path. */
export const CONTENT = Buffer.from(Array.from({ length: 3000 }, (_, index) => index % 251));
const ETAG = '"d41d8cd98f00b204e9800998ecf8427e"';

/** How an answer differs from the correct one. */
export interface Change {
  readonly status?: number;
  /** Null: the header is missing. */
  readonly headers?: Readonly<Record<string, string | null>>;
  readonly body?: 'none' | 'short' | 'long' | 'html' | 'tags';
  readonly after?: RawAnswer['after'];
  /** Instead of everything. */
  readonly raw?: string;
}

const headerValues = fc.oneof(
  // A line feed would end the header.
  strangeTexts.map((text) => text.slice(0, 70_000).replaceAll('\n', ' ')),
  strangeNumbers.map(String),
  fc.constantFrom('bytes 0-0/*', 'bytes 5-1/3000', `bytes 0-2999/${'9'.repeat(400)}`, 'bytes */3000', 'bytes 0-0/1'),
  fc.constantFrom(
    'bytes 0-2999/3000',
    'bytes 0-0/3000',
    'bytes -1-0/3000',
    'bytes 0-0/NaN',
    '3000',
    '9'.repeat(20),
    '0',
  ),
  fc.constantFrom('gzip', 'identity', 'br, gzip', 'chunked', '"other"', 'W/"weak"', 'Thu, 01 Jan 1970 00:00:00 GMT'),
);
const headerNames = fc.constantFrom(
  'content-range',
  'content-range',
  'content-length',
  'etag',
  'etag',
  'last-modified',
  'content-encoding',
  'transfer-encoding',
  'retry-after',
  'date',
  'x-amz-server-side-encryption',
  'x-amz-missing-meta',
  'x-amz-bucket-region',
  'expires',
  'connection',
);
const locations = fc.oneof(
  fc.constantFrom(
    'file:///etc/passwd',
    'http://169.254.169.254/latest/meta-data/',
    'http://[::1]/',
    'http://10.0.0.1/',
  ),
  fc.constantFrom('/loop', '//', 'http://', 'javascript:1', 'http://user:pass@127.0.0.1/', '?a', 'data:,x'),
  fc.constantFrom('http://127.0.0.1:1/', 'https://127.0.0.1:1/', 'http://0x7f000001:1/', 'http://168.63.129.16/'),
  strangeTexts.map((text) => `/${text.slice(0, 10_000).replaceAll('\n', ' ')}`),
);
const statuses = [200, 201, 204, 206, 300, 304, 400, 401, 403, 404, 408, 409, 412, 416, 425, 429, 500, 503, 599, 999];

const of = <Fields extends Change>(weight: number, arbitrary: fc.Arbitrary<Fields>) => ({
  weight,
  arbitrary: arbitrary as fc.Arbitrary<Change>,
});

export const changes: fc.Arbitrary<Change> = fc.oneof(
  of(80, fc.record({ headers: fc.dictionary(headerNames, fc.option(headerValues), { minKeys: 1, maxKeys: 3 }) })),
  of(30, fc.record({ status: fc.constantFrom(...statuses) })),
  of(20, fc.record({ status: fc.constantFrom(301, 302, 303, 307, 308), headers: fc.record({ location: locations }) })),
  of(
    20,
    fc
      .record({ body: fc.constantFrom('none' as const, 'short' as const, 'long' as const) })
      .map((one) => ({ ...one, after: 'close' as const })),
  ),
  of(
    15,
    fc.record({
      status: fc.constantFrom(400, 403, 404, 500, 503),
      body: fc.constantFrom('html' as const, 'tags' as const),
    }),
  ),
  of(
    10,
    fc
      .record({
        raw: fc.constantFrom('', 'HTTP/1.1\r\n\r\n', 'rubbish\r\n\r\n', '\0\0\0\0', 'HTTP/1.1 200 OK\r\na: b'),
      })
      .map((one) => ({ ...one, after: 'close' as const })),
  ),
  of(10, fc.constant({})),
  of(5, fc.constant({ headers: { 'content-length': null }, after: 'more' as const })),
  // Few, as each lasts until it is given up.
  of(2, fc.constant({ body: 'short' as const, after: 'silence' as const })),
  of(1, fc.constant({ raw: '', after: 'silence' as const })),
);

/** The correct answer, but for a change. */
export function answerOf({ method, headers: { range } }: RawRequest, change: Change): RawAnswer {
  if (change.raw !== undefined) return { head: change.raw, body: Buffer.alloc(0), after: change.after ?? 'close' };
  const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(range ?? '') ?? [];
  const first = Number(from ?? 0);
  const last = to ? Math.min(Number(to), CONTENT.byteLength - 1) : CONTENT.byteLength - 1;
  const status = change.status ?? (from === undefined ? 200 : 206);
  const whole = status < 300 || status === 416 ? contentOf(status, first, last) : SLOW_DOWN;
  const headers: Record<string, string | null> = {
    'content-length': String(lengthOf(change.body, whole)),
    etag: ETAG,
    'last-modified': 'Sat, 01 Nov 2025 12:00:00 GMT',
    ...(from === undefined ? {} : { 'content-range': `bytes ${first}-${last}/${CONTENT.byteLength}` }),
    ...change.headers,
  };
  const lines = Object.entries(headers).flatMap(([name, value]) => (value === null ? [] : [`${name}: ${value}`]));
  return {
    head: [`HTTP/1.1 ${status} x`, ...lines, '', ''].join('\r\n'),
    body: method === 'HEAD' ? Buffer.alloc(0) : bodyOf(change.body, whole),
    // Without a length only the end of the connection ends a body.
    after: change.after ?? (headers['content-length'] === String(whole.byteLength) ? 'next' : 'close'),
  };
}

const SLOW_DOWN = Buffer.from('<Error><Code>SlowDown</Code></Error>');

/** Only 206 means that it is a range. */
function contentOf(status: number, first: number, last: number): Buffer {
  return status === 206 ? CONTENT.subarray(first, last + 1) : CONTENT;
}

function lengthOf(body: Change['body'], whole: Buffer): number {
  return body === 'html' || body === 'tags' ? bodyOf(body, whole).byteLength : whole.byteLength;
}

function bodyOf(body: Change['body'], whole: Buffer): Buffer {
  if (body === 'none') return Buffer.alloc(0);
  if (body === 'short') return whole.subarray(0, Math.floor(whole.byteLength / 2));
  if (body === 'long') return Buffer.concat([whole, Buffer.alloc(100_000, 'x')]);
  if (body === 'html') return Buffer.from(`<html><body>${'<p>Bad gateway</p>'.repeat(20_000)}</body></html>`);
  if (body === 'tags') return Buffer.alloc(65_536, '<');
  return whole;
}
