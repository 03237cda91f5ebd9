import { defaultPayloadConverter } from '@temporalio/client';
import { describe, expect, it } from 'vitest';
import { partsUnderWay } from '../../../../src/client/follow/pending.ts';

type Pending = Parameters<typeof partsUnderWay>[0][number];

/** A timestamp as Temporal's answers hold it; only `Number(seconds)` is looked at. */
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
  it('knows nothing of nothing', () => {
    expect(partsUnderWay([])).toEqual({ bytesUnderWay: 0 });
  });

  it('adds the bytes that parts told', () => {
    const pending = [
      part({ bytesSent: 100 }, { startedMs: 1000, beatMs: 2000 }),
      part({ bytesSent: 20 }, { startedMs: 1000, beatMs: 1500 }),
    ];
    expect(partsUnderWay(pending)).toEqual({ bytesUnderWay: 120 });
  });

  it('leaves out what an earlier attempt told', () => {
    expect(partsUnderWay([part({ bytesSent: 100 }, { startedMs: 2500, beatMs: 2400 })]).bytesUnderWay).toBe(0);
    expect(partsUnderWay([part({ bytesSent: 100 }, { startedMs: 2400, beatMs: 2500 })]).bytesUnderWay).toBe(100);
  });

  it('leaves out a part that told nothing', () => {
    expect(partsUnderWay([{ activityType: { name: 'uploadPart' } }]).bytesUnderWay).toBe(0);
    expect(partsUnderWay([part({ bytesSent: 100 }, { startedMs: 1000 })]).bytesUnderWay).toBe(0);
  });

  it.each([null, 'x', {}, { bytesSent: '5' }])('takes details of another form for nothing told: %j', (details) => {
    expect(partsUnderWay([part(details, { startedMs: 1000, beatMs: 2000 })]).bytesUnderWay).toBe(0);
  });

  it("doesn't count what the md5 has read", () => {
    const hashing = { ...part({ bytesSent: 100 }, { startedMs: 1, beatMs: 2 }), activityType: { name: 'hashSource' } };
    expect(partsUnderWay([hashing]).bytesUnderWay).toBe(0);
  });

  it('tells the failure that was repeated most often', () => {
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

  it('tells no trouble of a first attempt, nor of a later one without a failure', () => {
    expect(partsUnderWay([failed(1, 'uploadPart', 'TimedOut', 'slow')]).trouble).toBeUndefined();
    expect(partsUnderWay([{ activityType: { name: 'uploadPart' }, attempt: 4 }]).trouble).toBeUndefined();
  });

  it('lives with a failure of which little is known', () => {
    expect(partsUnderWay([{ attempt: 2, lastFailure: {} }]).trouble).toEqual({
      activity: '',
      attempt: 2,
      failureType: '',
      message: '',
    });
  });
});
