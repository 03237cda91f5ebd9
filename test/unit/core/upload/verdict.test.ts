import { describe, expect, it } from 'vitest';
import { FailureType } from '../../../../src/contracts/failures.ts';
import { isSessionLost, type SessionEvidence } from '../../../../src/core/upload/verdict.ts';

const fresh: SessionEvidence = {
  failureType: FailureType.ApiRejected,
  status: 400,
  partsTaken: 0,
  resent: false,
  nowMs: 100,
  endsAtMs: 3700,
};

describe('whether a new session can help', () => {
  it('is certain when the session is known to be gone', () => {
    expect(isSessionLost({ ...fresh, failureType: FailureType.SessionLost })).toBe(true);
    expect(isSessionLost({ ...fresh, failureType: FailureType.SessionLost, status: undefined })).toBe(true);
  });

  it('is false for a 400 that only the request explains', () => {
    expect(isSessionLost(fresh)).toBe(false);
  });

  it.each([
    ['the session took parts before', { partsTaken: 1 }],
    ['a part may have arrived twice', { resent: true }],
    ['its time is over', { nowMs: 3700 }],
  ])('is yes for a 400 when %s', (_, evidence) => {
    expect(isSessionLost({ ...fresh, ...evidence })).toBe(true);
  });

  it.each([401, 403, 413, 422, undefined])('is always false for status %s', (status) => {
    expect(isSessionLost({ ...fresh, status, partsTaken: 5, resent: true, nowMs: 9999 })).toBe(false);
  });

  it.each([FailureType.SourceChanged, FailureType.ConfigInvalid, FailureType.CompletionUncertain, ''])(
    'is false for another kind of failure: %j',
    (failureType) => {
      expect(isSessionLost({ ...fresh, failureType, partsTaken: 5 })).toBe(false);
    },
  );
});
