import { createHash, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Md5 } from '../../../../src/sources/digest/md5.ts';

const md5Of = (content: Uint8Array) => createHash('md5').update(content).digest('hex');

test('an MD5 that stops and resumes at any offsets equals that of node:crypto', () => {
  const content = randomBytes(300_000);
  fc.assert(
    fc.property(fc.array(fc.nat(content.byteLength), { maxLength: 5 }), (stops) => {
      let state = new Md5();
      for (const stop of stops.toSorted((a, b) => a - b)) {
        state.update(content.subarray(state.offsetBytes, stop));
        const saved = state.save();
        state = new Md5();
        expect(state.load(saved, stop)).toBe(true);
        expect(state.offsetBytes).toBe(stop);
      }
      state.update(content.subarray(state.offsetBytes));
      expect(state.end()).toBe(md5Of(content));
    }),
    { numRuns: 50 },
  );
});

test('content of any length, in chunks of any length and alignment, has the MD5 of node:crypto', () => {
  const slab = randomBytes(2000);
  for (let sizeBytes = 0; sizeBytes <= 200; sizeBytes++) {
    const content = slab.subarray(sizeBytes, 2 * sizeBytes);
    for (const chunkBytes of [1, 3, 63, 64, 65, 200]) {
      const state = new Md5();
      for (let at = 0; at < sizeBytes; at += chunkBytes) state.update(content.subarray(at, at + chunkBytes));
      expect(state.end()).toBe(md5Of(content));
    }
  }
});

test('resumes from a state of an earlier version, after more bits than a 32-bit number can count', () => {
  // 1 GiB of zeros, with the MD5 of `md5sum`.
  const state = new Md5();
  expect(state.load('bWQ1AdZ0+8AfVOVgdwUJdeDMW2g=', 2 ** 30)).toBe(true);
  expect(state.end()).toBe('cd573cfaace07e7949bc0c46028904ff');
});

test('a state is small enough for a heartbeat', () => {
  const state = new Md5();
  state.update(randomBytes(63));
  expect(state.save().length).toBeLessThan(200);
});
