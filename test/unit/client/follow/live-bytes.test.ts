import { describe, expect, it } from 'vitest';
import { LiveBytes, type UploadLook } from '../../../../src/client/follow/live-bytes.ts';
import type { SplitUploadProgress } from '../../../../src/contracts/split.ts';
import type { SyncProgress } from '../../../../src/contracts/sync.ts';
import type { UploadProgress } from '../../../../src/contracts/upload.ts';

const sync: SyncProgress = {
  kind: 'sync',
  state: 'uploading',
  filename: 'data',
  bytesTotal: 5000,
  bytesDone: 100,
  partsInFlight: 0,
  waiting: null,
  startedAtMs: 0,
  counts: {
    listed: { files: 50, bytes: 5000 },
    same: 0,
    knownContent: 0,
    toSend: { files: 50, bytes: 5000 },
    sent: { files: 1, bytes: 100 },
    failed: 0,
    leftOut: 0,
    toDelete: 0,
    deleted: 0,
  },
  uploading: [],
};

const upload = (uploadId: string, bytesDone: number, changes: Partial<UploadProgress> = {}): UploadProgress => ({
  kind: 'upload',
  state: 'uploading',
  filename: 'a',
  bytesTotal: 9999,
  bytesDone,
  partSizeBytes: 10,
  partsTotal: 20,
  partsDone: 1,
  partsInFlight: 2,
  concurrency: 2,
  limit: null,
  session: { uploadId, createdAt: 0, expiresAt: 3600 },
  sessionEndsTooEarly: false,
  waiting: null,
  sessionsOpened: 1,
  orphanedSessions: 0,
  md5: null,
  startedAtMs: 0,
  ...changes,
});

const look = (uploadId: string, bytesDone: number): UploadLook => ({
  progress: upload(uploadId, bytesDone),
  pending: [],
});

/** Uploads that return what the test sets, and otherwise do not respond. */
function scene() {
  const told = new Map<string, UploadLook | undefined>();
  const asked: string[] = [];
  const live = new LiveBytes(async (workflowId) => {
    asked.push(workflowId);
    if (!told.has(workflowId)) throw new Error('no worker');
    return told.get(workflowId);
  }, 8);
  const children = (uploads: readonly string[]) => ({
    pendingChildren: uploads.map((workflowId) => ({ workflowId, workflowTypeName: 'uploadFile' })),
  });
  const bytes = {
    measure: async (progress: SyncProgress, uploads: readonly string[]) =>
      (await live.measure(progress, children(uploads))).bytesSent,
  };
  return { told, asked, bytes, live, children };
}

describe('the bytes of a sync', () => {
  it('include complete files and running uploads, without queries for small files', async () => {
    const { told, asked, bytes } = scene();
    expect(await bytes.measure(sync, [])).toBe(100);
    expect(asked).toEqual([]);
    told.set('a', look('u1', 10));
    expect(await bytes.measure(sync, ['a', 'unanswered'])).toBe(110);
    told.delete('a');
    expect(await bytes.measure(sync, ['a']), 'as far as is known').toBe(110);
  });

  it('do not exceed the total', async () => {
    const { told, bytes } = scene();
    told.set('a', look('u1', 9999));
    expect(await bytes.measure(sync, ['a'])).toBe(5000);
  });

  it('do not decrease if a closed upload is not counted yet, or a heartbeat disappears', async () => {
    const { told, bytes } = scene();
    told.set('a', look('u1', 90));
    expect(await bytes.measure(sync, ['a'])).toBe(190);
    told.set('a', look('u1', 80));
    expect(await bytes.measure(sync, ['a'])).toBe(190);
    told.set('a', undefined);
    expect(await bytes.measure(sync, ['a'])).toBe(190);
    expect(await bytes.measure({ ...sync, bytesDone: 200 }, [])).toBe(200);
  });

  it('decrease after a lost session or a failed upload', async () => {
    const { told, bytes } = scene();
    told.set('a', look('u1', 90));
    await bytes.measure(sync, ['a']);
    told.set('a', look('u2', 5));
    expect(await bytes.measure(sync, ['a'])).toBe(105);
    expect(await bytes.measure({ ...sync, counts: { ...sync.counts, failed: 1 } }, [])).toBe(100);
  });

  it('query eight uploads at a time, in turn', async () => {
    const { told, asked, bytes } = scene();
    const uploads = Array.from({ length: 20 }, (_, index) => `upload-${index}`);
    for (const one of uploads) told.set(one, look(one, 10));
    expect(await bytes.measure(sync, uploads)).toBe(180);
    expect(asked).toHaveLength(8);
    await bytes.measure(sync, uploads);
    expect(await bytes.measure(sync, uploads)).toBe(300);
    expect(asked).toHaveLength(24);
    expect(new Set(asked).size).toBe(20);
  });
});

describe('the bytes of an upload', () => {
  it('include parts in flight, do not decrease without a heartbeat, and decrease after a lost session', async () => {
    const { live } = scene();
    const heartbeat = Buffer.from(JSON.stringify({ bytesSent: 50 }));
    const part = {
      activityType: { name: 'uploadPart' },
      heartbeatDetails: { payloads: [{ metadata: { encoding: Buffer.from('json/plain') }, data: heartbeat }] },
    };
    expect((await live.measure(upload('u1', 100), { pendingActivities: [part] })).bytesSent).toBe(150);
    expect((await live.measure(upload('u1', 120), { pendingActivities: [] })).bytesSent).toBe(150);
    expect((await live.measure(upload('u2', 0), { pendingActivities: [] })).bytesSent).toBe(0);
  });
});

describe('the progress of a split upload', () => {
  const split: SplitUploadProgress = {
    ...upload('', 1000),
    kind: 'split',
    session: null,
    partsInFlight: 0,
    pieces: [],
  };

  it('has the session, the parts and the state of the piece that is running', async () => {
    const { told, live, children } = scene();
    told.set('piece', { progress: upload('u1', 10, { state: 'paused' }), pending: [] });
    expect(await live.measure(split, children(['piece']))).toMatchObject({
      progress: { kind: 'split', state: 'paused', partsInFlight: 2, session: { uploadId: 'u1' }, bytesDone: 1010 },
      bytesSent: 1010,
    });
  });
});

describe('the progress of a sync', () => {
  it('has the parts of its uploads, and the activities of one of them if it has none', async () => {
    const { told, live, children } = scene();
    const pending = [{ activityType: { name: 'uploadPart' } }];
    for (const id of ['a', 'b']) told.set(id, { ...look(id, 10), pending });
    const measured = await live.measure(sync, children(['a', 'b']));
    expect(measured).toMatchObject({ progress: { partsInFlight: 4 }, pending });
  });
});
