import { describe, expect, it, vi } from 'vitest';
import { createOpenBatch } from '../../../activities/open-batch.ts';
import type { OpenBatchInput, OpenBatchResult } from '../../../src/contracts/batch.ts';
import { ApiError, ConnectionError } from '../../../src/errors.ts';
import type { Destination } from '../../../src/destinations/port.ts';
import { failureOf, mockActivity, stopWorker, withClient } from '../../support/mock-activity.ts';

type Create = Destination['open'];

const session = (name: string) => ({ uploadId: `upload_${name}`, createdAt: 100, expiresAt: 3700 });
const opened = (name: string) => ({ session: session(name) });
const rejection = (status: number, details = {}) => new ApiError(`rejected with ${status}`, { status, ...details });
const turn = () => new Promise((resolve) => setImmediate(resolve));
/** Rejects when the signal is aborted. */
function aborted(signal: AbortSignal): Promise<never> {
  signal.throwIfAborted();
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
}
const accept: Create = ({ filename }) => Promise.resolve(session(filename));

function batchOf(names: readonly string[], changes: Partial<OpenBatchInput> = {}): OpenBatchInput {
  const files = names.map((filename) => ({ filename, bytes: 5 }));
  return { destination: 'default', purpose: 'batch', files, concurrency: 2, ...changes };
}

function open(input: OpenBatchInput, createUpload: Create, info = {}) {
  const environment = mockActivity({ attempt: 1, heartbeatTimeoutMs: 10_000, ...info });
  const running = environment.run(
    createOpenBatch(withClient({ open: createUpload })),
    input,
  ) as Promise<OpenBatchResult>;
  return { environment, running };
}

/** Rejects the files of these names. */
const rejecting =
  (rejections: Readonly<Record<string, Error>>): Create =>
  (fields) => {
    const error = rejections[fields.filename];
    return error ? Promise.reject(error) : accept(fields);
  };

describe('openBatch', () => {
  it('opens the sessions in the order of the files, some at the same time, each with its own type', async () => {
    let [running, most] = [0, 0];
    const types: string[] = [];
    const input = batchOf(['a.txt', 'b.unknown', 'c.json', 'd', 'e'], { fileExpiresAfterSeconds: 3600 });
    const { outcomes } = await open(input, async (fields) => {
      most = Math.max(most, ++running);
      types.push(`${fields.filename} ${fields.mimeType} ${fields.fileExpiresAfterSeconds}`);
      await turn();
      running--;
      return accept(fields);
    }).running;
    expect(outcomes).toEqual(['a.txt', 'b.unknown', 'c.json', 'd', 'e'].map(opened));
    expect(most).toBe(2);
    expect(types.slice(0, 3)).toEqual([
      'a.txt text/plain 3600',
      'b.unknown application/octet-stream 3600',
      'c.json application/json 3600',
    ]);
  });

  it('reports a file that the service rejects, and opens the others', async () => {
    const input = batchOf(['a', 'bad', 'c'], { mimeType: 'text/odd' });
    const { outcomes } = await open(input, rejecting({ bad: rejection(400) })).running;
    expect(outcomes).toMatchObject([
      opened('a'),
      { failure: { type: 'ApiRejected', details: { status: 400 } } },
      opened('c'),
    ]);
  });

  it('returns the sessions that it opened, and leaves the other files with the pause that the service requests', async () => {
    const rejections = { a: rejection(503, { retryAfterMs: 2000 }), c: new ConnectionError('reset') };
    const result = await open(batchOf(['a', 'b', 'c']), rejecting(rejections)).running;
    expect(result).toEqual({ outcomes: [{ left: true }, opened('b'), { left: true }], pauseMs: 2000 });
  });

  it.each([
    [rejection(503), { type: 'ApiUnavailable', nonRetryable: false }],
    [rejection(401), { type: 'ApiRejected', nonRetryable: true, details: [{ status: 401 }] }],
    [rejection(429, { apiCode: 'insufficient_quota' }), { type: 'ApiRejected', nonRetryable: true }],
  ])('fails like a single call if no session is opened: %s', async (error, failure) => {
    let calls = 0;
    const create: Create = () => {
      calls++;
      return Promise.reject(error);
    };
    const names = Array.from({ length: 50 }, (_, index) => `${index}`);
    expect(await failureOf(open(batchOf(names), create).running)).toMatchObject(failure);
    expect(calls).toBeLessThan(12);
  });

  it('starts with other files in the next attempt, so that failing files do not delay the others', async () => {
    const names = Array.from({ length: 20 }, (_, index) => `${index}`);
    const bad = Object.fromEntries(names.slice(0, 10).map((name) => [name, rejection(500)]));
    await failureOf(open(batchOf(names, { concurrency: 1 }), rejecting(bad)).running);
    const { outcomes } = await open(batchOf(names, { concurrency: 1 }), rejecting(bad), { attempt: 2 }).running;
    expect(outcomes.slice(10)).toEqual(names.slice(10).map(opened));
  });

  it('keeps the sessions of the previous attempt', async () => {
    const made: string[] = [];
    const heartbeatDetails = { sessions: { 0: session('before') } };
    const create: Create = (fields) => {
      made.push(fields.filename);
      return accept(fields);
    };
    const { outcomes } = await open(batchOf(['a', 'b']), create, { attempt: 2, heartbeatDetails }).running;
    expect(outcomes).toEqual([opened('before'), opened('b')]);
    expect(made).toEqual(['b']);
  });

  it('finishes its calls if the sync is cancelled, starts no others, and returns the sessions', async () => {
    const scene = open(batchOf(['a', 'b', 'c']), async (fields, options) => {
      await turn();
      if (fields.filename === 'a') scene.environment.cancel();
      await turn();
      options?.signal?.throwIfAborted();
      return accept(fields);
    });
    expect((await scene.running).outcomes).toEqual([opened('a'), opened('b'), { left: true }]);
  });

  it('returns the open sessions if its worker stops, or releases a batch without any', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const stopping = (first: string) => {
      const scene = open(batchOf(['a', 'b']), async (fields, { signal } = {}) => {
        await turn();
        if (fields.filename === first) stopWorker(scene.environment);
        if (first !== 'a') return accept(fields);
        vi.advanceTimersByTime(2000);
        return aborted(signal as AbortSignal);
      });
      return scene.running;
    };
    try {
      expect(await failureOf(stopping('a'))).toMatchObject({ type: 'WorkerStopping' });
      expect((await stopping('b')).outcomes).toEqual([opened('a'), opened('b')]);
    } finally {
      vi.useRealTimers();
    }
  });
});
