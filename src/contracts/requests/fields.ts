import * as z from 'zod';
import { anyTextUpTo, textUpTo, type Check } from '../../core/text/check.ts';

/*
 * Fields of requests. A message is the rest of a sentence that starts with the name of the field. `../` before a message
 * moves it to the object that has the field.
 */

/** Checks what JSON Schema cannot express. */
export const by =
  <Value>(problem: (value: Value) => string | undefined) =>
  (value: Value, context: { addIssue(issue: { code: 'custom'; message: string }): void }): void => {
    const message = problem(value);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  };

/**
 * A text that is not empty.
 *
 * @param maxBytes in UTF-8; JSON Schema counts characters, which are at most as many
 * @param problem check of the length and of further constraints
 * @param missing message for a value that is not a text, or is empty
 */
export const text = (
  maxBytes: number,
  { problem = textUpTo(maxBytes), missing = 'must be a non-empty string' }: { problem?: Check; missing?: string } = {},
) => z.string(missing).min(1, missing).superRefine(by(problem)).meta({ maxLength: maxBytes });

/** As `text`, for a text that can be empty. */
export const anyText = (maxBytes: number, problem: Check = anyTextUpTo(maxBytes)) =>
  z.string('must be a string').superRefine(by(problem)).meta({ maxLength: maxBytes });

export const whole = (least: number, most: number, message = `must be a whole number from ${least} to ${most}`) =>
  z.int(message).min(least, message).max(most, message);

export const flag = z.boolean('must be true or false');

/** The types of values that JSON.parse returned, which no code changes. */
export type Frozen<T> = T extends readonly (infer Item)[]
  ? readonly Frozen<Item>[]
  : T extends Date
    ? T
    : T extends object
      ? { readonly [Name in keyof T]: Frozen<T[Name]> }
      : T;

/** The messages for an object that is a request, or a part of one with many properties: one for each unknown property. */
export const objectCalled = (noun: string) => ({
  error: ({ code }: { readonly code: string }) =>
    code === 'unrecognized_keys' ? `is not a property of ${noun}` : `${noun} must be an object`,
});
