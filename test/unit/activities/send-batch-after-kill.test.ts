import { afterAll, describe, expect, it, vi } from 'vitest';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SendBatchHeartbeat } from '../../../src/contracts/batch.ts';
import type { UploadedFile } from '../../../src/contracts/upload.ts';
import { failureOf } from '../../support/mock-activity.ts';
import { HELLO, names, file, rejection, sent, type Methods, withFolder, one } from './send-batch-scene.ts';

// Files of a process share modules: the one that waits must be loaded with this clock, and with no other file's.
vi.hoisted(() => vi.resetModules());
afterAll(() => {
  vi.resetModules();
});
vi.mock('node:timers/promises', () => ({ setTimeout: () => Promise.resolve() }));

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
