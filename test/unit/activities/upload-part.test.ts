import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import { CancelledFailure } from '@temporalio/common';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createInspectSource } from '../../../activities/inspect-source.ts';
import { createUploadPart } from '../../../activities/upload-part.ts';
import type { SourceInfo, UploadPartInput, UploadPartResult } from '../../../src/contracts/activities.ts';
import { FailureType } from '../../../src/contracts/failures.ts';
import { AbortedError, ApiError, ConfigError, ConnectionError, SourceReadError } from '../../../src/errors.ts';
import type { Destination } from '../../../src/destinations/port.ts';
import { UploadRates } from '../../../src/pace/upload-rates.ts';
import { until } from '../../support/until.ts';
import { failureOf, mockActivity, stopWorker, withClient } from '../../support/mock-activity.ts';

let dir: string;
let path: string;
let input: UploadPartInput;

const nowSeconds = (): number => Math.floor(Date.now() / 1000);
const addPart = vi.fn<Destination['send']>();
const uploadPart = createUploadPart(withClient({ send: addPart }));

beforeEach(async () => {
  addPart.mockReset().mockResolvedValue({ partId: 'part_1' });
  dir = await mkdtemp(join(tmpdir(), 'longhaul-part-'));
  path = join(dir, 'file');
  await writeFile(path, '0123456789');
  const source = { type: 'file', path } as const;
  const { fingerprint }: SourceInfo = await mockActivity().run(createInspectSource(withClient({})), {
    request: { source, purpose: 'batch' },
  });
  input = {
    destination: 'default',
    uploadId: 'upload_1',
    sessionExpiresAt: nowSeconds() + 3600,
    partNumber: 2,
    source,
    fingerprint,
    offsetBytes: 4,
    sizeBytes: 4,
  };
});

afterEach(() => rm(dir, { recursive: true, force: true }));

const run = (changes: Partial<UploadPartInput> = {}, attempt = 1): Promise<UploadPartResult> =>
  mockActivity({ attempt }).run(uploadPart, { ...input, ...changes });

/** A part that is in flight until its call is aborted, like that of the client. */
function hanging(): { begun: Promise<void> } {
  const begun = new Promise<void>((resolve) => {
    addPart.mockImplementation(async (_, content, options) => {
      content.listeners?.forEach((listener) => listener?.moved(3));
      resolve();
      await new Promise((aborted) => options?.signal?.addEventListener('abort', aborted, { once: true }));
      throw new AbortedError('aborted');
    });
  });
  return { begun };
}

describe('uploadPart', () => {
  it('sends its range, and returns the part ID and the attempt', async () => {
    expect(await run({}, 4)).toEqual({ partId: 'part_1', attempt: 4 });
    expect(addPart).toHaveBeenCalledWith(
      'upload_1',
      expect.objectContaining({ offsetBytes: 4, sizeBytes: 4 }),
      expect.objectContaining({ timeoutMs: 55_000 }),
    );
  });

  it.each([
    ['succeeded', () => addPart.mockResolvedValueOnce({ partId: 'part_1' })],
    ['failed', () => addPart.mockRejectedValueOnce(new ConnectionError('reset'))],
  ])('has closed its source after it %s', async (_, respond) => {
    respond();
    await run().catch(() => {});
    const reader = addPart.mock.lastCall?.[1].reader;
    await expect(reader?.read(Buffer.alloc(1), 0)).rejects.toThrow('EBADF');
  });

  it('reports its progress and its outcome to the metrics of the worker', async () => {
    const events: unknown[] = [];
    const watchPart = (part: object) => {
      events.push(part);
      return {
        moved: (bytes: number) => events.push(bytes),
        finished: (error?: unknown) => events.push((error as { type?: string } | undefined)?.type),
      };
    };
    const watched = createUploadPart({ ...withClient({ send: addPart }), watchPart });
    addPart.mockImplementationOnce(async (_, { listeners }) => {
      listeners?.forEach((listener) => listener?.moved(4));
      return { partId: 'part_1' };
    });
    await mockActivity({ attempt: 2 }).run(watched, input);
    addPart.mockRejectedValueOnce(new ConnectionError('reset'));
    await failureOf(mockActivity().run(watched, input));
    await failureOf(
      mockActivity().run(watched, { ...input, source: { type: 'file' as const, path: join(dir, 'none') } }),
    );
    const part = (attempt: number) => ({ destination: 'default', attempt });
    const { ConnectionFailed, SourceChanged } = FailureType;
    expect(events).toEqual([part(2), 4, undefined, part(1), ConnectionFailed, part(1), expect.any(String)]);
    expect([SourceChanged, FailureType.SourceMissing]).toContain(events.at(-1));
  });

  it('queries the rate of its upload while it is sent, and applies the change', async () => {
    const query = vi.fn<() => Promise<object>>(() => Promise.resolve({ limit: { bytesPerSecond: 0, revision: 2 } }));
    const client = {
      withDeadline: (_at: number, call: () => unknown) => call(),
      withAbortSignal: (_signal: unknown, call: () => unknown) => call(),
      workflow: { getHandle: () => ({ query }) },
    } as unknown as Client;
    const rated = createUploadPart({ ...withClient({ send: addPart }), rates: new UploadRates(20) });
    addPart.mockImplementation(async (_, { pace }) => {
      void pace?.(1000 * 131_072);
      expect(pace?.(1)).toBeDefined();
      await until(() => pace?.(1) === undefined, 'the rate to be removed');
      return { partId: 'part_1' };
    });
    const limit = { bytesPerSecond: 131_072, revision: 1 };
    expect(await mockActivity({}, client).run(rated, { ...input, limit })).toMatchObject({ partId: 'part_1' });
    expect(query).toHaveBeenCalledWith('progress');
  });

  it('returns the MD5 of a part that is the whole source', async () => {
    addPart.mockImplementation(async (_, { reader }) => {
      for (let at = 0; at < 10; at += 4) await reader.read(Buffer.alloc(Math.min(4, 10 - at)), at);
      return { partId: 'part_1' };
    });
    const sent = await run({ offsetBytes: 0, sizeBytes: 10, withMd5: true });
    expect(sent).toEqual({ partId: 'part_1', attempt: 1, md5: '781e5e245d69b566979b86e28d23f2c7' });
  });

  it('does not send a source that changed', async () => {
    await writeFile(path, '9876543210+');
    expect(await failureOf(run())).toMatchObject({ type: FailureType.SourceChanged, nonRetryable: true });
    expect(addPart).not.toHaveBeenCalled();
  });

  it('fails if the source changes while the part is sent', async () => {
    addPart.mockImplementation(async () => {
      await writeFile(path, '9876543210+');
      return { partId: 'part_1' };
    });
    expect(await failureOf(run())).toMatchObject({ type: FailureType.SourceChanged, nonRetryable: true });
  });

  it('fails permanently if the source is missing or the destination is unknown', async () => {
    await rm(path);
    expect(await failureOf(run())).toMatchObject({ type: FailureType.SourceMissing, nonRetryable: true });
    const lost = createUploadPart({
      ...withClient({}),
      destination: () => {
        throw new ConfigError('no destination "eu"');
      },
    });
    expect(await failureOf(mockActivity().run(lost, input))).toMatchObject({ type: FailureType.ConfigInvalid });
  });

  it('reports a source that became empty or a directory as changed', async () => {
    await writeFile(path, '');
    expect(await failureOf(run())).toMatchObject({ type: FailureType.SourceChanged, nonRetryable: true });
    await rm(path);
    await mkdir(path);
    expect(await failureOf(run())).toMatchObject({ type: FailureType.SourceChanged, nonRetryable: true });
  });

  it('retries connection errors and disk errors', async () => {
    addPart.mockRejectedValueOnce(new ConnectionError('reset')).mockRejectedValueOnce(new SourceReadError('EIO'));
    expect(await failureOf(run())).toMatchObject({ type: FailureType.ConnectionFailed, nonRetryable: false });
    expect(await failureOf(run())).toMatchObject({ nonRetryable: false });
  });

  it('retries after the pause that the service requests', async () => {
    addPart.mockRejectedValue(new ApiError('slow down', { status: 429, retryAfterMs: 700 }));
    expect(await failureOf(run())).toMatchObject({ type: FailureType.ApiUnavailable, nextRetryDelay: 700 });
  });
});

describe('uploadPart and the lifetime of the session', () => {
  it.each([404, 410])('reports a lost session for %d', async (status) => {
    addPart.mockRejectedValue(new ApiError('no such upload', { status }));
    expect(await failureOf(run({}, 2))).toMatchObject({
      type: FailureType.SessionLost,
      nonRetryable: true,
      message: 'no such upload',
      details: [{ attempt: 2, status }],
    });
  });

  it.each([400, 409, 503])(
    'reports an expired session if its lifetime is over and the service returns %d',
    async (status) => {
      addPart.mockRejectedValue(new ApiError('no', { status }));
      const failure = await failureOf(run({ sessionExpiresAt: nowSeconds() - 120 }));
      expect(failure).toMatchObject({ type: FailureType.SessionLost, nonRetryable: true });
      expect(failure.message).toBe('the session of the Upload expired. Last error: no');
    },
  );

  it('keeps the session after a temporary error if the clock of the worker is a day ahead', async () => {
    const serviceTimeMs = Date.now() - 24 * 3_600_000;
    addPart.mockRejectedValue(new ApiError('no', { status: 503, serviceTimeMs }));
    expect(await failureOf(run({ sessionExpiresAt: serviceTimeMs / 1000 + 3600 }))).toMatchObject({
      type: FailureType.ApiUnavailable,
      nonRetryable: false,
    });
  });

  it('keeps the session if the clock of the worker is 30 s ahead', async () => {
    addPart.mockRejectedValue(new ApiError('no', { status: 503 }));
    expect(await failureOf(run({ sessionExpiresAt: nowSeconds() - 30 }))).toMatchObject({
      type: FailureType.ApiUnavailable,
      nonRetryable: false,
    });
  });

  it.each([400, 409])('reports a lost session if the message of a %d states that it is cancelled', async (status) => {
    addPart.mockRejectedValue(new ApiError('Upload upload_1 is cancelled', { status }));
    expect(await failureOf(run())).toMatchObject({
      type: FailureType.SessionLost,
      nonRetryable: true,
      details: [{ attempt: 1, status }],
    });
  });

  it('returns a 400 within the lifetime to the workflow, which has the earlier results', async () => {
    addPart.mockRejectedValue(new ApiError('too many bytes', { status: 400 }));
    expect(await failureOf(run())).toMatchObject({ type: FailureType.ApiRejected, details: [{ status: 400 }] });
  });
});

describe('uploadPart while it is stopped or cancelled', () => {
  it('releases the part if its worker stops, with the number of bytes sent', async () => {
    const { begun } = hanging();
    const environment = mockActivity({ heartbeatTimeoutMs: 10_000 });
    const beats: unknown[] = [];
    environment.on('heartbeat', (details) => beats.push(details));
    const running = failureOf(environment.run(uploadPart, input));
    await begun;
    stopWorker(environment);
    expect(await running).toMatchObject({ type: FailureType.WorkerStopping, nonRetryable: false });
    expect(beats).toEqual([{ bytesSent: 3 }]);
  });

  it('fails as cancelled if the workflow cancels it', async () => {
    const { begun } = hanging();
    const environment = mockActivity();
    const running = environment.run(uploadPart, input);
    await begun;
    environment.cancel();
    await expect(running).rejects.toBeInstanceOf(CancelledFailure);
  });

  it('reports the bytes sent in its heartbeats', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    try {
      const { begun } = hanging();
      const environment = mockActivity({ heartbeatTimeoutMs: 10_000 });
      const beats: unknown[] = [];
      environment.on('heartbeat', (details) => beats.push(details));
      const running = failureOf(environment.run(uploadPart, input));
      await begun;
      expect(beats).toEqual([]);
      vi.advanceTimersByTime(2000);
      expect(beats).toEqual([{ bytesSent: 3 }, { bytesSent: 3 }]);
      stopWorker(environment);
      await running;
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });
});
