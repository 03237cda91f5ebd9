import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HashCheckpoint } from '../../../../src/contracts/content.ts';
import { Md5 } from '../../../../src/sources/digest/md5.ts';
import { Sha256 } from '../../../../src/sources/digest/sha256.ts';
import { hashReader } from '../../../../src/sources/digest/hash-reader.ts';
import { pass, type PassCheckpoint, type PassListener } from '../../../../src/sources/digest/pass.ts';
import type { SourceReader } from '../../../../src/sources/source-reader.ts';
import { memoryReader } from '../../../support/memory-reader.ts';

const CHUNK_BYTES = 64;
const md5 = (content: Buffer) => createHash('md5').update(content).digest('hex');
const sha256 = (content: Buffer) => createHash('sha256').update(content).digest('hex');

/** A source whose content and identity a test can replace while its fingerprint stays the same. */
function source(content: Buffer) {
  const state = { content, identity: 'first', onRead: () => {} };
  const reader: SourceReader = {
    stat: async () => ({ sizeBytes: state.content.byteLength, fingerprint: 'f' }),
    read: async (buffer, offsetBytes) => {
      state.onRead();
      return state.content.copy(buffer, 0, offsetBytes);
    },
    identity: () => state.identity,
    close: async () => {},
  };
  const hash = (options: { resumeFrom?: HashCheckpoint; isStopping?: () => boolean; sha256?: true } = {}) =>
    hashReader(reader, {
      fingerprint: 'f',
      sizeBytes: content.byteLength,
      chunkBytes: CHUNK_BYTES,
      checkpointEveryMs: 0,
      onCheckpoint: () => {},
      isStopping: () => false,
      ...options,
    });
  return { state, hash };
}

describe('hashReader', () => {
  const [before, after] = [Buffer.alloc(1000, 'a'), Buffer.alloc(1000, 'b')];

  it('continues from a checkpoint of the same identity', async () => {
    const { hash, state } = source(before);
    const stopped = await hash({ isStopping: () => true });
    if (!('checkpoint' in stopped)) throw new Error('it did not stop');
    expect(stopped.checkpoint).toMatchObject({ offsetBytes: CHUNK_BYTES, identity: 'first' });
    let reads = 0;
    state.onRead = () => reads++;
    expect(await hash({ resumeFrom: stopped.checkpoint })).toEqual({ md5: md5(before) });
    expect(reads).toBe(Math.ceil(1000 / CHUNK_BYTES) - 1);
  });

  it('computes the SHA-256 in the same pass, and reads the source from the start after an interruption', async () => {
    const { hash, state } = source(before);
    let reads = 0;
    state.onRead = () => reads++;
    const all = { md5: md5(before), sha256: sha256(before) };
    expect(await hash({ sha256: true })).toEqual(all);
    expect(reads).toBe(Math.ceil(1000 / CHUNK_BYTES));
    let left = 5;
    const stopped = await hash({ sha256: true, isStopping: () => --left === 0 });
    if (!('checkpoint' in stopped)) throw new Error('it did not stop');
    expect(stopped.checkpoint.offsetBytes).toBe(5 * CHUNK_BYTES);
    const again = await hash({ sha256: true, resumeFrom: stopped.checkpoint, isStopping: () => true });
    // The MD5 keeps its progress.
    expect(again).toEqual(stopped);
    expect(await hash({ sha256: true, resumeFrom: stopped.checkpoint })).toEqual(all);
    expect(await hash({ resumeFrom: stopped.checkpoint })).toEqual({ md5: md5(before) });
  });

  it('restarts if the identity of the source differs from the checkpoint, so that no digest is mixed', async () => {
    const { hash, state } = source(before);
    const stopped = await hash({ isStopping: () => true });
    if (!('checkpoint' in stopped)) throw new Error('it did not stop');
    Object.assign(state, { content: after, identity: 'second' });
    expect(await hash({ resumeFrom: stopped.checkpoint })).toEqual({ md5: md5(after) });
  });

  it('repeats a pass during which the identity changed, and fails if it changes each time', async () => {
    const { hash, state } = source(before);
    let reads = 0;
    state.onRead = () => {
      if (++reads === 5) Object.assign(state, { content: after, identity: 'second' });
    };
    expect(await hash()).toEqual({ md5: md5(after) });
    state.onRead = () => Object.assign(state, { identity: `${reads++}` });
    await expect(hash()).rejects.toMatchObject({ code: 'SOURCE_READ_FAILED' });
  });

  it.each([
    { offsetBytes: 5, state: 'bm8gc3RhdGU=' },
    { offsetBytes: 5, state: '' },
    // Cut, or of another offset.
    { offsetBytes: 64, state: 'bWQ1AdZ0+8AfVOVgdwUJdeDM' },
    { offsetBytes: 5, state: 'bWQ1AdZ0+8AfVOVgdwUJdeDMW2g=' },
    // As hash-wasm saves it.
    { offsetBytes: 5, state: `3DAx3wUAAAAAAAAAASNFZ4mrze/+3LqYdlQyEGFiY2Rl${'A'.repeat(163)}` },
    { offsetBytes: -1, state: 'bWQ1AdZ0+8AfVOVgdwUJdeDMW2g=' },
    { offsetBytes: 2 ** 30, state: 'bWQ1AdZ0+8AfVOVgdwUJdeDMW2g=' },
  ])('restarts if a checkpoint is unusable: $offsetBytes $state', async (checkpoint) => {
    const { hash } = source(before);
    expect(await hash({ resumeFrom: { ...checkpoint, identity: 'first' } })).toEqual({ md5: md5(before) });
  });
});

/** Returns the lengths of all lines. Its state is the lengths so far, so that half a line cannot be saved. */
class LineLengths implements PassListener {
  readonly savesAtLineStart = true;
  #lengths: number[] = [];
  #rest = 0;

  update(chunk: Uint8Array): void {
    for (const byte of chunk) {
      if (byte === 10) this.#lengths.push(this.#rest);
      this.#rest = byte === 10 ? 0 : this.#rest + 1;
    }
  }

  save(): string {
    if (this.#rest > 0) throw new Error('saved within a line');
    return this.#lengths.join(' ');
  }

  load(state: string): boolean {
    this.#lengths = state.split(' ').filter(Boolean).map(Number);
    return true;
  }

  end(): number[] {
    return this.#rest > 0 ? [...this.#lengths, this.#rest] : this.#lengths;
  }
}

describe('pass', () => {
  const create = () => ({ md5: new Md5(), sha256: new Sha256(), lines: new LineLengths() });
  const linesOf = (content: string) => content.split('\n').map(({ length }) => length);

  it('sends the same bytes to all listeners, and resumes at the start of a line after any interruptions', async () => {
    const line = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 200 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(line, { maxLength: 20 }),
        fc.array(fc.integer({ min: 1, max: 4 })),
        async (lines, stops) => {
          const text = `${lines.join('\n')}x`;
          const content = Buffer.from(text);
          let resumeFrom: PassCheckpoint | undefined;
          const told: PassCheckpoint[] = [];
          const run = async (chunks: number) => {
            let left = chunks;
            const reader = memoryReader(content);
            const options = {
              create,
              sizeBytes: content.byteLength,
              chunkBytes: CHUNK_BYTES,
              checkpointEveryMs: 0,
              resumeFrom,
            };
            return pass(reader, { ...options, onCheckpoint: (one) => told.push(one), isStopping: () => --left === 0 });
          };
          for (const chunks of stops) {
            const outcome = await run(chunks);
            resumeFrom = outcome.checkpoint ?? resumeFrom;
          }
          for (const { offsetBytes } of [...told, ...(resumeFrom ? [resumeFrom] : [])]) {
            expect(offsetBytes === 0 || text[offsetBytes - 1] === '\n').toBe(true);
          }
          const { listeners } = await run(Infinity);
          const results = Object.values(listeners).map((one) => one.end());
          expect(results).toEqual([md5(content), sha256(content), linesOf(text)]);
        },
      ),
      { numRuns: 100 },
    );
  });

  it('stops with its last checkpoint within a line that is longer than a chunk', async () => {
    const content = Buffer.from(`ab\n${'c'.repeat(1000)}`);
    let chunks = 0;
    const outcome = await pass(memoryReader(content), {
      create,
      sizeBytes: content.byteLength,
      chunkBytes: CHUNK_BYTES,
      checkpointEveryMs: 0,
      onCheckpoint: () => {},
      isStopping: () => ++chunks === 5,
    });
    expect(outcome).toMatchObject({
      checkpoint: { offsetBytes: 3, states: { md5: expect.any(String), sha256: '', lines: '2' } },
    });
  });
});
