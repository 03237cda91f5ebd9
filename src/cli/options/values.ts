import { InvalidArgumentError } from 'commander';
import { Limits, Priorities } from '../../contracts/limits.ts';
import { formatBytes } from '../../core/text/format.ts';
import { mimeTypeProblem } from '../../core/upload/mime-type.ts';
import { parseBytes, parseBytesPerSecond, parseDuration } from '../../core/text/parse.ts';
import { MIN_LIMIT_BYTES_PER_SECOND } from '../../core/pace/rate.ts';

/** Returns the parser of an option. @param parse returns undefined for an invalid text */
function option<Value>(fix: string, parse: (text: string) => Value | undefined): (text: string) => Value {
  return (text) => {
    const value = parse(text);
    if (value !== undefined) return value;
    throw new InvalidArgumentError(fix);
  };
}

function within(value: number | undefined, least: number, most: number): number | undefined {
  return value !== undefined && value >= least && value <= most ? value : undefined;
}

export const bytesOption = option('Use a number of bytes, for example 33554432, 32MiB or 1.5GiB.', parseBytes);

/** Bytes per second. */
export const bandwidthOption = option('Use a number of bytes above 0, for example 50MiB.', (text) =>
  within(parseBytes(text), 1, Infinity),
);

const { minPartSizeBytes, settablePartSizeBytes, settableFileBytes } = Limits;

export const partSizeOption = option(
  `Use ${formatBytes(minPartSizeBytes)} to ${formatBytes(settablePartSizeBytes)}.`,
  (text) => within(bytesOption(text), minPartSizeBytes, settablePartSizeBytes),
);

export const splitSizeOption = option(
  `Use 1 B to the maximum of the destination, at most ${formatBytes(settableFileBytes)}.`,
  (text) => within(bytesOption(text), 1, settableFileBytes),
);

/** Empty without a value. */
export const splitOption = option<true | 'auto'>('Use auto, or no value.', (text) =>
  text === 'auto' ? text : text === '' || undefined,
);

/** Bytes per second. */
export const limitOption = option(
  `Use a rate of at least ${formatBytes(MIN_LIMIT_BYTES_PER_SECOND)}/s, for example 50MiB/s.`,
  (text) => within(parseBytesPerSecond(text), MIN_LIMIT_BYTES_PER_SECOND, Infinity),
);

/** Bytes per second; 0 for `none`. */
export function limitOrNoneOption(text: string): number {
  return text === 'none' ? 0 : limitOption(text);
}

export function wholeNumberOption(least: number, most: number): (text: string) => number {
  const range = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
  return option(`Use a whole number ${range}.`, (text) =>
    /^\d+$/.test(text) ? within(Number(text), least, most) : undefined,
  );
}

export function repeatedOption(text: string, earlier: readonly string[] = []): string[] {
  return [...earlier, text];
}

/** Milliseconds. */
export function durationOption(least: string, most: string, example: string): (text: string) => number {
  return option(`Use a duration from ${least} to ${most}, for example ${example}.`, (text) =>
    within(parseDuration(text), parseDuration(least) ?? 0, parseDuration(most) ?? Infinity),
  );
}

/** Seconds. */
export const fileLifeOption = option('Use whole seconds, for example 90m or 7d.', (text) => {
  const seconds = durationOption('1h', '30d', '7d')(text) / 1000;
  return Number.isInteger(seconds) ? seconds : undefined;
});

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

export const fairnessKeyOption = option(`Use a text of 1 to ${Limits.maxFairnessKeyBytes} bytes.`, (text) =>
  text !== '' && Buffer.byteLength(text) <= Limits.maxFairnessKeyBytes ? text : undefined,
);

const { minFairnessWeight, maxFairnessWeight } = Limits;

export const fairnessWeightOption = option(
  `Use a number from ${minFairnessWeight} to ${maxFairnessWeight}, for example 2.5.`,
  (text) => (/^\d+(\.\d+)?$/.test(text) ? within(Number(text), minFairnessWeight, maxFairnessWeight) : undefined),
);

export function mimeTypeOption(text: string): string {
  const problem = mimeTypeProblem(text);
  if (problem === undefined) return text;
  throw new InvalidArgumentError(`The value ${problem}.`);
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
