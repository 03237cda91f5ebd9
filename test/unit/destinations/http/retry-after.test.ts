import { expect, test } from 'vitest';
import { parseRetryAfterMs } from '../../../../src/destinations/http/api-error.ts';

const nowMs = Date.parse('Wed, 21 Oct 2026 07:28:00 GMT');
const yearMs = 366 * 24 * 3_600_000;

test.each<[string, Record<string, string | string[]>, number | undefined]>([
  ['milliseconds', { 'retry-after-ms': '1500' }, 1500],
  ['milliseconds before seconds', { 'retry-after-ms': '20', 'retry-after': '9' }, 20],
  ['seconds', { 'retry-after': '3' }, 3000],
  ['parts of a second', { 'retry-after': '0.25' }, 250],
  ['no time at all', { 'retry-after': '0' }, 0],
  ['two days', { 'retry-after': '198300' }, 198_300_000],
  ['a date', { 'retry-after': 'Wed, 21 Oct 2026 07:28:30 GMT' }, 30_000],
  ['a date that has passed', { 'retry-after': 'Wed, 21 Oct 2020 07:28:30 GMT' }, 0],
  [
    'a date of a service whose clock is another one',
    { 'retry-after': 'Wed, 21 Oct 2020 07:28:30 GMT', date: 'Wed, 21 Oct 2020 07:28:00 GMT' },
    30_000,
  ],
  ['400 digits', { 'retry-after': '9'.repeat(400) }, undefined],
  ['400 digits, with seconds that can be read', { 'retry-after-ms': '9'.repeat(400), 'retry-after': '3' }, 3000],
  ['300 digits', { 'retry-after': '9'.repeat(300) }, yearMs],
  ['a date in the year 9999', { 'retry-after': 'Fri, 31 Dec 9999 23:59:59 GMT' }, yearMs],
  ['a megabyte of digits', { 'retry-after': '9'.repeat(1024 * 1024) }, undefined],
  ['a word', { 'retry-after': 'soon' }, undefined],
  ['a negative number', { 'retry-after': '-5' }, undefined],
  ['an exponent', { 'retry-after': '1e300' }, undefined],
  ['nothing', {}, undefined],
  ['two headers', { 'retry-after': ['1', '2'] }, undefined],
])('reads retry-after as %s', (_name, headers, expected) => {
  expect(parseRetryAfterMs(headers, nowMs)).toBe(expected);
});
