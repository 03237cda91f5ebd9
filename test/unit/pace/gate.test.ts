import { describe, expect, it } from 'vitest';
import { AutoConcurrency } from '../../../src/core/pace/adaptive-concurrency.ts';
import { ApiError, TimeoutError } from '../../../src/errors.ts';
import type { PartWatch } from '../../../src/destinations/port.ts';
import { Gates } from '../../../src/pace/gate.ts';
import { PartWindow } from '../../../src/pace/window.ts';
import type { TransferSlots } from '../../../src/pace/slots.ts';

const { start } = AutoConcurrency;

function takeAll(window: PartWindow, count: number): Promise<PartWatch[]> {
  return Promise.all(Array.from({ length: count }, () => window.enter()));
}

/** Whether it is settled once everything that is ready has run. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  void promise.then(
    () => (settled = true),
    () => (settled = true),
  );
  await new Promise(setImmediate);
  return settled;
}

describe('PartWindow', () => {
  it('admits parts up to its size, then one for each finished part', async () => {
    const window = new PartWindow(AutoConcurrency, () => {});
    const taken = await takeAll(window, start);
    const order: string[] = [];
    const first = window.enter().then(() => order.push('first'));
    const second = window.enter().then(() => order.push('second'));
    expect(await isSettled(first)).toBe(false);
    taken[0]?.finished();
    await first;
    expect(await isSettled(second)).toBe(false);
    taken[1]?.finished();
    await second;
    expect(order).toEqual(['first', 'second']);
  });

  it('reserves no place for a part that was aborted while it waited', async () => {
    const window = new PartWindow(AutoConcurrency, () => {});
    const taken = await takeAll(window, start);
    const stop = new AbortController();
    const waits = window.enter(stop.signal);
    stop.abort();
    await expect(waits).rejects.toMatchObject({ code: 'ABORTED' });
    await expect(window.enter(stop.signal)).rejects.toMatchObject({ code: 'ABORTED' });
    for (const place of taken) place.finished();
    expect(window.isInUse).toBe(false);
  });

  it('halves after a 429, a 503 or a timeout', async () => {
    for (const error of [new ApiError('', { status: 429 }), new ApiError('', { status: 503 }), new TimeoutError('')]) {
      const window = new PartWindow(AutoConcurrency, () => {});
      const [place] = await takeAll(window, 1);
      place?.finished(error);
      expect(window.size).toBe(start / 2);
    }
  });

  it('keeps its size after any other failure', async () => {
    const window = new PartWindow(AutoConcurrency, () => {});
    const [place] = await takeAll(window, 1);
    place?.finished(new ApiError('', { status: 500 }));
    place?.finished(new Error('a fault of ours'));
    expect(window.size).toBe(start);
  });
});

describe('the slots of Gates', () => {
  const windowOf = (gates: Gates) => gates.createWindow();
  const reserveAll = (slots: TransferSlots) => {
    let count = 0;
    while (slots.tryReserveSlot()) count++;
    return count;
  };

  it('are the initial size of a window while nothing is sent', () => {
    const auto = new Gates({});
    windowOf(auto);
    expect(reserveAll(auto.createSlots())).toBe(start);
  });

  it('are the sum of the windows in use', async () => {
    const auto = new Gates({});
    const slots = auto.createSlots();
    const [one, other] = [windowOf(auto), windowOf(auto)];
    expect(reserveAll(slots)).toBe(start);
    const waits = slots.reserveSlot({}, new AbortController().signal);
    await one.enter();
    expect(await isSettled(waits)).toBe(false);
    await other.enter();
    await waits;
    expect(reserveAll(slots)).toBe(start - 1);
  });

  it('decrease with the window of a destination', async () => {
    const auto = new Gates({});
    const slots = auto.createSlots();
    const [place] = await takeAll(windowOf(auto), 2);
    place?.finished(new ApiError('', { status: 429 }));
    expect(reserveAll(slots)).toBe(start / 2);
  });

  it('share a fixed window between all destinations', async () => {
    const fixed = new Gates({ slots: 3 });
    const window = fixed.createWindow();
    expect(fixed.createWindow()).toBe(window);
    (await window.enter()).finished(new ApiError('', { status: 429 }));
    expect(window.size).toBe(3);
    expect(reserveAll(fixed.createSlots())).toBe(3);
  });

  it('are limited by the byte rate', () => {
    const limitBytesPerSecond = 256 * 1024;
    expect(reserveAll(new Gates({ limitBytesPerSecond }).createSlots())).toBe(2);
    expect(reserveAll(new Gates({ limitBytesPerSecond, slots: 5 }).createSlots())).toBe(2);
  });
});
