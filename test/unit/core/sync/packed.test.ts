import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TextFile } from '../../../../activities/sync/text-file.ts';
import { Packed } from '../../../../src/core/sync/packed.ts';
import { TextIndex } from '../../../../src/core/sync/text-index.ts';
import { nameKey } from '../../../../src/core/text/name-form.ts';
import { generatedRuns } from '../../../support/mutated.ts';

const texts = fc.array(fc.string({ maxLength: 3, unit: 'grapheme' }), { size: 'large' });

describe('a packed list', () => {
  it.each([
    ['memory', () => undefined],
    ['a file', () => new TextFile(0)],
  ])('returns its values by position and in order from %s', (_place, store) => {
    fc.assert(
      fc.property(texts, (added) => {
        const packed = new Packed<{ readonly text: string }>(undefined, store());
        for (const text of added) packed.add({ text });
        expect(packed.length).toBe(added.length);
        expect([...packed]).toEqual(added.map((text) => ({ text })));
        for (const [position, text] of added.entries()) expect(packed.at(position)).toEqual({ text });
      }),
      { numRuns: generatedRuns(8) },
    );
  });

  it('reads values that are already in its file while more are added', () => {
    const packed = new Packed<number>(undefined, new TextFile(1000));
    for (let number = 0; number < 10_000; number++) {
      packed.add(number);
      expect(packed.at(number >> 1)).toBe(number >> 1);
    }
  });
});

describe('an index of texts', () => {
  it('finds the last position of a text in any Unicode form', () => {
    fc.assert(
      fc.property(texts, (added) => {
        const index = new TextIndex();
        const positions = new Map<string, number>();
        for (const [position, text] of added.entries()) {
          expect(index.set(text, position)).toBe(positions.get(nameKey(text)));
          positions.set(nameKey(text), position);
        }
        for (const text of added) {
          for (const form of [text, text.normalize('NFD')]) {
            expect(index.get(form)).toBe(positions.get(nameKey(text)));
          }
        }
        expect(index.get('a text that is not in it')).toBeUndefined();
      }),
      { numRuns: generatedRuns(8) },
    );
  });

  it('distinguishes many texts that differ in a few characters only', () => {
    const index = new TextIndex();
    const textOf = (number: number) => `part-${number % 7}/${String(number).padStart(9, '0')}`;
    for (let number = 0; number < 50_000; number++) {
      expect(index.set(textOf(number), number)).toBeUndefined();
    }
    for (let number = 0; number < 50_000; number += 997) expect(index.get(textOf(number))).toBe(number);
    expect(index.get(textOf(50_000))).toBeUndefined();
  });
});
