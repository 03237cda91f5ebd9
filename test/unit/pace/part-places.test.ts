import { describe, expect, it } from 'vitest';
import { AutoConcurrency } from '../../../src/core/pace/adaptive-concurrency.ts';
import { ApiError, TimeoutError } from '../../../src/errors.ts';
import type { PartPlace } from '../../../src/destinations/openai.ts';
import { PartPlaces } from '../../../src/pace/part-places.ts';
import { PartTraffic } from '../../../src/pace/part-traffic.ts';
import type { TransferSlots } from '../../../src/pace/slots.ts';

const { start } = AutoConcurrency;

function takeAll(places: PartPlaces, count: number): Promise<PartPlace[]> {
  return Promise.all(Array.from({ length: count }, () => places.take()));
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

describe('the places of a destination', () => {
  it('are given out to the limit, and then one by one as others leave', async () => {
    const places = new PartPlaces(AutoConcurrency, () => {});
    const taken = await takeAll(places, start);
    const order: string[] = [];
    const first = places.take().then(() => order.push('first'));
    const second = places.take().then(() => order.push('second'));
    expect(await isSettled(first)).toBe(false);
    taken[0]?.leave();
    await first;
    expect(await isSettled(second)).toBe(false);
    taken[1]?.leave();
    await second;
    expect(order).toEqual(['first', 'second']);
  });

  it('are not kept for one that was aborted while it waited', async () => {
    const places = new PartPlaces(AutoConcurrency, () => {});
    const taken = await takeAll(places, start);
    const stop = new AbortController();
    const waits = places.take(stop.signal);
    stop.abort();
    await expect(waits).rejects.toMatchObject({ code: 'ABORTED' });
    await expect(places.take(stop.signal)).rejects.toMatchObject({ code: 'ABORTED' });
    for (const place of taken) place.leave();
    expect(places.isInUse).toBe(false);
  });

  it('are half as many after a destination has said that it has too much to do, or took too long', async () => {
    for (const error of [new ApiError('', { status: 429 }), new ApiError('', { status: 503 }), new TimeoutError('')]) {
      const places = new PartPlaces(AutoConcurrency, () => {});
      const [place] = await takeAll(places, 1);
      place?.failed(error);
      expect(places.count).toBe(start / 2);
    }
  });

  it('are as many as before after any other failure', async () => {
    const places = new PartPlaces(AutoConcurrency, () => {});
    const [place] = await takeAll(places, 1);
    place?.failed(new ApiError('', { status: 500 }));
    place?.failed(new Error('a fault of ours'));
    expect(places.count).toBe(start);
  });
});

describe('slots of a worker that follow the destinations', () => {
  const placesOf = (traffic: PartTraffic) => traffic.createPlaces();
  const reserveAll = (slots: TransferSlots) => {
    let count = 0;
    while (slots.tryReserveSlot()) count++;
    return count;
  };

  it('are those of a destination at its start while nothing is sent', () => {
    const auto = new PartTraffic({});
    placesOf(auto);
    expect(reserveAll(auto.createSlots())).toBe(start);
  });

  it('are as many as all destinations in use take, and given out as soon as they are', async () => {
    const auto = new PartTraffic({});
    const slots = auto.createSlots();
    const [one, other] = [placesOf(auto), placesOf(auto)];
    expect(reserveAll(slots)).toBe(start);
    const waits = slots.reserveSlot({}, new AbortController().signal);
    await one.take();
    expect(await isSettled(waits)).toBe(false);
    await other.take();
    await waits;
    expect(reserveAll(slots)).toBe(start - 1);
  });

  it('become fewer when a destination takes less', async () => {
    const auto = new PartTraffic({});
    const slots = auto.createSlots();
    const place = await placesOf(auto).take();
    place.failed(new ApiError('', { status: 429 }));
    expect(reserveAll(slots)).toBe(start / 2);
  });

  it('have a fixed number that all destinations share, whatever a destination takes', async () => {
    const fixed = new PartTraffic({ slots: 3 });
    const places = fixed.createPlaces();
    expect(fixed.createPlaces()).toBe(places);
    (await places.take()).failed(new ApiError('', { status: 429 }));
    expect(places.count).toBe(3);
    expect(reserveAll(fixed.createSlots())).toBe(3);
  });

  it('are no more than a limit can feed', () => {
    const limitBytesPerSecond = 256 * 1024;
    expect(reserveAll(new PartTraffic({ limitBytesPerSecond }).createSlots())).toBe(2);
    expect(reserveAll(new PartTraffic({ limitBytesPerSecond, slots: 5 }).createSlots())).toBe(2);
  });
});
