import { describe, expect, it } from 'vitest';
import { TransferSlots } from '../../../src/pace/slots.ts';

const hash = { type: 'activity', activityType: 'hashSource' } as const;
const part = { type: 'activity', activityType: 'uploadPart' } as const;
const never = new AbortController().signal;

function take(slots: TransferSlots): number {
  let taken = 0;
  while (slots.tryReserveSlot()) taken++;
  return taken;
}

describe('the slots of a transfer worker', () => {
  it('are as many as the parts that can be sent', () => {
    const slots = new TransferSlots(3);
    expect(take(slots)).toBe(3);
    slots.markSlotUsed({ slotInfo: part });
    expect(take(slots)).toBe(0);
    slots.releaseSlot({ slotInfo: part });
    slots.releaseSlot({});
    expect(take(slots)).toBe(2);
  });

  it('are returned to the parts by MD5 activities, up to the number of slots', () => {
    const slots = new TransferSlots(2);
    expect(take(slots)).toBe(2);
    slots.markSlotUsed({ slotInfo: hash });
    slots.markSlotUsed({ slotInfo: hash });
    expect(take(slots)).toBe(2);
    slots.markSlotUsed({ slotInfo: hash });
    expect(take(slots)).toBe(0);
    slots.releaseSlot({ slotInfo: hash });
    expect(take(slots)).toBe(1);
  });

  it('are assigned to waiting polls in order, up to the number of free slots', async () => {
    const slots = new TransferSlots(1);
    await slots.reserveSlot({}, never);
    const order: number[] = [];
    const waits = [1, 2].map(async (name) => {
      await slots.reserveSlot({}, never);
      order.push(name);
    });
    slots.markSlotUsed({ slotInfo: hash });
    await waits[0];
    expect(order).toEqual([1]);
    slots.releaseSlot({ slotInfo: part });
    await Promise.all(waits);
    expect(order).toEqual([1, 2]);
  });

  it('are not assigned to an aborted poll', async () => {
    const slots = new TransferSlots(1);
    slots.tryReserveSlot();
    const stop = new AbortController();
    const waits = slots.reserveSlot({}, stop.signal);
    stop.abort();
    await expect(waits).rejects.toBe(stop.signal.reason);
    await expect(slots.reserveSlot({}, stop.signal)).rejects.toBe(stop.signal.reason);
    slots.releaseSlot({ slotInfo: part });
    expect(take(slots)).toBe(1);
  });
});
