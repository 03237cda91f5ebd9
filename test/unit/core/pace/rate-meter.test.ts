import { describe, expect, it } from 'vitest';
import { RateMeter } from '../../../../src/core/pace/rate-meter.ts';

describe('the rate meter', () => {
  it('has no rate before two measurements', () => {
    const meter = new RateMeter();
    expect(meter.bytesPerSecond).toBeUndefined();
    meter.add(100, 0);
    expect(meter.bytesPerSecond).toBeUndefined();
    meter.add(200, 0);
    expect(meter.bytesPerSecond).toBeUndefined();
  });

  it('measures bytes per second', () => {
    const meter = new RateMeter();
    meter.add(1000, 0);
    meter.add(4000, 2000);
    expect(meter.bytesPerSecond).toBe(1500);
  });

  it('ignores measurements before its window', () => {
    const meter = new RateMeter(1000);
    meter.add(0, 0);
    meter.add(1_000_000, 1000);
    for (const atMs of [2000, 3000, 4000]) meter.add(1_000_000 + atMs / 10, atMs);
    expect(meter.bytesPerSecond).toBe(100);
  });

  it('falls to zero in a stall', () => {
    const meter = new RateMeter(1000);
    meter.add(0, 0);
    for (const atMs of [500, 1000, 1500, 2000, 2500]) meter.add(500, atMs);
    expect(meter.bytesPerSecond).toBe(0);
  });

  it('restarts if the bytes decrease, as after the loss of a session', () => {
    const meter = new RateMeter();
    meter.add(0, 0);
    meter.add(5000, 1000);
    meter.add(10, 2000);
    expect(meter.bytesPerSecond).toBeUndefined();
    meter.add(60, 3000);
    expect(meter.bytesPerSecond).toBe(50);
  });

  it('keeps only the measurements within its window', () => {
    const meter = new RateMeter(100);
    for (let atMs = 0; atMs <= 10_000; atMs += 10) meter.add(atMs, atMs);
    expect(meter.bytesPerSecond).toBe(1000);
  });
});
