import { expect, it } from 'vitest';
import { seededRandom } from '../../../src/local-api/faults.ts';

it('seededRandom returns the same numbers for the same seed, evenly distributed in [0, 1)', () => {
  const one = seededRandom(42);
  const other = seededRandom(42);
  const numbers = Array.from({ length: 10_000 }, () => one());
  expect(numbers.slice(0, 100)).toEqual(Array.from({ length: 100 }, () => other()));
  expect(numbers.every((number) => number >= 0 && number < 1)).toBe(true);
  expect(numbers.reduce((sum, number) => sum + number, 0) / numbers.length).toBeCloseTo(0.5, 1);
});

it('seededRandom returns the numbers of the published mulberry32', () => {
  const random = seededRandom(1);
  expect([random(), random()].map((number) => Math.floor(number * 4_294_967_296))).toEqual([2693262067, 11749833]);
});
