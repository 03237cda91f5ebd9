import { createHash, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { HashCheckpoint } from '../../../../src/contracts/activities.ts';
import { Md5State } from '../../../../src/sources/digest/md5-state.ts';

const md5Of = (content: Uint8Array) => createHash('md5').update(content).digest('hex');

test('an MD5 that stops and resumes at any offsets equals that of node:crypto', () => {
  const content = randomBytes(300_000);
  fc.assert(
    fc.property(fc.array(fc.nat(content.byteLength), { maxLength: 5 }), (stops) => {
      let state = new Md5State(undefined, content.byteLength);
      for (const stop of stops.toSorted((a, b) => a - b)) {
        state.update(content.subarray(state.offsetBytes, stop));
        const checkpoint = JSON.parse(JSON.stringify(state.checkpoint())) as HashCheckpoint;
        state = new Md5State(checkpoint, content.byteLength);
        expect(state.offsetBytes).toBe(stop);
      }
      state.update(content.subarray(state.offsetBytes));
      expect(state.digest()).toBe(md5Of(content));
    }),
    { numRuns: 50 },
  );
});

test('content of any length, in chunks of any length and alignment, has the MD5 of node:crypto', () => {
  const slab = randomBytes(2000);
  for (let sizeBytes = 0; sizeBytes <= 200; sizeBytes++) {
    const content = slab.subarray(sizeBytes, 2 * sizeBytes);
    for (const chunkBytes of [1, 3, 63, 64, 65, 200]) {
      const state = new Md5State(undefined, sizeBytes);
      for (let at = 0; at < sizeBytes; at += chunkBytes) state.update(content.subarray(at, at + chunkBytes));
      expect(state.digest()).toBe(md5Of(content));
    }
  }
});

test('resumes from a state of an earlier version, after more bytes than 32 bits can count in bits', () => {
  // A GiB of zeros, whose md5 `md5sum` tells.
  const checkpoint = { offsetBytes: 2 ** 30, state: 'bWQ1AdZ0+8AfVOVgdwUJdeDMW2g=' };
  expect(new Md5State(checkpoint, 2 ** 30).digest()).toBe('cd573cfaace07e7949bc0c46028904ff');
});

test('a checkpoint is small enough for a heartbeat', () => {
  const state = new Md5State(undefined, 63);
  state.update(randomBytes(63));
  expect(JSON.stringify(state.checkpoint()).length).toBeLessThan(200);
});

test.each([
  { offsetBytes: 5, state: 'bm8gc3RhdGU=' },
  { offsetBytes: 5, state: '' },
  // Cut, or of another offset.
  { offsetBytes: 64, state: 'bWQ1AdZ0+8AfVOVgdwUJdeDM' },
  { offsetBytes: 5, state: 'bWQ1AdZ0+8AfVOVgdwUJdeDMW2g=' },
  // As hash-wasm saves it.
  {
    offsetBytes: 5,
    state: `3DAx3wUAAAAAAAAAASNFZ4mrze/+3LqYdlQyEGFiY2Rl${'A'.repeat(163)}`,
  },
  { offsetBytes: -1, state: 'bWQ1AdZ0+8AfVOVgdwUJdeDMW2g=' },
  { offsetBytes: 2 ** 30, state: 'bWQ1AdZ0+8AfVOVgdwUJdeDMW2g=' },
])('restarts if a checkpoint is unusable: $offsetBytes $state', (checkpoint) => {
  const content = Buffer.from('abcdef'.repeat(20));
  const state = new Md5State(checkpoint, content.byteLength);
  expect(state.offsetBytes).toBe(0);
  state.update(content);
  expect(state.digest()).toBe(md5Of(content));
});
