import { expect, it } from 'vitest';
import { pieceName } from '../../../../src/core/split/pieces.ts';

it.each<[string, number, number, string]>([
  ['train.jsonl', 1, 3, 'train-00001-of-00003.jsonl'],
  ['train.v2.jsonl', 12, 345, 'train.v2-00012-of-00345.jsonl'],
  ['train', 2, 2, 'train-00002-of-00002'],
  ['.hidden', 1, 2, '.hidden-00001-of-00002'],
  ['train.jsonl', 1, 1, 'train.jsonl'],
])('the name of a piece contains its number and the extension: %s, %d of %d', (filename, number, count, expected) => {
  expect(pieceName(filename, number, count)).toBe(expected);
});
