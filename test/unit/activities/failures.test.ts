import { ApplicationFailure, ApplicationFailureCategory, CancelledFailure } from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import { toApplicationFailure, workerStopping } from '../../../activities/failures.ts';
import { FailureType } from '../../../src/contracts/failures.ts';
import {
  AbortedError,
  ApiError,
  ConfigError,
  ConnectionError,
  type LonghaulError,
  SourceChangedError,
  SourceUnusableError,
  StrangeAnswerError,
  TimeoutError,
} from '../../../src/errors.ts';

const facts = { attempt: 3 };

describe('toApplicationFailure', () => {
  it.each<[LonghaulError, FailureType, boolean]>([
    [new ConnectionError('m.'), FailureType.ConnectionFailed, false],
    [new TimeoutError('m.'), FailureType.TimedOut, false],
    [new StrangeAnswerError('m.'), FailureType.StrangeAnswer, false],
    [new ConfigError('m.'), FailureType.ConfigInvalid, true],
    [new SourceChangedError('m.'), FailureType.SourceChanged, true],
    [new SourceUnusableError('m.'), FailureType.SourceUnusable, true],
    [new AbortedError('m.'), FailureType.TimedOut, true],
  ])('maps %s to %s', (error, type, nonRetryable) => {
    const failure = toApplicationFailure(error, facts);
    expect(failure).toBeInstanceOf(ApplicationFailure);
    expect(failure).toMatchObject({ type, nonRetryable, message: 'm.', details: [{ attempt: 3 }] });
  });

  it.each([
    [400, FailureType.ApiRejected, true],
    [401, FailureType.ApiRejected, true],
    [404, FailureType.ApiRejected, true],
    [408, FailureType.ApiUnavailable, false],
    [409, FailureType.ApiUnavailable, false],
    [413, FailureType.ApiRejected, true],
    [425, FailureType.ApiUnavailable, false],
    [429, FailureType.ApiUnavailable, false],
    [500, FailureType.ApiUnavailable, false],
    [503, FailureType.ApiUnavailable, false],
  ])('maps the status %d to %s', (status, type, nonRetryable) => {
    expect(toApplicationFailure(new ApiError('m', { status }), facts)).toMatchObject({ type, nonRetryable });
  });

  it('contains the details of the response of the service', () => {
    const error = new ApiError('m', { status: 400, requestId: 'req-1', apiCode: 'bad', apiMessage: 'no' });
    expect(toApplicationFailure(error, facts)).toMatchObject({
      details: [{ attempt: 3, status: 400, requestId: 'req-1', apiCode: 'bad' }],
    });
    expect(toApplicationFailure(new ApiError('m', { status: 500 }), facts)).toMatchObject({
      details: [{ attempt: 3, status: 500 }],
    });
  });

  it('omits a retry delay of 0, with which Temporal would never retry', () => {
    const atOnce = toApplicationFailure(new ApiError('m', { status: 429, retryAfterMs: 0 }), facts);
    expect(atOnce).toMatchObject({ type: FailureType.ApiUnavailable, nonRetryable: false });
    expect((atOnce as ApplicationFailure).nextRetryDelay).toBeUndefined();
  });

  it('delays the next attempt by the pause that the service requests', () => {
    const later = toApplicationFailure(new ApiError('m', { status: 429, retryAfterMs: 1500 }), facts);
    const whenever = toApplicationFailure(new ApiError('m', { status: 429 }), facts);
    expect(later).toMatchObject({ nextRetryDelay: 1500 });
    expect((whenever as ApplicationFailure).nextRetryDelay).toBeUndefined();
  });

  it.each([ApplicationFailure.nonRetryable('m'), new CancelledFailure('m'), new TypeError('m')])(
    'returns an error of another library unchanged: %s',
    (error) => {
      expect(toApplicationFailure(error, facts)).toBe(error);
    },
  );

  it('converts any other thrown value to an Error', () => {
    expect(toApplicationFailure('oops', facts)).toEqual(new Error('oops'));
  });
});

describe('workerStopping', () => {
  it('releases the work of a worker that shuts down for an immediate retry', () => {
    expect(workerStopping()).toMatchObject({
      type: FailureType.WorkerStopping,
      nonRetryable: false,
      nextRetryDelay: '10ms',
      category: ApplicationFailureCategory.BENIGN,
    });
  });
});
