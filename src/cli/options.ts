import { InvalidArgumentError } from 'commander';
import { Limits } from '../contracts/limits.ts';
import { formatBytes } from '../core/format.ts';
import { parseDuration } from '../core/parse-duration.ts';
import { parseBytes, parseBytesPerSecond } from '../core/parse-bytes.ts';
import { MIN_LIMIT_BYTES_PER_SECOND } from '../core/rate-limit.ts';

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

/** Bytes a second. */
export function limitOption(text: string): number {
  const bytesPerSecond = parseBytesPerSecond(text);
  if (bytesPerSecond !== undefined && bytesPerSecond >= MIN_LIMIT_BYTES_PER_SECOND) return bytesPerSecond;
  throw new InvalidArgumentError(
    `Give bytes a second such as 50MiB/s, ${formatBytes(MIN_LIMIT_BYTES_PER_SECOND)}/s at least.`,
  );
}

/** Bytes a second; 0 for `none`. */
export function limitOrNoneOption(text: string): number {
  return text === 'none' ? 0 : limitOption(text);
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

/** Milliseconds. */
export function ageOption(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined) throw new InvalidArgumentError('Use a duration such as 90s, 5m, 6h or 1d.');
  return ms;
}

/** Gathers the values of an option that may be given many times. */
export function repeatedOption(text: string, earlier: readonly string[] = []): string[] {
  return [...earlier, text];
}
