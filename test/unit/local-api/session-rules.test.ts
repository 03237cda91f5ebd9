import { describe, expect, it } from 'vitest';
import {
  requireParts,
  requirePending,
  roomOf,
  sessionTimes,
  statusAt,
  type SessionState,
} from '../../../src/local-api/session-rules.ts';
import type { UploadStatus } from '../../../src/local-api/upload-record.ts';

const END_MS = 3_600_000;

interface Changes extends Partial<SessionState> {
  readonly status?: UploadStatus;
}

function sessionOf({ status = 'pending', ...rest }: Changes = {}): SessionState {
  const record = { id: 'upload_1', bytes: 10, status, expiresAt: END_MS / 1000 };
  const parts = new Map([
    ['part_1', { sizeBytes: 6 }],
    ['part_2', { sizeBytes: 4 }],
  ]);
  return { record, parts, receivedBytes: 10, busy: false, ...rest };
}

describe('the session rules of the local API', () => {
  it('round the times of a session down to seconds', () => {
    expect(sessionTimes(1999, 3600)).toEqual({ createdAt: 1, expiresAt: 3601 });
  });

  it('expire a pending session after its lifetime, unless a completion is in progress', () => {
    expect(statusAt(sessionOf(), END_MS - 1)).toBe('pending');
    expect(statusAt(sessionOf(), END_MS)).toBe('expired');
    expect(statusAt(sessionOf({ busy: true }), END_MS)).toBe('pending');
    expect(statusAt(sessionOf({ status: 'completed' }), END_MS)).toBe('completed');
  });

  it.each([
    ['unknown', undefined, 0, 404],
    ['expired', sessionOf(), END_MS, 404],
    ['completed', sessionOf({ status: 'completed' }), 0, 400],
    ['cancelled', sessionOf({ status: 'cancelled' }), 0, 400],
    ['busy', sessionOf({ busy: true }), 0, 409],
  ])('reject a call for a session that is %s', (_, session, nowMs, status) => {
    expect(() => requirePending('upload_1', session, nowMs)).toThrow(expect.objectContaining({ status }));
  });

  it('count a Part that was sent twice only if the service is strict', () => {
    expect(roomOf(sessionOf({ receivedBytes: 7 }), true)).toBe(3);
    expect(roomOf(sessionOf({ receivedBytes: 7 }), false)).toBe(10);
  });

  it.each([
    ['a Part of another session', ['part_1', 'part_3']],
    ['a Part twice', ['part_1', 'part_1']],
    ['fewer bytes than the session has', ['part_1']],
  ])('reject a completion with %s', (_, partIds) => {
    expect(() => requireParts(sessionOf(), partIds)).toThrow(expect.objectContaining({ status: 400 }));
  });

  it('accept a completion with all Parts', () => {
    expect(() => requireParts(sessionOf(), ['part_2', 'part_1'])).not.toThrow();
  });
});
