import { utf8Length } from './clip.ts';

/** Returns the problem of a value, as the rest of a sentence; undefined for a valid value. */
export type Check = (value: unknown) => string | undefined;

/**
 * A text of a request. Its length is limited because Temporal limits payloads, names and messages, into which it is
 * copied. Half of a surrogate pair can't be sent to Temporal in a name or a message.
 */
export const textUpTo =
  (mostBytes: number): Check =>
  (value) => {
    if (typeof value !== 'string' || value.length === 0) return 'must be a non-empty string';
    return lengthProblem(value, mostBytes);
  };

/** As `textUpTo`, for a text that may be empty. */
export const anyTextUpTo =
  (mostBytes: number): Check =>
  (value) =>
    typeof value === 'string' ? lengthProblem(value, mostBytes) : 'must be a string';

function lengthProblem(text: string, mostBytes: number): string | undefined {
  if (text.length > mostBytes || utf8Length(text) > mostBytes) return `must have at most ${mostBytes} bytes`;
  return /\p{Surrogate}/u.test(text) ? 'must be valid Unicode' : undefined;
}

export const flag: Check = (value) => (typeof value === 'boolean' ? undefined : 'must be true or false');

export const wholeNumber =
  (least: number, most: number): Check =>
  (value) =>
    Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most
      ? undefined
      : `must be a whole number from ${least} to ${most}`;
