import fc from 'fast-check';
import { expect, it } from 'vitest';
import { countLines, LineCounter } from '../../../src/sources/line-counter.ts';
import { SourceLines } from '../../../src/sources/source-lines.ts';
import { memoryReader } from '../../support/memory-reader.ts';

const MiB = 1024 * 1024;
const never = new AbortController().signal;

/** A source of several blocks. */
function contentOf(lengths: readonly number[], isEnded: boolean): Buffer {
  const lines = lengths.map((length) => `${'x'.repeat(length)}\n`);
  return Buffer.from(lines.join('').slice(0, isEnded ? undefined : -1) || 'x');
}

it('finds each line of a source of several blocks, as a search from the start does', async () => {
  const content = contentOf(
    Array.from({ length: 60 }, (_, index) => (index * 7919 * 31) % 90_000),
    false,
  );
  expect(content.byteLength).toBeGreaterThan(2 * MiB);
  const { counter, isWhole } = await countLines(memoryReader(content), {
    sizeBytes: content.byteLength,
    isStopping: () => false,
  });
  expect([counter.lines, isWhole]).toEqual([60, true]);
  const index = counter.index(new SourceLines(memoryReader(content), never));
  let end = 0;
  for (let line = 1; line < 60; line++) {
    end = content.indexOf(10, end) + 1;
    expect(await index.endOf(line)).toBe(end);
    expect(await index.before(end)).toBe(line);
    expect(await index.before(end - 1)).toBe(line - 1);
  }
  expect(await index.before(content.byteLength)).toBe(59);
});

it('counts the same lines in any chunks, also if it resumes at any of them', () =>
  fc.assert(
    fc.property(
      fc.array(fc.nat(5), { minLength: 1, maxLength: 40 }),
      fc.boolean(),
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 9 }),
      (lengths, isEnded, steps) => {
        const content = contentOf(lengths, isEnded);
        let counter = new LineCounter(content.byteLength);
        for (let at = 0, step = 0; at < content.byteLength; step++) {
          const to = at + (steps[step % steps.length] as number);
          counter.update(content.subarray(at, to));
          at = Math.min(to, content.byteLength);
          const resumed = new LineCounter(content.byteLength);
          if (!resumed.load(counter.save(), at)) return false;
          counter = resumed;
        }
        const text = content.toString();
        return counter.lines === text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
      },
    ),
  ));

it.each(['', '[]', '[0]', '{}', '[0,1,2]', '[0,"1"]', 'x'])('restarts for the unusable state %j', (state) => {
  expect(new LineCounter(10).load(state, 5)).toBe(false);
});
