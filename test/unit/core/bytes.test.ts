import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatBytes, formatDuration } from '../../../src/core/text/format.ts';
import { parseBytes } from '../../../src/core/text/parse.ts';

describe('parseBytes', () => {
  it.each([
    ['0', 0],
    ['33554432', 33_554_432],
    ['32MiB', 33_554_432],
    ['32M', 33_554_432],
    ['32MB', 32_000_000],
    ['1.5 GiB', 1_610_612_736],
    [' 2K ', 2048],
    ['2kB', 2000],
    ['2KB', 2000],
    ['7B', 7],
    ['1G', 1_073_741_824],
    ['1GB', 1_000_000_000],
    ['0.3KiB', 307],
  ])('reads %j as %d bytes', (text, bytes) => {
    expect(parseBytes(text)).toBe(bytes);
  });

  it.each(['', ' ', 'MiB', '-1', '+1', '1e3', '1.', '.5', '1,5', '0x10', '1 MiB 2', '12 mib', '1TiB', 'NaN'])(
    'rejects %j',
    (text) => {
      expect(parseBytes(text)).toBeUndefined();
    },
  );

  it.each(['constructor', '1constructor', '1toString', '1valueOf', '1__proto__'])(
    'rejects an inherited property as a unit: %j',
    (text) => {
      expect(parseBytes(text)).toBeUndefined();
    },
  );

  it('rejects numbers that are not exact', () => {
    expect(parseBytes('9007199254740991')).toBe(Number.MAX_SAFE_INTEGER);
    expect(parseBytes('9007199254740992')).toBeUndefined();
    expect(parseBytes('99999999GiB')).toBeUndefined();
    expect(parseBytes('9'.repeat(400))).toBeUndefined();
  });

  it('parses every plain number of bytes', () => {
    fc.assert(fc.property(fc.maxSafeNat(), (bytes) => parseBytes(String(bytes)) === bytes));
  });

  it('returns bytes or undefined for any text, and never NaN', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const bytes = parseBytes(text);
        return bytes === undefined || (Number.isSafeInteger(bytes) && bytes >= 0);
      }),
    );
  });
});

describe('formatBytes', () => {
  it.each([
    [0, '0 B'],
    [1, '1 B'],
    [999, '999 B'],
    [1000, '0.98 KiB'],
    [1024, '1 KiB'],
    [64 * 1024 ** 2, '64 MiB'],
    [1.46 * 1024 ** 3, '1.46 GiB'],
    [10.44 * 1024 ** 2, '10.4 MiB'],
    [99.97 * 1024, '100 KiB'],
    [9.998 * 1024, '10 KiB'],
    [8 * 1024 ** 3, '8 GiB'],
    [5000 * 1024 ** 4, '5000 TiB'],
    [123.4, '123 B'],
  ])('writes %d as %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });

  it('deviates by at most 1%, and has at most three digits', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 900 * 1024 ** 4 }), (bytes) => {
        const [value, unit] = formatBytes(bytes).split(' ') as [string, string];
        const factor = 1024 ** ['B', 'KiB', 'MiB', 'GiB', 'TiB'].indexOf(unit);
        expect(Math.abs(Number(value) * factor - bytes) / bytes).toBeLessThanOrEqual(0.01);
        expect(value.replace('.', '').replace(/^0/, '').length).toBeLessThanOrEqual(3);
      }),
    );
  });

  it('is accepted by parseBytes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1000 }), (mebibytes) => {
        const bytes = mebibytes * 1024 ** 2;
        return mebibytes >= 1000 || parseBytes(formatBytes(bytes)) === bytes;
      }),
    );
  });
});

describe('formatDuration', () => {
  it.each([
    [0, '0 ms'],
    [850.4, '850 ms'],
    [999.4, '999 ms'],
    [999.6, '1 s'],
    [1000, '1 s'],
    [12_345, '12 s'],
    [59_499, '59 s'],
    [59_500, '1 min'],
    [185_000, '3 min 05 s'],
    [3_599_499, '59 min 59 s'],
    [3_599_500, '1 h'],
    [7_800_000, '2 h 10 min'],
    [100 * 3_600_000, '100 h'],
  ])('writes %d ms as %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });
});
