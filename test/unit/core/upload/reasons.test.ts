import { describe, expect, it } from 'vitest';
import { FailureType } from '../../../../src/contracts/failures.ts';
import { waitingReason } from '../../../../src/core/upload/reasons.ts';

describe('waitingReason', () => {
  it.each([
    [FailureType.ApiRejected, 401, /rejects the key/],
    [FailureType.ApiRejected, 402, /billing/],
    [FailureType.ApiRejected, 403, /no permission/],
    [FailureType.ApiRejected, 307, /base URL/],
    [FailureType.ApiRejected, 404, /base URL/],
    [FailureType.ApiRejected, 407, /proxy/],
    [FailureType.ApiRejected, 429, /quota/],
    [FailureType.ApiUnavailable, 503, /unavailable/],
    [FailureType.ConnectionFailed, undefined, /base URL, DNS, TLS/],
    [FailureType.TimedOut, undefined, /time out/],
    [FailureType.StrangeAnswer, undefined, /not those of the API/],
    [FailureType.SourceUnavailable, undefined, /disk or mount/],
    [FailureType.SourceMissing, undefined, /Restore it/],
    [FailureType.ConfigInvalid, undefined, /configuration/],
    [FailureType.ResultInvalid, undefined, /other programs/],
  ])('returns cause, fix and last error for %s with status %s', (failureType, status, words) => {
    const reason = waitingReason({ failureType, status, message: 'the message of the service' });
    expect(reason).toMatch(words);
    expect(reason).toContain('the message of the service');
  });

  it.each([
    [FailureType.ApiRejected, 400],
    [FailureType.ApiRejected, 413],
    [FailureType.ApiRejected, 422],
    [FailureType.ApiRejected, undefined],
    [FailureType.SourceChanged, undefined],
    [FailureType.SourceUnusable, undefined],
    [FailureType.SessionLost, 404],
    [FailureType.CompletionUncertain, 404],
    [FailureType.InvalidRequest, undefined],
    ['SomethingElse', undefined],
  ])('returns undefined for %s with status %s', (failureType, status) => {
    expect(waitingReason({ failureType, status, message: '' })).toBeUndefined();
  });
});
