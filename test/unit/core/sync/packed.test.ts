import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Packed, PackedIndex } from '../../../../src/core/sync/packed.ts';
import { generatedRuns } from '../../../support/mutated.ts';

interface Value {
  readonly key: string;
  readonly number: number;
}

const values = fc.array(fc.record({ key: fc.string({ maxLength: 3, unit: 'grapheme' }), number: fc.nat() }), {
  size: 'large',
});

describe('a packed list', () => {
  it('returns its values by position and in order', () => {
    fc.assert(
      fc.property(values, (added) => {
        const packed = Packed.of(added);
        expect(packed.length).toBe(added.length);
        expect([...packed]).toEqual(added);
        for (const [position, value] of added.entries()) expect(packed.at(position)).toEqual(value);
      }),
      { numRuns: generatedRuns(50) },
    );
  });

  it('finds its values by a text, the last one of equal texts, or the one that is kept', () => {
    fc.assert(
      fc.property(values, (added) => {
        const packed = Packed.of<Value>(added);
        const keyOf = ({ key }: Value) => key;
        const [last, largest] = [new PackedIndex(packed, keyOf), new PackedIndex(packed, keyOf)];
        const [lasts, largests] = [new Map<string, Value>(), new Map<string, Value>()];
        for (const [position, value] of added.entries()) {
          const { key, number } = value;
          last.set(key, position);
          lasts.set(key, value);
          largest.set(key, position, (earlier) => number > earlier.number);
          if (number > (largests.get(key)?.number ?? -1)) largests.set(key, value);
        }
        for (const [key, value] of lasts) expect(last.get(key)).toEqual(value);
        for (const [key, value] of largests) expect(largest.get(key)).toEqual(value);
        expect(last.get('a text that no value has')).toBeUndefined();
      }),
      { numRuns: generatedRuns(50) },
    );
  });

  it('has many values whose texts differ in the last characters only', () => {
    const packed = new Packed<string>();
    const index = new PackedIndex(packed, (value) => value);
    for (let number = 0; number < 20_000; number++) {
      const text = `part-1/${String(number).padStart(9, '0')}`;
      index.set(text, packed.add(text));
    }
    expect(index.get('part-1/000019999')).toBe('part-1/000019999');
    expect(index.get('part-1/000020000')).toBeUndefined();
  });
});
