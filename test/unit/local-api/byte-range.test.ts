import { expect, it } from 'vitest';
import { byteRange } from '../../../src/local-api/handlers/files.ts';

it.each([
  ['bytes=0-9', { startByte: 0, endByte: 10 }],
  ['bytes=90-', { startByte: 90, endByte: 100 }],
  ['bytes=90-200', { startByte: 90, endByte: 100 }],
  ['bytes=-10', { startByte: 90, endByte: 100 }],
  ['bytes=-200', { startByte: 0, endByte: 100 }],
  ['bytes=100-', 'unsatisfiable'],
  ['bytes=-0', 'unsatisfiable'],
  ['bytes=9-0', undefined],
  ['bytes=-', undefined],
  ['bytes=0-1,4-5', undefined],
  ['lines=0-1', undefined],
  [undefined, undefined],
])('reads the range %s of 100 bytes', (header, expected) => {
  expect(byteRange(header, 100)).toEqual(expected);
});
