import { describe, expect, it } from 'vitest';
import {
  rowOfProgress,
  rowOfSummary,
  type TopRow,
  describeRows,
  describeTotals,
  sortRows,
} from '../../../src/cli/commands/top/view.ts';
import type { UploadSummary } from '../../../src/client/lists/list-uploads.ts';
import type { SyncProgress } from '../../../src/contracts/sync.ts';
import type { UploadProgress } from '../../../src/contracts/upload.ts';

const MiB = 1024 * 1024;
const startedAt = new Date(1_000_000_000);

function summary(changes: Partial<UploadSummary> = {}): UploadSummary {
  return {
    workflowId: 'longhaul-a.bin-1',
    type: 'uploadFile',
    parentId: undefined,
    status: 'RUNNING',
    taskQueue: 'longhaul',
    startedAt,
    endedAt: undefined,
    state: undefined,
    reason: undefined,
    destination: undefined,
    purpose: undefined,
    filename: undefined,
    fileId: undefined,
    bytes: undefined,
    bytesDone: undefined,
    percent: undefined,
    endsTooEarly: undefined,
    ...changes,
  };
}

function progress(changes: Partial<UploadProgress> = {}): UploadProgress {
  return {
    kind: 'upload',
    state: 'uploading',
    filename: 'a.bin',
    bytesTotal: 8 * MiB,
    bytesDone: 2 * MiB,
    partSizeBytes: MiB,
    partsTotal: 8,
    partsDone: 2,
    partsInFlight: 2,
    concurrency: 2,
    limit: null,
    session: { uploadId: 'u', createdAt: 1_000_000, expiresAt: 1_003_600 },
    sessionEndsTooEarly: false,
    waiting: null,
    sessionsOpened: 1,
    orphanedSessions: 0,
    md5: null,
    startedAtMs: startedAt.getTime(),
    ...changes,
  };
}

function row(changes: Partial<UploadProgress> = {}, ofSummary: Partial<UploadSummary> = {}): TopRow {
  const event = { type: 'progress', progress: progress(changes), bytesSent: 3 * MiB } as const;
  return rowOfProgress(summary(ofSummary), event, MiB, startedAt.getTime());
}

describe('a row of longhaul top', () => {
  it('shows the response of the worker, with the rate and the time left', () => {
    expect(row()).toMatchObject({
      state: 'uploading',
      bytesDone: 2 * MiB,
      bytesSent: 3 * MiB,
      percent: 37.5,
      bytesPerSecond: MiB,
      leftMs: 5000,
      trouble: undefined,
      from: 'worker',
    });
    expect(describeRows([row()])).toEqual([
      'STATE      DONE   SIZE     RATE  LEFT  FILE   ID',
      'uploading   37%  8 MiB  1 MiB/s   5 s  a.bin  longhaul-a.bin-1',
    ]);
  });

  it('shows the waiting reason, a warning if the session expires too early, or the error of a retry', () => {
    const waiting = { reason: 'the key is rejected', failureType: 'ApiRejected', sinceMs: 0, nextProbeAtMs: 0 };
    expect(row({ state: 'waiting', waiting }).trouble).toBe('the key is rejected');
    expect(row({ sessionEndsTooEarly: true }).trouble).toMatch(/session expires before/);
    const trouble = { activity: 'uploadPart', attempt: 2, failureType: 'ApiUnavailable', message: '503' };
    const event = { type: 'progress', progress: progress(), bytesSent: 0, trouble } as const;
    expect(rowOfProgress(summary(), event, undefined, 0).trouble).toBe('503');
    const unpolled = { taskQueue: 'longhaul-transfer-a', host: 'a', reason: 'no worker of host a' };
    expect(rowOfProgress(summary(), { ...event, unpolled }, undefined, 0).trouble).toBe(unpolled.reason);
  });

  it('shows no percentage before the source is inspected', () => {
    expect(row({ state: 'inspecting', bytesTotal: 0, bytesDone: 0, session: null })).toMatchObject({
      percent: undefined,
      bytes: undefined,
    });
  });

  it('shows the search attributes, or that no worker responds', () => {
    expect(rowOfSummary(summary({ state: 'waiting', reason: 'ApiRejected', bytes: 200, bytesDone: 50 }))).toMatchObject(
      {
        state: 'waiting',
        percent: 25,
        bytesDone: 50,
        trouble: 'ApiRejected',
        from: 'search-attributes',
      },
    );
    expect(rowOfSummary(summary({ state: 'uploading', percent: 5, endsTooEarly: true }))).toMatchObject({
      percent: 5,
      trouble: expect.stringMatching(/session expires/),
    });
    expect(rowOfSummary(summary())).toMatchObject({
      state: 'running',
      percent: undefined,
      trouble: 'no worker responds',
    });
  });
});

describe('a row of a sync', () => {
  const sync = summary({ type: 'syncSource', workflowId: 'longhaul-sync-data-1', filename: '/data', state: 'listing' });
  const asked = (changes: Partial<SyncProgress>, bytesSent = 2 * MiB) =>
    rowOfProgress(
      sync,
      {
        type: 'progress',
        bytesSent,
        progress: {
          kind: 'sync',
          state: 'uploading',
          filename: '/data',
          bytesTotal: 8 * MiB,
          bytesDone: 2 * MiB,
          partsInFlight: 0,
          counts: {
            listed: { files: 9, bytes: 9 * MiB },
            toSend: { files: 4, bytes: 8 * MiB },
            sent: { files: 1, bytes: 2 * MiB },
            same: 5,
            knownContent: 0,
            toDelete: 0,
            deleted: 0,
            failed: 0,
            leftOut: 0,
          },
          uploading: [],
          waiting: null,
          startedAtMs: startedAt.getTime(),
          ...changes,
        },
      },
      MiB,
      startedAt.getTime(),
    );

  it('shows the type, the progress and the waiting reason, without the rate of its uploads', () => {
    const waiting = { reason: 'the key is rejected', failureType: 'ApiRejected', sinceMs: 0, nextProbeAtMs: 0 };
    expect(describeRows([asked({ state: 'waiting', waiting }), row()])).toEqual([
      'STATE      DONE   SIZE     RATE  LEFT  FILE   ID                    TYPE  PROBLEM',
      'waiting     25%  8 MiB                 /data  longhaul-sync-data-1  sync  the key is rejected',
      'uploading   37%  8 MiB  1 MiB/s   5 s  a.bin  longhaul-a.bin-1',
    ]);
    expect(asked({})).toMatchObject({ type: 'syncSource', trouble: undefined, from: 'worker' });
    const underWay = asked({}, 6 * MiB);
    expect(underWay).toMatchObject({ bytesDone: 2 * MiB, bytesSent: 6 * MiB, percent: 75 });
    expect(rowOfSummary({ ...sync, state: 'waiting', reason: 'ApiRejected 401' })).toMatchObject({
      type: 'syncSource',
      filename: '/data',
      state: 'waiting',
      trouble: 'ApiRejected 401',
    });
  });
});

describe('the table of longhaul top', () => {
  const at = (workflowId: string, state: string, second: number) =>
    rowOfSummary(summary({ workflowId, state, startedAt: new Date(second * 1000) }));

  it('shows the oldest first, or the states that can need operator action', () => {
    const rows = [at('c', 'waiting', 3), at('a', 'uploading', 1), at('b', 'paused', 2)];
    expect(sortRows(rows, 'start').map(({ workflowId }) => workflowId)).toEqual(['a', 'b', 'c']);
    expect(sortRows(rows, 'state').map(({ workflowId }) => workflowId)).toEqual(['c', 'b', 'a']);
    const states = ['listing', 'deleting', 'waiting'].map((state) => summary({ state }));
    expect(sortRows(states, 'state').map(({ state }) => state)).toEqual(['waiting', 'deleting', 'listing']);
    expect(sortRows([summary(), summary({ state: 'waiting' })], 'state').map(({ state }) => state)).toEqual([
      'waiting',
      undefined,
    ]);
  });

  it('counts running uploads and syncs by state, and sums the rates', () => {
    expect(describeTotals({ uploads: [], syncs: [] }, [], false)).toBe('no upload or sync is running');
    expect(describeTotals({ uploads: ['uploading'], syncs: [] }, [row()], false)).toBe(
      '1 upload: 1 uploading · 1 MiB/s',
    );
    expect(
      describeTotals({ uploads: ['uploading', 'waiting', undefined, 'uploading'], syncs: [] }, [row(), row()], true),
    ).toBe('4 and more uploads: 2 uploading, 1 waiting, 1 running · 2 MiB/s');
    expect(describeTotals({ uploads: ['uploading'], syncs: ['uploading', 'waiting'] }, [row()], false)).toBe(
      '1 upload: 1 uploading · 2 syncs: 1 uploading, 1 waiting · 1 MiB/s',
    );
    expect(describeTotals({ uploads: [], syncs: ['listing'] }, [], false)).toBe('1 sync: 1 listing');
  });
});
