import fc from 'fast-check';
import pMap from 'p-map';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Source } from '../../../src/contracts/sources.ts';
import { MAX_MESSAGE_LENGTH } from '../../../src/core/text/clip.ts';
import { LonghaulError } from '../../../src/errors.ts';
import { createPathFilter } from '../../../src/sources/listing/path-filter.ts';
import { Sources } from '../../../src/sources/sources.ts';
import { generatedRuns } from '../../support/mutated.ts';
import { withRawServer, type RawAnswer, type RawRequest } from '../../support/raw-server.ts';
import { listing, listings, rowKeys, rows } from '../../support/generated-listings.ts';
import { answerOf, changes, CONTENT, type Change } from '../../support/generated-responses.ts';

const RUNS = generatedRuns(200);
const STALL_MS = 600;
/** Maximum time for one source, from the first request to the last. */
const BOUND_MS = 20_000;
const AT_A_TIME = 16;

const unexpected: unknown[] = [];
const note = (error: unknown) => {
  unexpected.push(error);
};

beforeAll(() => {
  process.on('unhandledRejection', note).on('uncaughtException', note);
});

afterAll(() => {
  process.off('unhandledRejection', note).off('uncaughtException', note);
});

/** Responses to the requests of one source. The last one is repeated. */
type Script = readonly Change[];

const scripts: fc.Arbitrary<Script> = fc
  .tuple(fc.option(changes, { nil: {} }), changes)
  .map(([first, rest]) => [first, rest]);

interface Outcome {
  readonly kind: string;
  readonly tookMs: number;
}

/** Runs one case, which must succeed or throw an error of Longhaul whose message can be shown. */
async function outcomeOf(what: string, run: () => Promise<void>): Promise<Outcome> {
  const startedMs = performance.now();
  try {
    await run();
    return { kind: 'success', tookMs: performance.now() - startedMs };
  } catch (error) {
    if (!(error instanceof LonghaulError) || !isShowable(error.message)) {
      throw new Error(`${what}: ${String(error).slice(0, 5000)}`, { cause: error });
    }
    return { kind: error.code, tookMs: performance.now() - startedMs };
  }
}

function isShowable(message: string): boolean {
  return message.length <= MAX_MESSAGE_LENGTH && !/[\p{Cc}\p{Surrogate}]/u.test(message);
}

/** Reads a source to its end. The bytes must be those of the server, and their number the announced size. */
async function readAll(sources: Sources, source: Source): Promise<void> {
  const reader = await sources.open(source);
  try {
    const { sizeBytes, fingerprint } = await reader.stat();
    expect(Number.isSafeInteger(sizeBytes) && sizeBytes > 0).toBe(true);
    expect(fingerprint.length).toBeLessThanOrEqual(1100);
    const buffer = Buffer.alloc(1024);
    for (let at = 0; at < sizeBytes;) {
      const bytes = await reader.read(buffer, at);
      expect(bytes).toBeGreaterThan(0);
      const should = CONTENT.subarray(at, at + bytes);
      expect(buffer.subarray(0, bytes).equals(should)).toBe(true);
      at += bytes;
    }
  } finally {
    await reader.close();
  }
}

/** @param idOf returns the number of the case in a request */
function player(played: readonly Script[], idOf: (request: RawRequest) => number) {
  const turns = new Map<number, number>();
  return (request: RawRequest): RawAnswer => {
    const id = idOf(request);
    const turn = turns.get(id) ?? 0;
    turns.set(id, turn + 1);
    const script = played[id];
    return answerOf(request, script?.[Math.min(turn, script.length - 1)] ?? {});
  };
}

/** @param stallTimeoutMs long if no response stalls, so that a busy machine does not cause a timeout */
function sourcesAt(port: number, stallTimeoutMs = STALL_MS): Sources {
  return new Sources({
    http: { allowPrivate: ['127.0.0.1'], hosts: ['127.0.0.1'], stallTimeoutMs },
    s3: {
      default: {
        endpoint: `http://127.0.0.1:${port}`,
        region: 'us-east-1',
        credentials: { accessKeyId: 'x', secretAccessKey: 'x' },
        stallTimeoutMs,
      },
    },
  });
}

async function tell(what: string, outcomes: readonly Outcome[]): Promise<void> {
  const kinds = new Map<string, number>();
  for (const { kind } of outcomes) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  const slowest = Math.max(...outcomes.map(({ tookMs }) => tookMs));
  console.log(
    `${outcomes.length} generated ${what}: ${[...kinds].map((one) => one.join(' ')).join(', ')}; at most ${Math.round(slowest)} ms`,
  );
  expect(slowest).toBeLessThan(BOUND_MS);
  await new Promise(setImmediate);
  expect(unexpected).toEqual([]);
  // Both outcomes have to be among them, or the cases say nothing.
  expect(kinds.get('success')).toBeGreaterThan(0);
  expect(kinds.size).toBeGreaterThan(2);
}

const idInPath = ({ path }: RawRequest) => Number(/\/case-(\d+)/.exec(path)?.[1]);

it('an HTTP source returns the correct bytes or a one-line error for any response', async () => {
  const played = fc.sample(scripts, RUNS);
  await withRawServer(player(played, idInPath), async ({ port }) => {
    const sources = sourcesAt(port);
    const outcomes = await pMap(
      played,
      (script, id) => {
        const url = `http://127.0.0.1:${port}/case-${id}`;
        return outcomeOf(JSON.stringify(script).slice(0, 500), () => readAll(sources, { type: 'http', url }));
      },
      { concurrency: AT_A_TIME },
    );
    await sources.close();
    await tell('answers of HTTP servers', outcomes);
  });
}, 600_000);

it('a download returns the correct bytes or a one-line error for any response', async () => {
  // A download is gone on with after each silence, which takes long.
  const hasty = scripts.map((script) =>
    script.map((change) => (change.after === 'silence' ? { ...change, after: 'close' as const } : change)),
  );
  const played = fc.sample(hasty, Math.ceil(RUNS / 2));
  await withRawServer(player(played, idInPath), async ({ port }) => {
    const sources = sourcesAt(port);
    const outcomes = await pMap(
      played,
      (script, id) => {
        const whole = JSON.stringify(script);
        const what = whole.slice(0, 500);
        return outcomeOf(what, async () => {
          let received = Buffer.alloc(0);
          // The command's own limit: an Upload takes no more.
          const tooMuch = new AbortController();
          const begin = async (sizeBytes: number | undefined) => {
            expect(sizeBytes === undefined || Number.isSafeInteger(sizeBytes)).toBe(true);
            received = Buffer.alloc(0);
          };
          const write = async (chunk: Uint8Array) => {
            received = Buffer.concat([received, chunk]);
            if (received.byteLength > 1_000_000) tooMuch.abort(new TooMuch());
          };
          const sink = { begin, write, retrying: () => {} };
          await sources.download(new URL(`http://127.0.0.1:${port}/case-${id}`), sink, {
            signal: tooMuch.signal,
            retryDelayMs: 1,
          });
          // A response without a length can end anywhere, which cannot be detected.
          const isKnown = !whole.includes('content-length') && !whole.includes('transfer-encoding');
          expect(received.equals(CONTENT.subarray(0, received.byteLength)) || whole.includes('"long"'), what).toBe(
            true,
          );
          const isAll = received.byteLength === CONTENT.byteLength;
          expect(isAll || !isKnown || whole.includes('"body"'), what).toBe(true);
        });
      },
      { concurrency: AT_A_TIME },
    );
    await sources.close();
    await tell('answers to downloads', outcomes);
  });
}, 600_000);

class TooMuch extends LonghaulError {
  readonly code = 'TOO_MUCH';
  readonly retryable = false;

  constructor() {
    super('more than an Upload takes');
  }
}

it('an S3 object returns the correct bytes or a one-line error for any response', async () => {
  const played = fc.sample(scripts, Math.ceil(RUNS / 2));
  await withRawServer(player(played, idInPath), async ({ port }) => {
    const sources = sourcesAt(port);
    const outcomes = await pMap(
      played,
      (script, id) =>
        outcomeOf(JSON.stringify(script).slice(0, 500), () =>
          readAll(sources, { type: 's3', bucket: 'bucket', key: `case-${id}` }),
        ),
      { concurrency: AT_A_TIME },
    );
    await sources.close();
    await tell('answers of S3 stores', outcomes);
  });
}, 600_000);

const filter = createPathFilter([], []);
const xmlAnswer = (text: string, status = 200): RawAnswer => {
  const body = Buffer.from(text);
  return {
    head: `HTTP/1.1 ${status} x\r\ncontent-type: application/xml\r\ncontent-length: ${body.length}\r\n\r\n`,
    body,
    after: 'next',
  };
};

it('a bucket list returns valid entries or a one-line error for any pages', async () => {
  const pages = fc.sample(listings, RUNS);
  const answer = (request: RawRequest) => {
    const { text, status } = pages[idInPath(request)] ?? { text: '', status: 500 };
    return xmlAnswer(text, status);
  };
  await withRawServer(answer, async ({ port }) => {
    const sources = sourcesAt(port, 10_000);
    const outcomes = await pMap(
      pages,
      ({ text }, id) =>
        outcomeOf(text.slice(0, 500), async () => {
          const { entries, problems } = await sources.list(
            { type: 's3', bucket: `case-${id}`, prefix: 'p' },
            { filter },
          );
          for (const { path, sizeBytes, mtimeMs, fingerprint } of entries) {
            expect(Buffer.byteLength(path)).toBeLessThanOrEqual(1024);
            expect(path.split('/')).not.toContain('..');
            expect(Number.isSafeInteger(sizeBytes) && sizeBytes > 0).toBe(true);
            expect(mtimeMs >= 0 && mtimeMs <= Date.now()).toBe(true);
            expect(fingerprint.length).toBeLessThanOrEqual(1100);
          }
          for (const { message } of problems) expect(message.length).toBeLessThanOrEqual(MAX_MESSAGE_LENGTH);
        }),
      { concurrency: AT_A_TIME },
    );
    await sources.close();
    await tell('pages of lists', outcomes);
  });
}, 600_000);

it('a bucket list includes all valid rows if another row is invalid', async () => {
  const strange = fc.sample(rows, RUNS);
  const answer = (request: RawRequest) => xmlAnswer(listing([strange[idInPath(request)]]));
  await withRawServer(answer, async ({ port }) => {
    const sources = sourcesAt(port, 10_000);
    let skipped = 0;
    await pMap(
      strange,
      async (_, id) => {
        const found = await sources.list({ type: 's3', bucket: `case-${id}`, prefix: 'p' }, { filter });
        const paths = found.entries.map(({ path }) => path);
        for (const key of rowKeys) expect(paths).toContain(key.slice('p/'.length));
        if (!found.isComplete) skipped++;
        // What was skipped is reported.
        expect(found.isComplete || found.problems.length > 0).toBe(true);
      },
      { concurrency: AT_A_TIME },
    );
    await sources.close();
    console.log(`${strange.length} generated rows of lists: ${skipped} could not be used`);
    expect(skipped).toBeGreaterThan(RUNS / 10);
  });
}, 600_000);

it('a bucket list fails if each page has the same continuation token', async () => {
  const endless = () =>
    xmlAnswer(
      '<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>again</NextContinuationToken></ListBucketResult>',
    );
  await withRawServer(endless, async ({ port }) => {
    const sources = sourcesAt(port, 10_000);
    const list = sources.list({ type: 's3', bucket: 'bucket' }, { filter });
    await expect(list).rejects.toMatchObject({ code: 'SOURCE_NOT_RANGED' });
    await sources.close();
  });
});

it.each(['trickle', 'more'] as const)(
  'a bucket list fails if the body of a page or an error never ends (%s)',
  async (after) => {
    for (const status of [200, 403]) {
      const head = `HTTP/1.1 ${status} x\r\ncontent-type: application/xml\r\n\r\n<ListBucketResult>`;
      await withRawServer(
        () => ({ head, body: Buffer.alloc(0), after }),
        async ({ port }) => {
          const sources = sourcesAt(port);
          const list = sources.list({ type: 's3', bucket: 'bucket' }, { filter });
          await expect(list).rejects.toBeInstanceOf(LonghaulError);
          await sources.close();
        },
      );
    }
  },
);

it('an HTTP source fails if the response headers never end', async () => {
  const head = 'HTTP/1.1 200 OK\r\na: ';
  await withRawServer(
    () => ({ head, body: Buffer.alloc(0), after: 'trickle' }),
    async ({ port }) => {
      const sources = sourcesAt(port);
      const read = readAll(sources, { type: 'http', url: `http://127.0.0.1:${port}/x` });
      await expect(read).rejects.toMatchObject({ code: 'SOURCE_READ_FAILED' });
      await sources.close();
    },
  );
}, 30_000);
