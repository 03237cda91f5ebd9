import { chmod, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { createSendBatch } from '../../../activities/send-batch.ts';
import type {
  SendBatchFile,
  SendBatchHeartbeat,
  SendBatchInput,
  SendBatchResult,
} from '../../../src/contracts/batch.ts';
import type { UploadedFile } from '../../../src/contracts/upload.ts';
import { ApiError, ConnectionError } from '../../../src/errors.ts';
import type { Destination } from '../../../src/destinations/port.ts';
import { openFileSource } from '../../../src/sources/file/source.ts';
import { UploadRates } from '../../../src/pace/upload-rates.ts';
import { failureOf, mockActivity, stopWorker, withClient, type MockedMethods } from '../../support/mock-activity.ts';
import { withTempDir } from '../../support/temp-dir.ts';

// Files of a process share modules: the one that waits must be loaded with this clock, and with no other file's.
vi.hoisted(() => vi.resetModules());
afterAll(() => {
  vi.resetModules();
});
vi.mock('node:timers/promises', () => ({ setTimeout: () => Promise.resolve() }));

const HELLO = '5d41402abc4b2a76b9719d911017c592';
const names = ['a', 'b', 'c'] as const;

function file(id: string, changes: Partial<UploadedFile> = {}): UploadedFile {
  return { id, bytes: 5, createdAt: 100, filename: 'a', purpose: 'batch', ...changes };
}

function rejection(status: number, said = 'rejected', details = {}): ApiError {
  return new ApiError(`${said} with ${status}`, { status, ...details });
}

const sent = (name: string, md5: string | null = HELLO) => ({
  sent: { fileId: `file_of upload_${name}`, createdAt: 100, md5 },
});

type Methods = MockedMethods;

interface Scene {
  readonly folder: string;
  /** `send a`, in the order of the calls. */
  readonly calls: string[];
  readonly beats: SendBatchHeartbeat[];
  /** @param files changes of the files of these names; others are not in the batch */
  readonly run: (methods?: Methods, options?: RunOptions) => Promise<SendBatchResult>;
  readonly environment: () => ReturnType<typeof mockActivity>;
}

interface RunOptions {
  readonly files?: Readonly<Record<string, Partial<SendBatchFile>>>;
  readonly input?: Partial<SendBatchInput>;
  readonly info?: object;
}

/** A folder with three files, and a service that accepts everything, except for what `methods` does otherwise. */
function withFolder(body: (scene: Scene) => Promise<void>): Promise<void> {
  return withTempDir(async (folder) => {
    const all: Record<string, SendBatchFile> = {};
    for (const name of names) {
      const path = join(folder, name);
      await writeFile(path, 'hello');
      const reader = await openFileSource({ type: 'file', path });
      const { fingerprint, sizeBytes } = await reader.stat();
      await reader.close();
      all[name] = {
        path: name,
        filename: name,
        fingerprint,
        sizeBytes,
        uploadId: `upload_${name}`,
        uploadCreatedAt: 100,
      };
    }
    const calls: string[] = [];
    const beats: SendBatchHeartbeat[] = [];
    let environment: ReturnType<typeof mockActivity>;
    const run: Scene['run'] = (methods = {}, { files = all, input: changes = {}, info = {} } = {}) => {
      const base: Methods = {
        send: async (_id, content) => {
          await content.reader.read(Buffer.alloc(content.sizeBytes), 0);
          return { partId: 'part_1' };
        },
        complete: (id) => Promise.resolve(file(`file_of ${id}`)),
        cancel: () => Promise.resolve({ status: 'cancelled' }),
        list: () => Promise.resolve({ files: [], unreadable: [], hasMore: false, nextAfter: undefined }),
        read: () => Promise.resolve(Readable.from([Buffer.from('hello')], { objectMode: false })),
      };
      const logged = Object.fromEntries(
        Object.entries({ ...base, ...methods }).map(([name, method]) => [
          name,
          (...args: never[]) => {
            const [id] = args as unknown[];
            calls.push(typeof id === 'string' ? `${name} ${id.replace('upload_', '')}` : name);
            return Reflect.apply(method, undefined, args) as unknown;
          },
        ]),
      );
      environment = mockActivity({ attempt: 1, heartbeatTimeoutMs: 10_000, ...info });
      environment.on('heartbeat', (details) => beats.push(details as SendBatchHeartbeat));
      const input: SendBatchInput = {
        destination: 'default',
        purpose: 'batch',
        source: { type: 'folder', path: folder },
        files: Object.entries(files).map(([name, change]) => ({ ...(all[name] as SendBatchFile), ...change })),
        md5: true,
        concurrency: 1,
        ...changes,
      };
      const dependencies = { ...withClient(logged), rates: new UploadRates() };
      return environment.run(createSendBatch(dependencies), input) as Promise<SendBatchResult>;
    };
    await body({ folder, calls, beats, run, environment: () => environment });
  });
}

/** Fails for the Upload of one file, and does what `otherwise` does for the others. */
const only = (name: string, error: Error, otherwise: () => unknown) => (id: string) =>
  id === `upload_${name}` ? Promise.reject(error) : Promise.resolve(otherwise());
const addPart = (name: string, error: Error) => ({ send: only(name, error, () => ({ partId: 'part_1' })) }) as Methods;
const complete = (name: string, error: Error) => {
  const completeUpload: Destination['complete'] = (id) =>
    id === `upload_${name}` ? Promise.reject(error) : Promise.resolve(file(`file_of ${id}`));
  return { complete: completeUpload };
};
const one = { a: {} };
const noMd5 = { input: { md5: false } };

describe('sendBatch', () => {
  it('sends and completes each file, with its MD5', () =>
    withFolder(async ({ calls, run }) => {
      const md5s: unknown[] = [];
      const result = await run({
        complete: (id, { md5 }) => {
          md5s.push(md5);
          return Promise.resolve(file(`file_of ${id}`));
        },
      });
      expect(result).toEqual({ outcomes: names.map((name) => sent(name)), pauseMs: undefined });
      expect(calls).toEqual(names.flatMap((name) => [`send ${name}`, `complete ${name}`]));
      expect(md5s).toEqual([HELLO, HELLO, HELLO]);
      expect((await run({}, noMd5)).outcomes).toEqual(names.map((name) => sent(name, null)));
    }));

  it('sends as many files at the same time as it is permitted', () =>
    withFolder(async ({ run }) => {
      let [running, most] = [0, 0];
      let oneMore = () => {};
      const two = new Promise<void>((resolve) => (oneMore = () => running === 2 && resolve()));
      const addPartSlowly: Destination['send'] = async (_id, { reader, sizeBytes }) => {
        most = Math.max(most, ++running);
        oneMore();
        await reader.read(Buffer.alloc(sizeBytes), 0);
        await two;
        await new Promise((resolve) => setImmediate(resolve));
        running--;
        return { partId: 'part_1' };
      };
      await run({ send: addPartSlowly }, { input: { concurrency: 2 } });
      expect(most).toBe(2);
    }));

  it.each([
    [{ key: 'sync', bytesPerSecond: 131_072 }, true],
    [undefined, false],
  ])('waits for the rate of its sync: %j', (sharedLimit, waits) =>
    withFolder(async ({ run }) => {
      const turns: unknown[] = [];
      const paced: Destination['send'] = (_id, { reader, sizeBytes, pace }) => {
        turns.push(pace?.(131_072), pace?.(1));
        return reader.read(Buffer.alloc(sizeBytes), 0).then(() => ({ partId: 'part_1' }));
      };
      await run({ send: paced }, { input: { sharedLimit } });
      expect(turns.some((turn) => turn !== undefined)).toBe(waits);
    }),
  );

  it('reports a file that changed, is missing or is a directory, and sends the others', () =>
    withFolder(async ({ folder, calls, run }) => {
      const changed = await run({}, { ...noMd5, files: { a: { fingerprint: 'other' }, b: {} } });
      expect(changed.outcomes).toMatchObject([{ failure: { type: 'SourceChanged' } }, sent('b', null)]);
      await rm(join(folder, 'a'));
      expect((await run()).outcomes).toMatchObject([{ failure: { type: 'SourceMissing' } }, sent('b'), sent('c')]);
      expect(calls.filter((call) => call.endsWith(' a'))).toEqual([]);
    }));

  it('does not complete a file that changes while it is sent', () =>
    withFolder(async ({ folder, calls, run }) => {
      const { outcomes } = await run({
        send: async (id, { reader, sizeBytes }) => {
          await reader.read(Buffer.alloc(sizeBytes), 0);
          if (id === 'upload_a') await writeFile(join(folder, 'a'), 'longer');
          return { partId: 'part_1' };
        },
      });
      expect(outcomes[0]).toMatchObject({ failure: { type: 'SourceChanged' } });
      expect(calls).not.toContain('complete a');
    }));

  it('waits if the whole folder is missing, and fails no file', () =>
    withFolder(async ({ folder, run }) => {
      await rm(folder, { recursive: true });
      const failure = await failureOf(run());
      expect(failure).toMatchObject({ type: 'SourceMissing', details: [{ sourceScope: 'container' }, [{}, {}, {}]] });
    }));

  it.skipIf(process.getuid?.() === 0)('reports a file that cannot be read', () =>
    withFolder(async ({ folder, run }) => {
      await chmod(join(folder, 'b'), 0);
      expect((await run()).outcomes).toMatchObject([sent('a'), { failure: { type: 'SourceMissing' } }, sent('c')]);
    }),
  );

  it.each([rejection(400), rejection(413), rejection(422)])('reports a file that the service rejects: %s', (error) =>
    withFolder(async ({ run }) => {
      const { outcomes } = await run(addPart('b', error), noMd5);
      const details = { status: error.details.status, notDone: true };
      expect(outcomes).toMatchObject([sent('a', null), { failure: { type: 'ApiRejected', details } }, sent('c', null)]);
      const { outcomes: atCompletion } = await run(complete('b', error));
      expect(atCompletion[1]).toMatchObject({ failure: { details: { notDone: undefined } } });
    }),
  );

  it.each([rejection(404), rejection(410), rejection(400, 'is cancelled')])(
    'reports that a file needs another session: %s',
    (error) =>
      withFolder(async ({ run }) => {
        const { outcomes } = await run(addPart('a', error), noMd5);
        expect(outcomes).toMatchObject([{ failure: { type: 'SessionLost' } }, sent('b', null), sent('c', null)]);
      }),
  );

  it('returns the Files that it has if another file can succeed later, with the pause that the service requests', () =>
    withFolder(async ({ run }) => {
      const unavailable = rejection(503, 'busy', { retryAfterMs: 3000 });
      const sentPart = { partId: 'part_1', md5: HELLO };
      expect(await run(complete('b', unavailable))).toEqual({
        outcomes: [sent('a'), { left: { sentPart } }, sent('c')],
        pauseMs: 3000,
      });
      expect((await run(addPart('a', new ConnectionError('reset')), noMd5)).outcomes[0]).toEqual({
        left: { mayHavePart: true },
      });
    }));

  it.each([
    [429, {}],
    [503, { retryAfterMs: 1000 }],
    [401, {}],
    [403, {}],
  ])('repeats only the completion, in the same session, after it was rejected with %d', (status, details) =>
    withFolder(async ({ calls, beats, run }) => {
      const failure = await failureOf(run(complete('a', rejection(status, 'not now', details)), { files: one }));
      const sentPart = { partId: 'part_1', md5: HELLO };
      expect(failure.details).toMatchObject([{ attempt: 1, status }, [{ sentPart }]]);
      expect(beats.at(-1)).toMatchObject({ attempt: 1, outcomes: {}, left: { 0: { sentPart } } });
      calls.length = 0;
      await run({}, { files: one, info: { attempt: 2, heartbeatDetails: beats.at(-1) } });
      await run({}, { files: { a: { sentPart } } });
      expect(calls).toEqual(['complete a', 'complete a']);
    }),
  );

  it('sends into the same session again after its part failed', () =>
    withFolder(async ({ calls, beats, run }) => {
      await failureOf(run({ send: () => Promise.reject(new ConnectionError('reset')) }));
      expect(beats.at(-1)?.left).toMatchObject({ 0: { mayHavePart: true }, 1: {}, 2: {} });
      calls.length = 0;
      await run({}, { info: { attempt: 2, heartbeatDetails: beats.at(-1) } });
      expect(calls.filter((call) => call.startsWith('send'))).toHaveLength(3);
      expect(calls.filter((call) => call.startsWith('cancel'))).toEqual([]);
    }));

  it.each([rejection(408), rejection(500), rejection(504), new ConnectionError('reset')])(
    'reports a completion as uncertain after %s',
    (error) =>
      withFolder(async ({ beats, run }) => {
        const left = { inDoubt: 'response', sentPart: { partId: 'part_1', md5: HELLO } };
        const { outcomes } = await run(complete('b', error));
        expect(outcomes[1]).toMatchObject({ left: { inDoubt: 'response', sentPart: { md5: HELLO } } });
        const failure = await failureOf(run(complete('a', error), { files: one }));
        expect(failure.details?.[1]).toEqual([left]);
        expect(beats.at(-1)).toEqual({ attempt: 1, outcomes: {}, left: { 0: left } });
      }),
  );

  it('returns its results if the sync is cancelled, after the running completion', () =>
    withFolder(async ({ calls, run, environment }) => {
      const { outcomes } = await run({
        complete: async (id, _, { signal } = {}) => {
          environment().cancel();
          await new Promise((resolve) => setImmediate(resolve));
          signal?.throwIfAborted();
          return file(`file_of ${id}`);
        },
      });
      expect(outcomes).toEqual([sent('a'), { left: {} }, { left: {} }]);
      expect(calls).toEqual(['send a', 'complete a']);
    }));

  it('releases a batch without results if its worker stops, and reports unsent files', () =>
    withFolder(async ({ beats, run, environment }) => {
      const stopped = run({
        send: () => {
          stopWorker(environment());
          return Promise.reject(new ConnectionError('stopped'));
        },
      });
      expect(await failureOf(stopped)).toMatchObject({ type: 'WorkerStopping' });
      expect(beats.at(-1)).toMatchObject({ attempt: 1, outcomes: {}, left: { 0: {}, 1: {}, 2: {} } });
    }));
});

describe('an attempt of sendBatch after a kill', () => {
  const again = (beat?: Partial<SendBatchHeartbeat>, attempt = 2) => ({
    info: { attempt, heartbeatDetails: beat && { attempt: 1, outcomes: {}, left: {}, ...beat } },
  });
  const list = (...files: UploadedFile[]): Methods => ({
    list: () => Promise.resolve({ files, unreadable: [], hasMore: false, nextAfter: undefined }),
  });
  const ended = (said: string, status = 400): Methods => ({
    cancel: () => Promise.reject(rejection(status, said)),
  });

  it.each<unknown>([
    'text',
    7,
    {},
    { attempt: 1 },
    { attempt: 1, outcomes: 5, left: null },
    { attempt: 1, outcomes: { 0: { sent: 5 } }, left: {} },
    { attempt: 1, outcomes: {}, left: { 0: 'response' } },
  ])('ignores a heartbeat of another client: %j', (heartbeatDetails) =>
    withFolder(async ({ run }) => {
      const without = await run({}, { info: { attempt: 2 } });
      expect(await run({}, { info: { attempt: 2, heartbeatDetails } })).toEqual(without);
    }),
  );

  it('cancels a session without a receipt, and reports that another session is needed', () =>
    withFolder(async ({ calls, run }) => {
      const { outcomes } = await run({}, again());
      expect(outcomes).toMatchObject(names.map(() => ({ failure: { type: 'SessionLost' } })));
      expect(calls).toEqual(['cancel c', 'cancel a', 'cancel b']);
    }));

  it('accepts receipts, and settles only the other files', () =>
    withFolder(async ({ calls, run }) => {
      const { outcomes } = await run({}, again({ outcomes: { 0: sent('a'), 2: sent('c') } }));
      expect(outcomes).toMatchObject([sent('a'), { failure: { type: 'SessionLost' } }, sent('c')]);
      expect(calls).toEqual(['cancel b']);
    }));

  it('ignores unsent files that an attempt before the last one reported', () =>
    withFolder(async ({ calls, run }) => {
      await run({}, { ...again({ left: { 0: {} } }, 3), files: one });
      expect(calls).toEqual(['cancel a']);
    }));

  it('finds the File of a session that was completed', () =>
    withFolder(async ({ calls, run }) => {
      const service = { ...ended('is completed'), ...list(file('other', { filename: 'b' }), file('mine')) };
      const { outcomes } = await run(service, { ...again(), files: one });
      expect(outcomes).toEqual([{ sent: { fileId: 'mine', createdAt: 100, md5: HELLO } }]);
      expect(calls).toEqual(['cancel a', 'list', 'read file_of a'.replace('file_of a', 'mine')]);
    }));

  it('finds the File of a source that changed, by MD5 or else by name and size', () =>
    withFolder(async ({ folder, run }) => {
      const service = { ...ended('is completed'), ...list(file('mine')) };
      await writeFile(join(folder, 'a'), 'other');
      for (const md5 of [HELLO, null]) {
        const left = md5 === null ? {} : { sentPart: { partId: 'part_1', md5 } };
        const { outcomes } = await run(service, { files: { a: { inDoubt: 'response', ...left } } });
        expect(outcomes).toEqual([{ sent: { fileId: 'mine', createdAt: 100, md5 } }]);
      }
    }));

  it.each([2, 3])('finds the File by the MD5 in the heartbeat of attempt 1, at attempt %d', (attempt) =>
    withFolder(async ({ folder, run }) => {
      await writeFile(join(folder, 'a'), 'other');
      const left = { 0: { sentPart: { partId: 'part_1', md5: HELLO }, inDoubt: 'worker' as const } };
      const service = { ...ended('is completed'), ...list(file('mine')) };
      const { outcomes } = await run(service, { ...again({ left }, attempt), files: one });
      expect(outcomes).toEqual([{ sent: { fileId: 'mine', createdAt: 100, md5: HELLO } }]);
    }),
  );

  it('waits for an operator if the Upload is completed and its File is not listed', () =>
    withFolder(async ({ run }) => {
      const { outcomes } = await run(ended('is completed', 409), { ...again(), files: one });
      expect(outcomes).toMatchObject([{ failure: { type: 'CompletionUncertain' } }]);
    }));

  it('reports that another session is needed if the session expired', () =>
    withFolder(async ({ run }) => {
      const { outcomes } = await run(ended('has expired'), { ...again(), files: one });
      expect(outcomes).toMatchObject([{ failure: { type: 'SessionLost' } }]);
    }));

  it('keeps the completion uncertain if the service is unavailable', () =>
    withFolder(async ({ beats, run }) => {
      const failure = await failureOf(run(ended('busy', 503), { ...again(), files: one }));
      expect(failure).toMatchObject({ type: 'ApiUnavailable', nonRetryable: false });
      expect(failure.details?.[1]).toEqual([{ inDoubt: 'worker' }]);
      expect(beats.at(-1)?.left).toEqual({ 0: { inDoubt: 'worker' } });
    }));

  it.each([undefined, 'pending', 'completed'])(
    'finds the File if the service reports %s after a cancellation',
    (status) =>
      withFolder(async ({ run }) => {
        const lenient = { cancel: () => Promise.resolve({ status }), ...list(file('mine')) };
        expect((await run(lenient, { ...again(), files: one })).outcomes).toMatchObject([{ sent: { fileId: 'mine' } }]);
      }),
  );

  it('only settles on request, and lists no Files for a session that was never completed', () =>
    withFolder(async ({ calls, run }) => {
      const service = ended('what is this');
      const clean = await run(service, { files: { a: { onlySettle: true } } });
      expect(clean.outcomes).toMatchObject([{ failure: { type: 'SessionLost' } }]);
      expect(calls).toEqual(['cancel a']);
      const inDoubt = await run(
        { ...service, ...list(file('mine')) },
        { files: { a: { onlySettle: true, inDoubt: 'worker' } } },
      );
      expect(inDoubt.outcomes).toMatchObject([{ sent: { fileId: 'mine' } }]);
    }));
});
