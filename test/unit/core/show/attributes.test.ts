import { describe, expect, it } from 'vitest';
import { MAX_KEYWORD_LENGTH } from '../../../../src/contracts/search-attributes.ts';
import type { WaitingInfo } from '../../../../src/contracts/upload.ts';
import {
  attributePairs,
  readAttributes,
  syncAttributes,
  uploadAttributes,
} from '../../../../src/core/show/attributes.ts';

const subject = { filename: 'train.jsonl', purpose: 'batch', destination: 'default' };
const waiting: WaitingInfo = { reason: 'words', failureType: 'ApiRejected', sinceMs: 0, nextProbeAtMs: 0 };
const uploading = {
  state: 'uploading',
  bytesTotal: 3,
  bytesDone: 2,
  sessionEndsTooEarly: true,
  waiting: null,
} as const;

describe('the values of search attributes', () => {
  it('describe an upload, with the percentage rounded down, without failure messages', () => {
    expect(uploadAttributes(uploading, subject, { reason: 'Unheard' })).toEqual({
      ...subject,
      state: 'uploading',
      reason: null,
      fileId: null,
      bytes: 3,
      bytesDone: 2,
      percent: 66.6,
      endsTooEarly: true,
    });
    const refused = { ...waiting, status: 403 };
    expect(uploadAttributes({ ...uploading, state: 'waiting', waiting: refused }, subject, {})).toMatchObject({
      reason: 'ApiRejected 403',
      endsTooEarly: false,
    });
    expect(
      uploadAttributes({ ...uploading, state: 'failed', waiting }, subject, { reason: 'SessionLost' }),
    ).toMatchObject({ reason: 'SessionLost' });
    expect(uploadAttributes({ ...uploading, state: 'completed' }, subject, { fileId: 'file-1' })).toMatchObject({
      reason: null,
      fileId: 'file-1',
    });
  });

  it('omit the properties of a request that was not checked', () => {
    const values = uploadAttributes({ ...uploading, state: 'failed' }, undefined, { reason: 'InvalidRequest' });
    const none = { filename: null, purpose: null, destination: null };
    expect(values).toMatchObject({ ...none, state: 'failed', reason: 'InvalidRequest' });
  });

  it('omit the amounts before the source is inspected', () => {
    const none = { bytes: null, bytesDone: null, percent: null, endsTooEarly: null };
    const progress = { ...uploading, state: 'inspecting', bytesTotal: 0, bytesDone: 0 } as const;
    expect(uploadAttributes(progress, subject, {})).toMatchObject(none);
  });

  it('describe a sync, with its files and the first problem of a closed sync', () => {
    const sync = { bytesTotal: 200, bytesDone: 100, waiting: null };
    expect(syncAttributes({ ...sync, state: 'completed' }, subject, 'SourceChanged')).toEqual({
      ...subject,
      state: 'completed',
      reason: 'SourceChanged',
      fileId: null,
      bytes: 200,
      bytesDone: 100,
      percent: 50,
      endsTooEarly: null,
    });
    expect(syncAttributes({ ...sync, state: 'uploading' }, subject, 'SourceChanged').reason).toBeNull();
    expect(syncAttributes({ ...sync, state: 'waiting', waiting }, subject, undefined).reason).toBe('ApiRejected');
  });

  it('are truncated by code points to the limit of SQL, without characters that SQL JSON rejects', () => {
    const filename = `a\0\u{d800}b${'😀'.repeat(300)}`;
    const { filename: cut } = uploadAttributes(uploading, { ...subject, filename }, {});
    expect(Array.from(cut ?? '')).toHaveLength(MAX_KEYWORD_LENGTH);
    expect(cut).toMatch(/^a\ufffd\ufffdb(😀){251}$/u);
  });

  it('are written to Temporal by name and type, and read back', () => {
    expect(attributePairs({ state: 'paused', bytes: 5, reason: null })).toEqual([
      { key: { name: 'LonghaulState', type: 'KEYWORD' }, value: 'paused' },
      { key: { name: 'LonghaulBytes', type: 'INT' }, value: 5 },
      { key: { name: 'LonghaulReason', type: 'KEYWORD' }, value: null },
    ]);
    const untyped = { LonghaulState: ['paused'], LonghaulBytes: [5], LonghaulEndsTooEarly: [false], Other: ['x'] };
    expect(readAttributes({ ...untyped, LonghaulReason: [] })).toEqual({
      state: 'paused',
      bytes: 5,
      endsTooEarly: false,
    });
  });
});
