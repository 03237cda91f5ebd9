import { createHash, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createMd5State } from '../../../src/sources/md5-state.ts';

const md5Of = (content: Uint8Array) => createHash('md5').update(content).digest('hex');

test('an md5 that stops and goes on any number of times, at any offsets, is the one of node:crypto', async () => {
  const content = randomBytes(300_000);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(content.byteLength), { maxLength: 5 }), async (stops) => {
      let state = await createMd5State(undefined, content.byteLength);
      for (const stop of stops.toSorted((a, b) => a - b)) {
        state.update(content.subarray(state.offsetBytes, stop));
        const checkpoint: unknown = JSON.parse(JSON.stringify(state.checkpoint()));
        state = await createMd5State(checkpoint as ReturnType<typeof state.checkpoint>, content.byteLength);
        expect(state.offsetBytes).toBe(stop);
      }
      state.update(content.subarray(state.offsetBytes));
      expect(state.digest()).toBe(md5Of(content));
    }),
    { numRuns: 50 },
  );
});

test('a checkpoint is small enough for a heartbeat', async () => {
  const state = await createMd5State(undefined, 1);
  expect(JSON.stringify(state.checkpoint()).length).toBeLessThan(300);
});

test.each([
  { offsetBytes: 5, state: 'bm8gc3RhdGU=' },
  { offsetBytes: 5, state: '' },
  { offsetBytes: -1, state: 'bm8gc3RhdGU=' },
  { offsetBytes: 1e9, state: 'bm8gc3RhdGU=' },
])('begins again from a checkpoint that is of no use: $offsetBytes $state', async (checkpoint) => {
  const content = Buffer.from('abcdef');
  const state = await createMd5State(checkpoint, content.byteLength);
  expect(state.offsetBytes).toBe(0);
  state.update(content);
  expect(state.digest()).toBe(md5Of(content));
});
