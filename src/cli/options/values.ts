import { InvalidArgumentError } from 'commander';
import { Limits, Priorities } from '../../contracts/limits.ts';
import { formatBytes } from '../../core/text/format.ts';
import { mimeTypeProblem } from '../../core/upload/mime-type.ts';
import { parseBytes, parseBytesPerSecond, parseDuration } from '../../core/text/parse.ts';
import { MIN_LIMIT_BYTES_PER_SECOND } from '../../core/pace/rate.ts';

export function partSizeOption(text: string): number {
  const bytes = bytesOption(text);
  const { minPartSizeBytes: least, settablePartSizeBytes: most } = Limits;
  if (bytes < least || bytes > most) {
    throw new InvalidArgumentError(`Use ${formatBytes(least)} to ${formatBytes(most)}.`);
  }
  return bytes;
}

/** Empty without a value. */
export function splitOption(text: string): true | 'auto' {
  if (text === '') return true;
  if (text === 'auto') return text;
  throw new InvalidArgumentError('Use auto, or no value.');
}

export function splitSizeOption(text: string): number {
  const bytes = bytesOption(text);
  if (bytes >= 1 && bytes <= Limits.settableFileBytes) return bytes;
  throw new InvalidArgumentError(
    `Use 1 B to the maximum of the destination, at most ${formatBytes(Limits.settableFileBytes)}.`,
  );
}

/** Bytes per second. */
export function limitOption(text: string): number {
  const bytesPerSecond = parseBytesPerSecond(text);
  if (bytesPerSecond !== undefined && bytesPerSecond >= MIN_LIMIT_BYTES_PER_SECOND) return bytesPerSecond;
  throw new InvalidArgumentError(
    `Use a rate of at least ${formatBytes(MIN_LIMIT_BYTES_PER_SECOND)}/s, for example 50MiB/s.`,
  );
}

/** Bytes per second; 0 for `none`. */
export function limitOrNoneOption(text: string): number {
  return text === 'none' ? 0 : limitOption(text);
}

export function bytesOption(text: string): number {
  const bytes = parseBytes(text);
  if (bytes === undefined)
    throw new InvalidArgumentError('Use a number of bytes, for example 33554432, 32MiB or 1.5GiB.');
  return bytes;
}

export function wholeNumberOption(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < least || value > most) {
      throw new InvalidArgumentError(`Use a whole number from ${least} to ${most}.`);
    }
    return value;
  };
}

/** Collects the values of a repeatable option. */
export function repeatedOption(text: string, earlier: readonly string[] = []): string[] {
  return [...earlier, text];
}

/** Milliseconds. */
export function durationOption(least: string, most: string, example: string): (text: string) => number {
  return (text) => {
    const ms = parseDuration(text);
    if (ms !== undefined && ms >= (parseDuration(least) ?? 0) && ms <= (parseDuration(most) ?? Infinity)) return ms;
    throw new InvalidArgumentError(`Use a duration from ${least} to ${most}, for example ${example}.`);
  };
}

/** Seconds. */
export function fileLifeOption(text: string): number {
  const seconds = durationOption('1h', '30d', '7d')(text) / 1000;
  if (Number.isInteger(seconds)) return seconds;
  throw new InvalidArgumentError('Use whole seconds, for example 90m or 7d.');
}

/** Milliseconds; 0 for `never`. */
export function giveUpOption(text: string): number {
  return text === 'never' ? 0 : durationOption('0s', '365d', '6h, or never')(text);
}

/** A name of `Priorities`, or a number as in a request. */
export function priorityOption(text: string): number {
  if (Object.hasOwn(Priorities, text)) return Priorities[text as keyof typeof Priorities];
  if (/^[1-5]$/.test(text)) return Number(text);
  const names = Object.keys(Priorities).join(', ');
  throw new InvalidArgumentError(`Use ${names}, or a number from 1 (first) to ${Limits.lastPriority} (last).`);
}

export function fairnessKeyOption(text: string): string {
  const bytes = Buffer.byteLength(text);
  if (bytes > 0 && bytes <= Limits.maxFairnessKeyBytes) return text;
  throw new InvalidArgumentError(`Use a text of 1 to ${Limits.maxFairnessKeyBytes} bytes.`);
}

export function fairnessWeightOption(text: string): number {
  const { minFairnessWeight: least, maxFairnessWeight: most } = Limits;
  const weight = Number(text);
  if (/^\d+(\.\d+)?$/.test(text) && weight >= least && weight <= most) return weight;
  throw new InvalidArgumentError(`Use a number from ${least} to ${most}, for example 2.5.`);
}

export function mimeTypeOption(text: string): string {
  const problem = mimeTypeProblem(text);
  if (problem === undefined) return text;
  throw new InvalidArgumentError(`It ${problem}.`);
}

const MiB = 1024 ** 2;

/** A number of bytes as `bytesOption` accepts it, without loss. */
export function bytesText(bytes: number): string {
  if (bytes % MiB === 0) return `${bytes / MiB}MiB`;
  return bytes % 1024 === 0 ? `${bytes / 1024}KiB` : String(bytes);
}

/** A rate as `limitOrNoneOption` accepts it, without loss. */
export function rateText(bytesPerSecond: number): string {
  return bytesPerSecond === 0 ? 'none' : `${bytesText(bytesPerSecond)}/s`;
}

/** Milliseconds as `durationOption` accepts them, without loss. */
export function durationText(ms: number): string {
  const units = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000 };
  const [unit, unitMs] = Object.entries(units).find(([, size]) => ms > 0 && ms % size === 0) ?? ['ms', 1];
  return `${ms / unitMs}${unit}`;
}
