import { InvalidArgumentError } from 'commander';
import { Limits } from '../contracts/limits.ts';
import { formatBytes } from '../core/format.ts';
import { parseBytes } from '../core/parse-bytes.ts';

export function partSizeOption(text: string): number {
  const bytes = bytesOption(text);
  const { minPartSizeBytes: least, maxPartSizeBytes: most } = Limits;
  if (bytes < least || bytes > most) {
    throw new InvalidArgumentError(`A part has ${formatBytes(least)} to ${formatBytes(most)}.`);
  }
  return bytes;
}

export function splitSizeOption(text: string): number {
  const bytes = bytesOption(text);
  if (bytes >= 1 && bytes <= Limits.maxFileBytes) return bytes;
  throw new InvalidArgumentError(`A File has 1 B to ${formatBytes(Limits.maxFileBytes)}.`);
}

export function bytesOption(text: string): number {
  const bytes = parseBytes(text);
  if (bytes === undefined) throw new InvalidArgumentError('Give bytes such as 33554432, 32MiB or 1.5GiB.');
  return bytes;
}

export function wholeNumberOption(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < least || value > most) {
      throw new InvalidArgumentError(`Give a whole number from ${least} to ${most}.`);
    }
    return value;
  };
}

/** Gathers the values of an option that may be given many times. */
export function repeatedOption(text: string, earlier: readonly string[] = []): string[] {
  return [...earlier, text];
}
