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

describe('isSessionLost', () => {
  it('is true if the failure reports a lost session', () => {
    expect(isSessionLost({ ...fresh, failureType: FailureType.SessionLost })).toBe(true);
    expect(isSessionLost({ ...fresh, failureType: FailureType.SessionLost, status: undefined })).toBe(true);
  });

  it('is false for a 400 that only the request can have caused', () => {
    expect(isSessionLost(fresh)).toBe(false);
  });

  it.each([
    ['the session already accepted parts', { partsTaken: 1 }],
    ['a part might have arrived twice', { resent: true }],
    ['the lifetime of the session is over', { nowMs: 3700 }],
  ])('is true for a 400 if %s', (_, evidence) => {
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
