import { describe, expect, it } from 'vitest';
import { FailureType } from '../../../../src/contracts/failures.ts';
import { waitingReason } from '../../../../src/core/upload/reasons.ts';

describe('a reason to wait', () => {
  it.each([
    [FailureType.ApiRejected, 401, /refuses the key/],
    [FailureType.ApiRejected, 402, /billing/],
    [FailureType.ApiRejected, 403, /not allowed/],
    [FailureType.ApiRejected, 307, /base URL/],
    [FailureType.ApiRejected, 404, /base URL/],
    [FailureType.ApiRejected, 407, /proxy/],
    [FailureType.ApiRejected, 429, /quota/],
    [FailureType.ApiUnavailable, 503, /not ready/],
    [FailureType.ConnectionFailed, undefined, /base URL, DNS, TLS/],
    [FailureType.TimedOut, undefined, /nothing moves/],
    [FailureType.StrangeAnswer, undefined, /not those of the API/],
    [FailureType.SourceUnavailable, undefined, /disk or mount/],
    [FailureType.SourceMissing, undefined, /bring it back/],
    [FailureType.ConfigInvalid, undefined, /configuration/],
  ])('is %s with status %s, which a person can repair', (failureType, status, words) => {
    const reason = waitingReason({ failureType, status, message: 'the words of the service' });
    expect(reason).toMatch(words);
    expect(reason).toContain('the words of the service');
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
  ])('is not %s with status %s, which nobody can', (failureType, status) => {
    expect(waitingReason({ failureType, status, message: '' })).toBeUndefined();
  });
});
