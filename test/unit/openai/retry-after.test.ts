import { expect, test } from 'vitest';
import { parseRetryAfterMs } from '../../../src/openai/retry-after.ts';

const nowMs = Date.parse('Wed, 21 Oct 2026 07:28:00 GMT');

test.each<[string, Record<string, string | string[]>, number | undefined]>([
  ['milliseconds', { 'retry-after-ms': '1500' }, 1500],
  ['milliseconds before seconds', { 'retry-after-ms': '20', 'retry-after': '9' }, 20],
  ['seconds', { 'retry-after': '3' }, 3000],
  ['parts of a second', { 'retry-after': '0.25' }, 250],
  ['no time at all', { 'retry-after': '0' }, 0],
  ['a date', { 'retry-after': 'Wed, 21 Oct 2026 07:28:30 GMT' }, 30_000],
  ['a date that has passed', { 'retry-after': 'Wed, 21 Oct 2020 07:28:30 GMT' }, 0],
  ['a word', { 'retry-after': 'soon' }, undefined],
  ['a negative number', { 'retry-after': '-5' }, undefined],
  ['nothing', {}, undefined],
  ['two headers', { 'retry-after': ['1', '2'] }, undefined],
])('retry-after as %s', (_name, headers, expected) => {
  expect(parseRetryAfterMs(headers, nowMs)).toBe(expected);
});
