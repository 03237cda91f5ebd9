import { afterAll, describe, expect, it, vi } from 'vitest';
import { chmod, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ConnectionError } from '../../../src/errors.ts';
import type { Destination } from '../../../src/destinations/port.ts';
import { failureOf, stopWorker } from '../../support/mock-activity.ts';
import { HELLO, names, file, rejection, sent, withFolder, addPart, complete, one, noMd5 } from './send-batch-scene.ts';

// Files of a process share modules: the one that waits must be loaded with this clock, and with no other file's.
vi.hoisted(() => vi.resetModules());
afterAll(() => {
  vi.resetModules();
});
vi.mock('node:timers/promises', () => ({ setTimeout: () => Promise.resolve() }));

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
