import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AttributeUpdates, type AttributeValues } from '../../../../src/core/show/attributes.ts';

const begun: AttributeValues = {
  state: 'uploading',
  reason: null,
  destination: 'default',
  purpose: 'batch',
  filename: 'train.jsonl',
  fileId: null,
  bytes: 1000,
  bytesDone: 0,
  percent: 0,
  endsTooEarly: false,
};

function at(bytesDone: number, changes: Partial<AttributeValues> = {}): AttributeValues {
  return { ...begun, bytesDone, percent: bytesDone / 10, ...changes };
}

describe('the search attributes of an upload', () => {
  it('are set at the start, except values that the workflow already has', () => {
    expect(new AttributeUpdates({}).next(begun, false)).toEqual(
      Object.fromEntries(Object.entries(begun).filter(([, value]) => value !== null)),
    );
    const carried = new AttributeUpdates({ state: 'inspecting', purpose: 'batch', destination: 'default' });
    const rest = { state: 'uploading', filename: 'train.jsonl', bytes: 1000, bytesDone: 0, percent: 0 };
    expect(carried.next(begun, false)).toEqual({ ...rest, endsTooEarly: false });
    expect(new AttributeUpdates(begun).next(begun, true)).toEqual({});
  });

  it('change with each 5% of the bytes', () => {
    const updates = new AttributeUpdates(begun);
    expect(updates.next(at(49), false)).toEqual({});
    expect(updates.next(at(50), false)).toEqual({ bytesDone: 50, percent: 5 });
    expect(updates.next(at(99), false)).toEqual({});
    expect(updates.next(at(120), false)).toEqual({ bytesDone: 120, percent: 12 });
  });

  it('change immediately with the state, the reason or the File, with the exact progress', () => {
    const updates = new AttributeUpdates(begun);
    const waiting = at(1, { state: 'waiting', reason: 'ApiRejected' });
    expect(updates.next(waiting, false)).toEqual({
      state: 'waiting',
      reason: 'ApiRejected',
      bytesDone: 1,
      percent: 0.1,
    });
    expect(updates.next({ ...waiting, reason: 'TimedOut' }, false)).toEqual({ reason: 'TimedOut' });
    expect(updates.next(at(1), false)).toEqual({ state: 'uploading', reason: null });
    expect(updates.next(at(1, { fileId: 'file-1' }), false)).toEqual({ fileId: 'file-1' });
  });

  it('have the exact progress when no more bytes are sent', () => {
    const updates = new AttributeUpdates(at(0, { state: 'paused' }));
    expect(updates.next(at(3, { state: 'paused' }), false)).toEqual({});
    expect(updates.next(at(3, { state: 'paused' }), true)).toEqual({ bytesDone: 3, percent: 0.3 });
  });

  it('report a session that expires too early immediately once, and then with the progress', () => {
    const updates = new AttributeUpdates(begun);
    expect(updates.next(at(1, { endsTooEarly: true }), false)).toMatchObject({ endsTooEarly: true });
    expect(updates.next(at(2), false)).toEqual({});
    expect(updates.next(at(60), false)).toMatchObject({ endsTooEarly: false });
    expect(updates.next(at(61, { endsTooEarly: true }), false)).toEqual({});
    expect(updates.next(at(120, { endsTooEarly: true }), false)).toMatchObject({ endsTooEarly: true });
    expect(updates.next(at(0, { state: 'creating' }), false)).toMatchObject({ endsTooEarly: false, bytesDone: 0 });
    expect(updates.next(at(1, { state: 'creating', endsTooEarly: true }), false)).toMatchObject({ endsTooEarly: true });
  });

  it('accept the incomplete properties of an invalid request', () => {
    const updates = new AttributeUpdates({ state: 'inspecting' });
    expect(updates.next({ state: 'failed', reason: 'InvalidRequest' }, false)).toEqual({
      state: 'failed',
      reason: 'InvalidRequest',
    });
    expect(updates.next({ state: 'failed', bytesDone: 3 }, false)).toMatchObject({ bytesDone: 3 });
  });

  it('change at most 21 times because of progress', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ grows: fc.integer({ min: 0, max: 30 }), endsTooEarly: fc.boolean() }), { maxLength: 500 }),
        (parts) => {
          const updates = new AttributeUpdates(begun);
          let [bytesDone, told] = [0, 0];
          for (const { grows, endsTooEarly } of parts) {
            bytesDone = Math.min(bytesDone + grows, 1000);
            if (Object.keys(updates.next(at(bytesDone, { endsTooEarly }), false)).length > 0) told++;
          }
          expect(told).toBeLessThanOrEqual(21);
        },
      ),
    );
  });
});
