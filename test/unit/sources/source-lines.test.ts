import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SourceLines } from '../../../src/sources/source-lines.ts';
import { memoryReader } from '../../support/memory-reader.ts';

const never = new AbortController().signal;
const KiB64 = 64 * 1024;

/** What a look at every byte finds. */
function endsOf(content: Buffer, least: number, most: number): number[] {
  return [...content.keys()]
    .filter((at) => content[at] === 10 && at + 1 >= least && at + 1 <= most)
    .map((at) => at + 1);
}

describe('the line ends of a source', () => {
  it('are found at their positions, forwards and backwards', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(10, 120), { minLength: 1, maxLength: 60 }),
        fc.nat(59),
        fc.nat(59),
        async (bytes, a, b) => {
          const content = Buffer.from(bytes);
          const least = 1 + (Math.min(a, b) % content.byteLength);
          const most = Math.max(least, Math.min(Math.max(a, b) + 1, content.byteLength));
          const lines = new SourceLines(memoryReader(content), never);
          const ends = endsOf(content, least, most);
          return (await lines.first(least, most)) === ends[0] && (await lines.last(least, most)) === ends.at(-1);
        },
      ),
    ));

  it('are found across blocks, in a source that returns few bytes at a time', async () => {
    const content = Buffer.alloc(5 * KiB64, 'x');
    const ends = [KiB64, KiB64 + 1, 3 * KiB64 + 7];
    for (const end of ends) content[end - 1] = 10;
    const lines = new SourceLines(memoryReader(content, { nextReadBytes: () => 1000 }), never);
    expect(await lines.first(1, content.byteLength)).toBe(ends[0]);
    expect(await lines.first(KiB64 + 1, content.byteLength)).toBe(ends[1]);
    expect(await lines.first(KiB64 + 2, content.byteLength)).toBe(ends[2]);
    expect(await lines.first(KiB64 + 2, 3 * KiB64)).toBeUndefined();
    expect(await lines.last(1, content.byteLength)).toBe(ends[2]);
    expect(await lines.last(1, 3 * KiB64 + 6)).toBe(ends[1]);
    expect(await lines.last(1, KiB64 - 1)).toBeUndefined();
  });

  it('are not searched after an abort', async () => {
    const reader = memoryReader(Buffer.alloc(10));
    await expect(new SourceLines(reader, AbortSignal.abort()).first(1, 10)).rejects.toMatchObject({ code: 'ABORTED' });
  });

  it('report a change if the source ends too early', async () => {
    const lines = new SourceLines(memoryReader(Buffer.alloc(10)), never);
    await expect(lines.last(1, 11)).rejects.toMatchObject({ code: 'SOURCE_CHANGED' });
  });
});
