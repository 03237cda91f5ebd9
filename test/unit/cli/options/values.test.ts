import { InvalidArgumentError } from 'commander';
import { describe, expect, it } from 'vitest';
import { bandwidthOption, bytesOption, partSizeOption, wholeNumberOption } from '../../../../src/cli/options/values.ts';

describe('options of the command line', () => {
  it('accept bytes with and without a unit', () => {
    expect(bytesOption('50MiB')).toBe(52_428_800);
    expect(bytesOption('1000')).toBe(1000);
  });

  it.each(['', 'x', '-5', '1e9', '5 bananas'])('reject %j as bytes, with examples', (text) => {
    expect(() => bytesOption(text)).toThrow(InvalidArgumentError);
    expect(() => bytesOption(text)).toThrow('Use a number of bytes, for example 33554432, 32MiB or 1.5GiB.');
  });

  it.each(['1MiB', '64MiB', '1GiB', '1.5MiB'])('accept %s as the size of a part', (text) => {
    expect(partSizeOption(text)).toBeGreaterThan(0);
  });

  it.each(['1048575', '1073741825', '0', '1024.1MiB', '2GiB'])(
    'reject %s as the size of a part, with the limits',
    (text) => {
      expect(() => partSizeOption(text)).toThrow(InvalidArgumentError);
      expect(() => partSizeOption(text)).toThrow('Use 1 MiB to 1 GiB.');
    },
  );

  it.each(['0', 'x', ''])('reject %j as a bandwidth', (text) => {
    expect(() => bandwidthOption(text)).toThrow('Use a number of bytes above 0, for example 50MiB.');
  });

  it('describe a whole number without a maximum', () => {
    expect(() => wholeNumberOption(0, Number.MAX_SAFE_INTEGER)('-1')).toThrow('Use a whole number of at least 0.');
  });

  it('accept whole numbers within their limits', () => {
    const percent = wholeNumberOption(0, 100);
    expect(['0', '007', '100'].map(percent)).toEqual([0, 7, 100]);
  });

  it.each(['-1', '101', '1.5', '', ' 5', '1e1', '0x5', 'five'])('reject %j as a whole number', (text) => {
    expect(() => wholeNumberOption(0, 100)(text)).toThrow(InvalidArgumentError);
    expect(() => wholeNumberOption(0, 100)(text)).toThrow('Use a whole number from 0 to 100.');
  });
});
