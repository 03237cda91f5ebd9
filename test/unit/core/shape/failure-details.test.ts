import { describe, expect, it } from 'vitest';
import { knownDetails, leftFiles, openHeartbeat, sendHeartbeat } from '../../../../src/core/shape/failure-details.ts';

describe('knownDetails', () => {
  it('returns the valid properties and ignores the others', () => {
    const details = { attempt: 2, status: 'x', retryAtMs: Infinity, subject: { filename: 1 }, notDone: true, other: 1 };
    expect(knownDetails(details)).toEqual({ attempt: 2, notDone: true });
  });

  it.each([null, undefined, 'text', 7, [{ attempt: 1 }]])('returns undefined for %j', (details) => {
    expect(knownDetails(details)).toBeUndefined();
  });
});

describe('heartbeats in a timeout', () => {
  const session = { uploadId: 'upload_1', createdAt: 1, expiresAt: 2 };

  it('returns those of a worker', () => {
    expect(openHeartbeat({ sessions: { 0: session } })).toEqual({ sessions: { 0: session } });
    const beat = { attempt: 1, outcomes: { 0: { sent: { fileId: 'f', createdAt: 1, md5: null } } }, left: { 1: {} } };
    expect(sendHeartbeat(beat)).toEqual(beat);
    expect(leftFiles([{ inDoubt: 'worker' }, {}])).toHaveLength(2);
  });

  it.each([undefined, null, {}, { sessions: 5 }, { sessions: { 0: {} } }])('ignores %j', (beat) => {
    expect(openHeartbeat(beat)).toBeUndefined();
    expect(sendHeartbeat(beat)).toBeUndefined();
    expect(leftFiles(beat)).toBeUndefined();
  });
});
