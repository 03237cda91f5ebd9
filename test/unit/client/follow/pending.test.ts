import { defaultPayloadConverter } from '@temporalio/client';
import { describe, expect, it } from 'vitest';
import { partsUnderWay, pausedActivityOf } from '../../../../src/client/follow/pending.ts';

type Pending = Parameters<typeof partsUnderWay>[0][number];

/** A timestamp as in Temporal's responses. Only `Number(seconds)` is used. */
const at = (ms: number) =>
  ({ seconds: Math.floor(ms / 1000), nanos: (ms % 1000) * 1e6 }) as unknown as NonNullable<Pending['lastStartedTime']>;

function part(details: unknown, times: { startedMs: number; beatMs?: number }): Pending {
  return {
    activityType: { name: 'uploadPart' },
    attempt: 1,
    heartbeatDetails: { payloads: [defaultPayloadConverter.toPayload(details)] },
    lastStartedTime: at(times.startedMs),
    lastHeartbeatTime: times.beatMs === undefined ? null : at(times.beatMs),
  };
}

function failed(attempt: number, name: string, type: string, message: string): Pending {
  return { activityType: { name }, attempt, lastFailure: { message, applicationFailureInfo: { type } } };
}

describe('partsUnderWay', () => {
  it('returns nothing without activities', () => {
    expect(partsUnderWay([])).toEqual({ bytesUnderWay: 0 });
  });

  it('sums the bytes of the heartbeats of parts', () => {
    const pending = [
      part({ bytesSent: 100 }, { startedMs: 1000, beatMs: 2000 }),
      part({ bytesSent: 20 }, { startedMs: 1000, beatMs: 1500 }),
    ];
    expect(partsUnderWay(pending)).toEqual({ bytesUnderWay: 120 });
  });

  it('ignores the heartbeat of an earlier attempt', () => {
    expect(partsUnderWay([part({ bytesSent: 100 }, { startedMs: 2500, beatMs: 2400 })]).bytesUnderWay).toBe(0);
    expect(partsUnderWay([part({ bytesSent: 100 }, { startedMs: 2400, beatMs: 2500 })]).bytesUnderWay).toBe(100);
  });

  it('ignores a part without a heartbeat', () => {
    expect(partsUnderWay([{ activityType: { name: 'uploadPart' } }]).bytesUnderWay).toBe(0);
    expect(partsUnderWay([part({ bytesSent: 100 }, { startedMs: 1000 })]).bytesUnderWay).toBe(0);
  });

  it.each([null, 'x', {}, { bytesSent: '5' }])('ignores a heartbeat in another form: %j', (details) => {
    expect(partsUnderWay([part(details, { startedMs: 1000, beatMs: 2000 })]).bytesUnderWay).toBe(0);
  });

  it('does not count the bytes that the MD5 activity has read', () => {
    const hashing = { ...part({ bytesSent: 100 }, { startedMs: 1, beatMs: 2 }), activityType: { name: 'hashSource' } };
    expect(partsUnderWay([hashing]).bytesUnderWay).toBe(0);
  });

  it('returns the failure with the most attempts', () => {
    const pending = [
      failed(2, 'uploadPart', 'TimedOut', 'slow'),
      failed(7, 'completeUpload', 'ApiUnavailable', 'busy'),
      failed(3, 'uploadPart', 'ConnectionFailed', 'gone'),
    ];
    expect(partsUnderWay(pending).trouble).toEqual({
      activity: 'completeUpload',
      attempt: 7,
      failureType: 'ApiUnavailable',
      message: 'busy',
    });
  });

  it('returns no failure for a first attempt, or for a later one without a failure', () => {
    expect(partsUnderWay([failed(1, 'uploadPart', 'TimedOut', 'slow')]).trouble).toBeUndefined();
    expect(partsUnderWay([{ activityType: { name: 'uploadPart' }, attempt: 4 }]).trouble).toBeUndefined();
  });

  it('accepts a failure with missing properties', () => {
    expect(partsUnderWay([{ attempt: 2, lastFailure: {} }]).trouble).toEqual({
      activity: '',
      attempt: 2,
      failureType: '',
      message: '',
    });
  });
});

it('pausedActivityOf quotes an ID with spaces in the command that continues the activity', () => {
  const pending = [{ activityId: '7', activityType: { name: 'uploadPart' }, paused: true }];
  expect(pausedActivityOf('my job', pending)?.reason).toBe(
    `the activity uploadPart is paused in Temporal. Run "temporal activity unpause --workflow-id 'my job' --activity-id 7".`,
  );
});
